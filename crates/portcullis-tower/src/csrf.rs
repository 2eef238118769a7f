//! Cross-site request forgery: a decision over a request's head, without tokens.
//!
//! Only requests that carry an *ambient* credential can be forged: a browser attaches cookies and
//! client certificates to whatever any site makes it send. [`AuthenticateLayer`](crate::AuthenticateLayer)
//! asks this module before it verifies such a credential, and never for explicit ones.
//!
//! # Decision rules
//!
//! In this order:
//!
//! 1. A safe method (GET, HEAD, OPTIONS) that is no upgrade passes. A WebSocket handshake is a GET that
//!    browsers send across sites without asking, so an upgrade does not.
//! 2. `Sec-Fetch-Site: same-origin` or `none` passes. Any other value, unknown ones included, is refused
//!    unless `Origin` is a trusted origin. `same-site` is refused: a sibling domain is not this site.
//! 3. Without `Sec-Fetch-Site`, `Origin` must be the configured external origin, or a trusted one. With no
//!    external origin configured, its authority must be that of the request (`:authority` or `Host`).
//!    `null` is refused.
//! 4. With neither header, the request is refused: its credential is ambient, and a browser that sends
//!    neither cannot be told from an attack.
//!
//! The order is that of Go's `net/http.CrossOriginProtection` and `tower_http::csrf`. They differ from
//! this in three points, on purpose: they let upgrades pass (rule 1), compare with `Host` even where the
//! external origin is known (rule 3), and let requests with neither header pass (rule 4), which they must,
//! not knowing whether a credential is ambient.
//!
//! # What this trusts
//!
//! The browser's `Sec-Fetch-Site` and `Origin`, which scripts cannot forge; and, with no external origin
//! configured, that a proxy in front passes `Host` on unchanged.

use std::fmt;

use http::header::{HOST, HeaderName, ORIGIN, UPGRADE};
use http::request::Parts;
use http::{Method, Uri};
use portcullis_core::ConfigError;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The header fields this decision reads, for `Vary`.
pub(crate) static INSPECTED: [HeaderName; 2] = [ORIGIN, SEC_FETCH_SITE];

/// Which origins this service's own pages come from.
///
/// ```
/// use portcullis_tower::csrf::OriginPolicy;
///
/// let policy = OriginPolicy::new().external_origin("https://app.example")?;
/// assert!(OriginPolicy::new().external_origin("https://app.example/path").is_err());
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct OriginPolicy {
    external: Option<Box<str>>,
    trusted: Vec<Box<str>>,
}

impl OriginPolicy {
    /// Compares `Origin` with the request's own authority and trusts no other.
    pub const fn new() -> Self {
        Self {
            external: None,
            trusted: Vec::new(),
        }
    }

    /// Says under which origin browsers see this service: scheme, host and port, such as
    /// `https://app.example`. Behind a proxy that changes `Host`, this is needed.
    ///
    /// # Errors
    ///
    /// When it is not an origin: a path, query, fragment, user or trailing slash, or another scheme.
    pub fn external_origin(mut self, origin: &str) -> Result<Self, ConfigError> {
        self.external = Some(parse_origin(origin)?);
        Ok(self)
    }

    /// Lets requests from one more origin through, compared exactly; there are no patterns.
    ///
    /// # Errors
    ///
    /// As [`external_origin`](Self::external_origin).
    pub fn trust_origin(mut self, origin: &str) -> Result<Self, ConfigError> {
        self.trusted.push(parse_origin(origin)?);
        Ok(self)
    }

    /// Decides about a request whose credential is ambient.
    ///
    /// # Errors
    ///
    /// When the request may have been provoked by another site.
    pub fn check(&self, parts: &Parts) -> Result<(), CrossSiteRequest> {
        let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if safe && !parts.headers.contains_key(UPGRADE) {
            return Ok(());
        }
        let origin = single(parts, &ORIGIN)?;
        match single(parts, &SEC_FETCH_SITE)? {
            Some(b"same-origin" | b"none") => Ok(()),
            Some(_) if self.trusts(origin) => Ok(()),
            Some(_) => Err(CrossSiteRequest),
            None if self.trusts(origin) || self.is_own(origin, parts) => Ok(()),
            None => Err(CrossSiteRequest),
        }
    }

    fn trusts(&self, origin: Option<&[u8]>) -> bool {
        origin.is_some_and(|origin| self.trusted.iter().any(|trusted| trusted.as_bytes() == origin))
    }

    fn is_own(&self, origin: Option<&[u8]>, parts: &Parts) -> bool {
        let Some(origin) = origin else {
            return false;
        };
        match &self.external {
            Some(external) => external.as_bytes() == origin,
            None => has_own_authority(origin, parts),
        }
    }
}

/// Whether `origin` names the authority that the request was sent to.
fn has_own_authority(origin: &[u8], parts: &Parts) -> bool {
    let authority = match parts.uri.authority() {
        Some(authority) => Some(authority.as_str().as_bytes()),
        None => single(parts, &HOST).unwrap_or(None),
    };
    let origin = Uri::try_from(origin).ok().filter(|origin| {
        matches!(origin.scheme_str(), Some("http" | "https")) && matches!(origin.path(), "" | "/")
    });
    match (origin.as_ref().and_then(Uri::authority), authority) {
        (Some(origin), Some(own)) => origin.as_str().as_bytes() == own,
        _ => false,
    }
}

/// The one value of a field; none when it is absent or empty.
fn single<'p>(parts: &'p Parts, name: &HeaderName) -> Result<Option<&'p [u8]>, CrossSiteRequest> {
    let mut values = parts.headers.get_all(name).iter();
    let value = values.next().map(|value| value.as_bytes());
    match values.next() {
        Some(_) => Err(CrossSiteRequest),
        None => Ok(value.filter(|value| !value.is_empty())),
    }
}

fn parse_origin(origin: &str) -> Result<Box<str>, ConfigError> {
    let uri = Uri::try_from(origin).ok();
    let rebuilt = uri.as_ref().and_then(|uri| {
        let scheme = uri
            .scheme_str()
            .filter(|scheme| matches!(*scheme, "http" | "https"))?;
        Some(format!("{scheme}://{}", uri.authority()?))
    });
    let plain = !origin
        .bytes()
        .any(|byte| byte.is_ascii_uppercase() || matches!(byte, b'@' | b'*'));
    match rebuilt {
        Some(rebuilt) if rebuilt == origin && plain => Ok(origin.into()),
        _ => Err(ConfigError::new(
            "an origin is a scheme, a host and perhaps a port, in lower case: https://app.example",
        )),
    }
}

/// A request with an ambient credential that another site may have provoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrossSiteRequest;

impl fmt::Display for CrossSiteRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request may have been provoked by another site")
    }
}

impl std::error::Error for CrossSiteRequest {}

#[cfg(test)]
mod tests;
