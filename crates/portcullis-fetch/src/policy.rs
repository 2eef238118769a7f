//! Where requests may go.

use std::net::IpAddr;

use http::Uri;
use portcullis_core::ConfigError;
use url::{Host, Origin, Url};

use crate::FetchError;
use crate::address::is_public;

/// Where requests may go (the rules against server-side request forgery).
///
/// # Decision rules
///
/// 1. The URL is absolute, without user information and without fragment.
/// 2. An [origin the operator configured](Self::trust_origin) or a
///    [host the operator listed](Self::allow_host): yes, by `https`, wherever it is, also inside a
///    cluster.
/// 3. Plain `http`: no; yes to `localhost`, `127.0.0.0/8` and `::1` with the
///    [switch for development](Self::allow_http_loopback).
/// 4. Any other host came out of data, such as a discovery document: yes if it is public. An address
///    must belong to the public internet; a name must have a dot and not end in `localhost`, `local`,
///    `internal`, `localdomain` or `home.arpa`, and every address it resolves to is judged again
///    ([`Trust::permits`]).
///
/// Hosts are compared after normalisation by the WHATWG URL standard, so that `0x7f.1`, `127.1` and
/// `127.0.0.1` are one host, as are the two spellings of an internationalised name.
///
/// ```
/// use portcullis_fetch::{Destinations, Trust};
///
/// let destinations = Destinations::new().trust_origin("https://login.internal:8443/realm")?;
/// let configured = destinations.check(&"https://login.internal:8443/jwks".parse()?)?;
/// assert_eq!(configured, Trust::Configured);
/// assert_eq!(destinations.check(&"https://keys.example.com/".parse()?)?, Trust::Public);
/// assert!(destinations.check(&"https://169.254.169.254/".parse()?).is_err());
/// assert!(destinations.check(&"http://keys.example.com/".parse()?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Destinations {
    http_loopback: bool,
    origins: Vec<Origin>,
    hosts: Vec<Host>,
}

/// Why a destination is acceptable, and so which addresses it may resolve to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trust {
    /// The operator named it. It may be anywhere.
    Configured,
    /// It is this machine, by plain `http`, for development.
    Loopback,
    /// It came out of data. It must be on the public internet.
    Public,
}

impl Trust {
    /// Whether a connection to `address` is acceptable. To be asked of every address after name
    /// resolution, and then *that* address connected to: a second resolution may answer differently.
    #[must_use]
    pub const fn permits(self, address: IpAddr) -> bool {
        match self {
            Self::Configured => true,
            Self::Loopback => address.is_loopback(),
            Self::Public => is_public(address),
        }
    }
}

impl Destinations {
    /// `https` to public hosts.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            http_loopback: false,
            origins: Vec::new(),
            hosts: Vec::new(),
        }
    }

    /// Trusts the origin (scheme, host, port) of a URL that the operator configured, such as an
    /// issuer's, wherever it is. Path and query are ignored. Plain `http` needs
    /// [the switch](Self::allow_http_loopback) all the same.
    ///
    /// # Errors
    ///
    /// When it is no URL with a host, or has user information.
    pub fn trust_origin(mut self, url: &str) -> Result<Self, ConfigError> {
        let url = Url::parse(url)
            .map_err(|error| ConfigError::new("a trusted origin is a URL with a host").with_source(error))?;
        if !url.has_host() || !matches!(url.scheme(), "https" | "http") {
            return Err(ConfigError::new("a trusted origin is an `https` URL with a host"));
        }
        if has_user_information(&url) {
            return Err(ConfigError::new("a trusted origin has no user information"));
        }
        self.origins.push(url.origin());
        Ok(self)
    }

    /// Lets requests go to a host by `https`, on any port, wherever it is. A name or an address, no URL.
    ///
    /// # Errors
    ///
    /// When it is neither a name nor an address.
    pub fn allow_host(mut self, host: &str) -> Result<Self, ConfigError> {
        let host = Host::parse(host).map_err(|error| {
            ConfigError::new("an allowed host is a name or an address").with_source(error)
        })?;
        self.hosts.push(host);
        Ok(self)
    }

    /// Lets plain `http` reach this machine. For development: whatever else listens here can then be
    /// reached through URLs that came out of data.
    #[must_use]
    pub const fn allow_http_loopback(mut self) -> Self {
        self.http_loopback = true;
        self
    }

    /// Whether plain `http` may reach this machine.
    #[must_use]
    pub const fn allows_http_loopback(&self) -> bool {
        self.http_loopback
    }

    /// Whether a request may go to `uri`. Judges names by their spelling only: see [`Trust::permits`]
    /// for the addresses behind them. For URLs that are still text, [`admit`](Self::admit) sees more.
    ///
    /// # Errors
    ///
    /// [`RefusedDestination`](crate::FetchErrorKind::RefusedDestination).
    pub fn check(&self, uri: &Uri) -> Result<Trust, FetchError> {
        self.normalise(uri).map(|(_, trust)| trust)
    }

    /// Reads a URL that came as text, from a configuration or a document: normalised and checked.
    ///
    /// A [`Uri`] drops the fragment when it is parsed, and nobody notices; this refuses one.
    ///
    /// ```
    /// use portcullis_fetch::Destinations;
    ///
    /// let destinations = Destinations::new();
    /// assert_eq!(destinations.admit("https://Keys.example.com/a/../b")?, "https://keys.example.com/b");
    /// assert!(destinations.admit("https://keys.example.com/b#c").is_err());
    /// # Ok::<(), portcullis_fetch::FetchError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check), and when it is no absolute URL.
    pub fn admit(&self, url: &str) -> Result<Uri, FetchError> {
        let url = Url::parse(url)
            .map_err(|error| FetchError::refused("the URL cannot be read").with_source(error))?;
        self.check_url(&url)?;
        uri_of(&url)
    }

    /// The URL that is sent, and why it may be.
    pub(crate) fn normalise(&self, uri: &Uri) -> Result<(Url, Trust), FetchError> {
        let url = Url::parse(&uri.to_string())
            .map_err(|error| FetchError::refused("the URL cannot be read").with_source(error))?;
        let trust = self.check_url(&url)?;
        Ok((url, trust))
    }

    fn check_url(&self, url: &Url) -> Result<Trust, FetchError> {
        let host = url.host().ok_or(FetchError::refused("the URL has no host"))?;
        if has_user_information(url) {
            return Err(FetchError::refused("the URL has user information"));
        }
        if url.fragment().is_some() {
            return Err(FetchError::refused("the URL has a fragment"));
        }
        match url.scheme() {
            "https" => self.check_https(url, &host),
            "http" if !self.http_loopback => Err(FetchError::refused("the URL is not https")),
            "http" if is_this_machine(&host) => Ok(Trust::Loopback),
            "http" => Err(FetchError::refused(
                "the URL is not https, and not on this machine",
            )),
            _ => Err(FetchError::refused("the URL is not https")),
        }
    }

    fn check_https(&self, url: &Url, host: &Host<&str>) -> Result<Trust, FetchError> {
        if self.origins.contains(&url.origin()) || self.hosts.iter().any(|listed| listed == host) {
            return Ok(Trust::Configured);
        }
        let public = match host {
            Host::Domain(name) => is_public_name(name),
            Host::Ipv4(address) => is_public(IpAddr::V4(*address)),
            Host::Ipv6(address) => is_public(IpAddr::V6(*address)),
        };
        if public {
            Ok(Trust::Public)
        } else {
            Err(FetchError::refused("the host is neither configured nor public"))
        }
    }
}

pub(crate) fn uri_of(url: &Url) -> Result<Uri, FetchError> {
    url.as_str().parse().map_err(|error: http::uri::InvalidUri| {
        FetchError::refused("the URL cannot be sent").with_source(error)
    })
}

fn has_user_information(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Names that only some networks know (RFC 6761, RFC 6762, RFC 8375, RFC 9476 and custom).
const LOCAL_SUFFIXES: [&str; 5] = ["localhost", "local", "internal", "localdomain", "home.arpa"];

fn is_public_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_within = |suffix: &str| {
        name.strip_suffix(suffix)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    name.contains('.') && !LOCAL_SUFFIXES.into_iter().any(is_within)
}

#[cfg(test)]
mod tests;
