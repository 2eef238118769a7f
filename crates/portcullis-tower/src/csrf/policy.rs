use std::fmt;

use http::header::{COOKIE, HOST, HeaderName, ORIGIN, UPGRADE};
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

    /// Whether a request of this kind can do harm: an unsafe method, or an upgrade. Others pass without a look at where they
    /// come from.
    #[must_use]
    pub fn concerns(parts: &Parts) -> bool {
        let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        !safe || parts.headers.contains_key(UPGRADE)
    }

    /// The header fields that are looked at, for `Vary`.
    #[must_use]
    pub const fn inspected_headers() -> &'static [HeaderName] {
        &INSPECTED
    }

    /// Decides about a request whose credential is ambient.
    ///
    /// # Errors
    ///
    /// When the request may have been provoked by another site.
    pub fn check(&self, parts: &Parts) -> Result<(), CrossSiteRequest> {
        match self.judge(parts) {
            Err(refusal) if refusal.is_unattested() && TokenVerified::is_in(parts) => Ok(()),
            verdict => verdict,
        }
    }

    /// Decides about a request that may *create* an ambient credential: as [`check`](Self::check), but one with
    /// neither header passes where it brings no cookie at all.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn check_creating(&self, parts: &Parts) -> Result<(), CrossSiteRequest> {
        match self.check(parts) {
            Err(refusal) if refusal.is_unattested() && !parts.headers.contains_key(COOKIE) => Ok(()),
            verdict => verdict,
        }
    }

    fn judge(&self, parts: &Parts) -> Result<(), CrossSiteRequest> {
        if !Self::concerns(parts) {
            return Ok(());
        }
        let origin = single(parts, &ORIGIN)?;
        match (single(parts, &SEC_FETCH_SITE)?, origin) {
            (Some(b"same-origin" | b"none"), _) => Ok(()),
            (None, None) => Err(CrossSiteRequest { unattested: true }),
            (None, Some(_)) if self.is_own(origin, parts) => Ok(()),
            _ if self.trusts(origin) => Ok(()),
            _ => Err(CrossSiteRequest::ATTESTED),
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
        Some(_) => Err(CrossSiteRequest::ATTESTED),
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
pub struct CrossSiteRequest {
    unattested: bool,
}

impl CrossSiteRequest {
    const ATTESTED: Self = Self { unattested: false };

    /// Whether the browser said nothing about where the request comes from, neither `Sec-Fetch-Site` nor `Origin`: an
    /// old one. A token that is bound to the session can settle it then, and only then.
    #[must_use]
    pub const fn is_unattested(&self) -> bool {
        self.unattested
    }
}

/// States, in the extensions of a request, that it brought a token which only the application's own pages know: one that is
/// bound to the session and was compared. Rule 4 passes such a request; the others do not look at it.
#[derive(Clone, Copy, Debug)]
pub struct TokenVerified(());

impl TokenVerified {
    /// States that the token **was verified**.
    #[must_use]
    pub const fn assertion() -> Self {
        Self(())
    }

    fn is_in(parts: &Parts) -> bool {
        parts.extensions.get::<Self>().is_some()
    }
}

impl fmt::Display for CrossSiteRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request may have been provoked by another site")
    }
}

impl std::error::Error for CrossSiteRequest {}
