//! Proxies that are known.

use std::net::IpAddr;

use portcullis_core::ConfigError;

/// Networks of proxies, not empty.
#[derive(Clone, Debug)]
pub(super) struct Proxies(Box<[Network]>);

impl Proxies {
    pub(super) fn parse<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, ConfigError> {
        let parsed = networks.into_iter().map(|text| {
            Network::parse(text)
                .ok_or_else(|| ConfigError::new(format!("{text:?} is no network, such as 10.0.0.0/8")))
        });
        let parsed = parsed.collect::<Result<Box<[_]>, _>>()?;
        if parsed.is_empty() {
            let message = "no proxies are named: use `ClientAddress::peer` to believe nobody";
            return Err(ConfigError::new(message));
        }
        Ok(Self(parsed))
    }

    pub(super) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// An address, and how many bits at its end are free (RFC 4632 §3.1, RFC 4291 §2.3).
#[derive(Clone, Copy, Debug)]
struct Network {
    address: IpAddr,
    free: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address = address.parse::<IpAddr>().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Some(width), |length| number(length, width))?;
        let network = Self {
            address,
            free: width.checked_sub(length)?,
        };
        let exact = bits(address) & !mask(network.free) == 0 && address.to_canonical() == address;
        exact.then_some(network)
    }

    fn contains(self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && bits(self.address) == bits(address) & mask(self.free)
    }
}

/// From 1 up to `most`, without leading zeros.
fn number(text: &str, most: u32) -> Option<u32> {
    let number = text.parse().ok().filter(|number| (1..=most).contains(number))?;
    (number.to_string() == text).then_some(number)
}

const fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits() as u128,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn mask(free: u32) -> u128 {
    u128::MAX.checked_shl(free).unwrap_or_default()
}
