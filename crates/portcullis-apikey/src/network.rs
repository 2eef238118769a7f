//! Networks that a key may be used from.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use http::request::Parts;
use portcullis_core::ConfigError;

/// The address of the peer, in the extensions of a request: put there by whoever accepted the connection, or by
/// a layer that knows which proxies to believe.
///
/// Nothing in this crate reads `X-Forwarded-For` or `Forwarded`: anybody can send these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)] // A wrapper, written out where it is used.
pub struct PeerAddress(pub IpAddr);

/// Finds the address of the peer.
pub(crate) type FindPeer = Arc<dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync>;

/// A network: an address and how many of its bits count (RFC 4632 §3.1, RFC 4291 §2.3).
///
/// Strict: the bits that do not count are zero, and numbers have no leading zeros. An IPv4 network is written as
/// one, not as part of `::ffff:0:0/96`; a peer whose IPv4 address arrives in that form is taken for what it is.
///
/// ```
/// use portcullis_apikey::Network;
///
/// let office: Network = "192.0.2.0/24".parse()?;
/// assert!(office.contains("192.0.2.7".parse()?));
/// assert!(office.contains("::ffff:192.0.2.7".parse()?));
/// assert!(!office.contains("192.0.3.7".parse()?));
/// assert!("192.0.2.7/24".parse::<Network>().is_err(), "bits that do not count");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// The network of the first `bits` bits of `address`.
    ///
    /// # Errors
    ///
    /// When there are fewer bits than that, others are set, or an IPv4 address is written as an IPv6 one.
    pub fn new(address: IpAddr, bits: u8) -> Result<Self, ConfigError> {
        let mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
        if mapped {
            return Err(ConfigError::new("an IPv4 network is written as such"));
        }
        let host = match address {
            IpAddr::V4(v4) if bits <= 32 => u128::from(v4.to_bits() & !mask_v4(bits)),
            IpAddr::V6(v6) if bits <= 128 => v6.to_bits() & !mask_v6(bits),
            _ => return Err(ConfigError::new("a network counts more bits than an address has")),
        };
        if host != 0 {
            return Err(ConfigError::new("a network's address has bits that do not count"));
        }
        Ok(Self { address, bits })
    }

    /// Whether `peer` is in it.
    #[must_use]
    pub fn contains(&self, peer: IpAddr) -> bool {
        match (self.address, peer.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(peer)) => own.to_bits() == peer.to_bits() & mask_v4(self.bits),
            (IpAddr::V6(own), IpAddr::V6(peer)) => own.to_bits() == peer.to_bits() & mask_v6(self.bits),
            _ => false,
        }
    }
}

fn mask_v4(bits: u8) -> u32 {
    u32::MAX
        .checked_shl(u32::BITS.saturating_sub(bits.into()))
        .unwrap_or(0)
}

fn mask_v6(bits: u8) -> u128 {
    u128::MAX
        .checked_shl(u128::BITS.saturating_sub(bits.into()))
        .unwrap_or(0)
}

impl FromStr for Network {
    type Err = ConfigError;

    /// An address, or an address and the number of its bits: `192.0.2.7`, `2001:db8::/32`.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let unreadable = || ConfigError::new("a network is written as 192.0.2.0/24 or 2001:db8::/32");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address = match address.parse::<Ipv4Addr>() {
            Ok(v4) => IpAddr::V4(v4),
            Err(_) => IpAddr::V6(address.parse::<Ipv6Addr>().map_err(|_| unreadable())?),
        };
        let bits = match bits {
            None if address.is_ipv4() => 32,
            None => 128,
            Some(text) => number(text).ok_or_else(unreadable)?,
        };
        Self::new(address, bits)
    }
}

/// Digits only, and no leading zero.
fn number(text: &str) -> Option<u8> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The networks that a key may be used from. None are listed: any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Option<Arc<[Network]>>);

impl Networks {
    /// Any network.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Whether a request from `peer` is allowed. Where networks are listed and the peer is unknown, it is not.
    #[must_use]
    pub fn allow(&self, peer: Option<IpAddr>) -> bool {
        let Some(networks) = &self.0 else { return true };
        peer.is_some_and(|peer| networks.iter().any(|network| network.contains(peer)))
    }

    /// Whether any is listed.
    #[must_use]
    pub const fn are_limited(&self) -> bool {
        self.0.is_some()
    }

    /// Those that are listed.
    pub fn iter(&self) -> impl Iterator<Item = &Network> {
        self.0.as_deref().unwrap_or_default().iter()
    }
}

impl FromIterator<Network> for Networks {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        let networks: Arc<[Network]> = networks.into_iter().collect();
        Self((!networks.is_empty()).then_some(networks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    #[test]
    fn a_network_has_one_spelling() {
        for good in [
            "0.0.0.0/0",
            "10.0.0.0/8",
            "192.0.2.7/32",
            "192.0.2.7",
            "::/0",
            "2001:db8::/32",
            "::1",
        ] {
            assert!(good.parse::<Network>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "10.0.0.1/8",
            "010.0.0.0/8",
            "10.0.0/8",
            " 10.0.0.0/8",
            "10.0.0.0/8 ",
            "2001:db8::/129",
            "2001:db8::1/32",
            "::ffff:10.0.0.0/104",
            "::ffff:0:0/96",
            "[::1]/128",
            "fe80::1%eth0",
            "10.0.0.0/8/8",
            "localhost",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_peer_at_either_edge_is_inside_and_its_neighbour_is_not() {
        let network: Network = "192.0.2.64/26".parse().expect("a network");
        for inside in ["192.0.2.64", "192.0.2.127", "::ffff:192.0.2.64"] {
            assert!(network.contains(address(inside)), "{inside}");
        }
        for outside in [
            "192.0.2.63",
            "192.0.2.128",
            "::ffff:192.0.2.63",
            "::192.0.2.64",
            "2002:c000:240::",
        ] {
            assert!(!network.contains(address(outside)), "{outside}");
        }
        let network: Network = "2001:db8::/33".parse().expect("a network");
        assert!(
            network.contains(address("2001:db8:7fff::1")) && !network.contains(address("2001:db8:8000::"))
        );
        let everything: Network = "0.0.0.0/0".parse().expect("a network");
        assert!(everything.contains(address("255.255.255.255")) && !everything.contains(address("::1")));
    }

    #[test]
    fn where_networks_are_listed_an_unknown_peer_is_outside() {
        let listed: Networks = ["10.0.0.0/8".parse().expect("a network")].into_iter().collect();
        assert!(listed.allow(Some(address("10.1.2.3"))));
        assert!(!listed.allow(Some(address("11.1.2.3"))) && !listed.allow(None));
        assert!(Networks::any().allow(None) && Networks::any().allow(Some(address("11.1.2.3"))));
    }
}
