//! Name resolution that answers with acceptable addresses or not at all.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

use crate::Trust;

/// Resolves names by the operating system; the client connects to what comes out of here and resolves
/// nothing again, so that what was judged is what is used.
#[derive(Debug)]
pub(super) struct Resolver {
    trust: Trust,
    proxy_host: Option<Box<str>>,
}

/// An address behind a name is not acceptable.
#[derive(Debug)]
pub(super) struct RefusedAddress;

impl fmt::Display for RefusedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host has an address that is not public")
    }
}

impl std::error::Error for RefusedAddress {}

impl Resolver {
    /// Answers with addresses that `trust` permits. The proxy was configured by the operator and may be
    /// anywhere.
    pub(super) const fn new(trust: Trust, proxy_host: Option<Box<str>>) -> Self {
        Self { trust, proxy_host }
    }

    fn trust_of(&self, name: &str) -> Trust {
        if self.proxy_host.as_deref() == Some(name) {
            Trust::Configured
        } else {
            self.trust
        }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let trust = self.trust_of(name.as_str());
        Box::pin(async move {
            // RFC 6761 §6.3: nobody else may say where this is.
            if name.as_str() == "localhost" {
                return Ok(checked(trust, localhost())?);
            }
            let found = lookup_host((name.as_str(), 0)).await?.collect();
            Ok(checked(trust, found)?)
        })
    }
}

fn localhost() -> Vec<SocketAddr> {
    vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()]
}

/// All or none: a name with one private address among public ones is an attack or a mistake.
fn checked(trust: Trust, addresses: Vec<SocketAddr>) -> Result<Addrs, RefusedAddress> {
    if addresses.iter().all(|address| trust.permits(address.ip())) {
        Ok(Box::new(addresses.into_iter()))
    } else {
        Err(RefusedAddress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(of: &[&str]) -> Vec<SocketAddr> {
        of.iter()
            .map(|address| SocketAddr::new(address.parse().expect("an address"), 0))
            .collect()
    }

    /// SS3: rebinding
    #[test]
    fn one_private_address_among_public_ones_refuses_the_name() {
        let public = addresses(&["1.1.1.1", "2606:4700:4700::1111"]);
        let mixed = addresses(&["1.1.1.1", "169.254.169.254"]);
        assert!(checked(Trust::Public, public.clone()).is_ok_and(|passed| passed.eq(public)));
        assert!(checked(Trust::Public, mixed.clone()).is_err());
        assert!(checked(Trust::Configured, mixed).is_ok());
    }

    #[tokio::test]
    async fn localhost_is_this_machine_and_not_public() {
        let resolve = |trust| {
            let name = "localhost".parse().expect("a name");
            Resolver::new(trust, None).resolve(name)
        };
        let found = resolve(Trust::Configured).await.expect("it is configured");
        assert!(found.into_iter().all(|address| address.ip().is_loopback()));
        let refused = resolve(Trust::Public).await.map(|_| ()).expect_err("not public");
        assert!(refused.is::<RefusedAddress>());
    }

    #[test]
    fn a_configured_proxy_may_be_anywhere() {
        let resolver = Resolver::new(Trust::Public, Some("proxy.internal".into()));
        assert_eq!(resolver.trust_of("proxy.internal"), Trust::Configured);
        assert_eq!(resolver.trust_of("keys.example.com"), Trust::Public);
    }
}
