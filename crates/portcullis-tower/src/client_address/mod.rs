//! The address of the client, behind proxies.

mod header;
mod proxies;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU8;

use http::request::Parts;
use portcullis_core::{AuthError, ConfigError};

pub use self::header::ForwardingHeader;
use self::proxies::Proxies;

/// Finds the address of the client: that of the connection's peer, or what proxies that are *known* say in
/// `X-Forwarded-For` or `Forwarded` (RFC 7239). For throttles, lists of allowed networks, and logs.
///
/// # Decision rules
///
/// 1. **Nothing is believed by default.** [`peer`](Self::peer) answers with the peer, whatever the header says.
/// 2. One header is read, the one that was chosen. A proxy that sets one of them lets the other through as it
///    came.
/// 3. It is read from the right: what stands to the left of what a known proxy added was written by anybody, and is
///    not looked at. Several fields of the name are one list.
/// 4. [`behind_hops`](Self::behind_hops): the entry that the outermost of so many proxies added, counted from the
///    right. A request with fewer entries is refused.
/// 5. [`behind_proxies`](Self::behind_proxies): where the peer is no known proxy, the peer, whatever the header says.
///    Where it is one, the first entry from the right that is none; where all of them are, the leftmost;
///    where there is no header, the peer: a request of the proxy itself.
/// 6. An entry that is reached and is no address is a refusal: `unknown`, `_hidden`, a name, an address with
///    anything around it. A port is fine; brackets are needed around an IPv6 address that has one, and in
///    `Forwarded` always.
/// 7. An IPv4 address in its IPv6 form is answered, and compared, as an IPv4 address.
///
/// # What this trusts
///
/// That every known proxy *appends* the address of its own peer, or sets the header anew. By hops: that the service
/// cannot be reached around them, or whoever does so writes his address himself. By list: everybody in these
/// networks.
///
/// # What this does not check
///
/// That the peer's address, which whoever accepted the connection has to give, is the peer's.
///
/// ```
/// use portcullis_tower::client_address::{ClientAddress, ForwardingHeader};
///
/// let proxy = "10.0.0.2".parse()?;
/// let request = http::Request::builder().header("x-forwarded-for", "6.6.6.6, 192.0.2.7");
/// let (parts, ()) = request.body(())?.into_parts();
///
/// let client = ClientAddress::behind_proxies(ForwardingHeader::XForwardedFor, ["10.0.0.0/8"])?;
/// assert_eq!(client.find(&parts, proxy)?.to_string(), "192.0.2.7");
/// // Whoever is no proxy says nothing about others.
/// let stranger = "198.51.100.1".parse()?;
/// assert_eq!(client.find(&parts, stranger)?, stranger);
/// // And unless configured, nobody does.
/// assert_eq!(ClientAddress::peer().find(&parts, proxy)?, proxy);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ClientAddress(Trust);

#[derive(Clone, Debug, Default)]
enum Trust {
    #[default]
    Nobody,
    Hops(ForwardingHeader, usize),
    Proxies(ForwardingHeader, Proxies),
}

impl ClientAddress {
    /// Answers with the peer. The default.
    pub const fn peer() -> Self {
        Self(Trust::Nobody)
    }

    /// Believes `header` as far as the last `hops` proxies wrote it: 1 is the proxy that connects to this service.
    /// One too many, and every client writes his address himself.
    pub fn behind_hops(header: ForwardingHeader, hops: NonZeroU8) -> Self {
        Self(Trust::Hops(header, hops.get().into()))
    }

    /// Believes `header` as far as proxies in these networks wrote it: addresses such as `10.0.0.2`, and networks
    /// such as `10.0.0.0/8` or `2001:db8::/32`.
    ///
    /// # Errors
    ///
    /// When there are none, or one is no network: unreadable, a length out of range or with leading zeros, bits
    /// beyond the length, or an IPv4 network in its IPv6 form. A network of length 0 is everybody, and refused.
    pub fn behind_proxies<'a>(
        header: ForwardingHeader,
        networks: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ConfigError> {
        let proxies = Proxies::parse(networks)?;
        Ok(Self(Trust::Proxies(header, proxies)))
    }

    /// The address of the client whose request came from `peer`.
    ///
    /// # Errors
    ///
    /// When a proxy that is believed does not say an address.
    pub fn find(&self, parts: &Parts, peer: IpAddr) -> Result<IpAddr, UnknownClient> {
        let peer = peer.to_canonical();
        match &self.0 {
            Trust::Nobody => Ok(peer),
            Trust::Hops(header, hops) => {
                let mut written = header.entries_backwards(parts);
                let mut client = peer;
                for _ in 0..*hops {
                    client = written.next().ok_or(UnknownClient::TooFew)??;
                }
                Ok(client)
            }
            Trust::Proxies(header, proxies) => {
                let mut client = peer;
                let mut written = header.entries_backwards(parts);
                while proxies.contain(client) {
                    match written.next() {
                        Some(entry) => client = entry?,
                        None => break,
                    }
                }
                Ok(client)
            }
        }
    }
}

/// Proxies that are believed do not say whose request they pass on. As an [`AuthError`] it is an invalid request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnknownClient {
    /// There are fewer entries than proxies: the request came around one of them.
    TooFew,
    /// An entry is no address.
    Unreadable,
}

impl fmt::Display for UnknownClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooFew => "fewer proxies than expected say whose request it is",
            Self::Unreadable => "a proxy does not say an address",
        })
    }
}

impl Error for UnknownClient {}

impl From<UnknownClient> for AuthError {
    fn from(unknown: UnknownClient) -> Self {
        Self::invalid_request("unknown_client_address").with_source(unknown)
    }
}
