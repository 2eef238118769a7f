//! Where an attempt comes from.

use std::net::IpAddr;

/// An IPv4 address, or the network of an IPv6 address: whoever has one address there has all of them.
pub(super) struct Source(Vec<u8>);

impl Source {
    /// The source of `address`, with so many bits of an IPv6 address, up to 64. An IPv4 address that arrives in
    /// its IPv6 form (RFC 4291 §2.5.5.2) is what it is.
    pub(super) fn new(address: IpAddr, ipv6_prefix: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self([&b"4"[..], &v4.octets()].concat()),
            IpAddr::V6(v6) => {
                let shift = 128_u32.saturating_sub(ipv6_prefix.into());
                let network = v6.to_bits() & u128::MAX.checked_shl(shift).unwrap_or_default();
                let bytes = network.to_be_bytes();
                Self(std::iter::once(b'6').chain(bytes.into_iter().take(8)).collect())
            }
        }
    }

    /// The family and then the address. The family tells how long it is.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
