//! What the server asks for: `WWW-Authenticate` (RFC 9110 §11.6.1), rendered and parsed.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue};

use crate::scheme::is_token;
use crate::{ConfigError, Scheme};

mod parse;

pub use self::parse::InvalidChallenge;

/// One challenge: a scheme and its parameters, in order.
///
/// A challenge that is sent always has at least one parameter (RFC 6750 §3; RFC 9110 would allow
/// none). Names are compared without case and occur once. Every value is written as a quoted-string,
/// which RFC 9110 §11.5 demands of `realm` and every parser accepts of the others.
///
/// ```
/// use portcullis_core::{Challenge, Scheme};
///
/// let challenge = Challenge::new(Scheme::BEARER)
///     .realm("invoices")?
///     .param("scope", "invoices:read")?;
/// assert_eq!(challenge.to_string(), r#"Bearer realm="invoices", scope="invoices:read""#);
/// assert!(Challenge::new(Scheme::BEARER).realm("line\nbreak").is_err());
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Challenge {
    scheme: Scheme,
    params: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    token68: Option<String>,
}

impl Challenge {
    /// A challenge without parameters yet.
    pub const fn new(scheme: Scheme) -> Self {
        Self {
            scheme,
            params: Vec::new(),
            token68: None,
        }
    }

    /// What a place that reads the cookie `name` asks for: `Cookie realm="api", cookie-name="…"`.
    ///
    /// # Errors
    ///
    /// When `name` is empty or cannot be a cookie's name (RFC 6265 §4.1.1).
    pub fn cookie(name: &str) -> Result<Self, ConfigError> {
        if !is_token(name.as_bytes()) {
            return Err(ConfigError::new("a cookie's name is a token (RFC 6265 §4.1.1)"));
        }
        Self::new(Scheme::COOKIE).realm("api")?.param("cookie-name", name)
    }

    /// Adds the protection space (RFC 9110 §11.5).
    ///
    /// # Errors
    ///
    /// As [`param`](Self::param).
    pub fn realm(self, realm: &str) -> Result<Self, ConfigError> {
        self.param("realm", realm)
    }

    /// Adds a parameter.
    ///
    /// # Errors
    ///
    /// When the name is not a token or is already there; when the value holds anything but visible
    /// ASCII and spaces; when the value of `error`, `error_description` or `scope` holds `"` or `\`
    /// (RFC 6750 §3).
    pub fn param(mut self, name: &str, value: &str) -> Result<Self, ConfigError> {
        if !is_token(name.as_bytes()) {
            return Err(ConfigError::new("a challenge parameter's name must be a token"));
        }
        if self.get(name).is_some() {
            return Err(ConfigError::new("a challenge parameter may occur once only"));
        }
        if !is_allowed(name, value) {
            return Err(ConfigError::new(
                "a challenge parameter's value holds a character that may not stand there",
            ));
        }
        self.params
            .push((Cow::Owned(name.to_owned()), Cow::Owned(value.to_owned())));
        Ok(self)
    }

    /// Replaces or adds a parameter whose value is known to be allowed; anything else is left out,
    /// for a refusal must not fail.
    fn set(&mut self, name: &'static str, value: Cow<'static, str>) {
        if !is_allowed(name, &value) {
            return;
        }
        match self
            .params
            .iter_mut()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
        {
            Some((_, old)) => *old = value,
            None => self.params.push((Cow::Borrowed(name), value)),
        }
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The value of a parameter, its name compared without case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.params()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The parameters in order.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params
            .iter()
            .map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// The token68 that stands in place of parameters, in a challenge that was
    /// [parsed](Self::parse): we never send one.
    #[must_use]
    pub fn token68(&self) -> Option<&str> {
        self.token68.as_deref()
    }

    fn to_header_value(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(self.to_string()).ok()
    }
}

impl fmt::Display for Challenge {
    /// The form of RFC 9110 §11.6.1, for one `WWW-Authenticate` field line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme.as_str())?;
        if let Some(token68) = &self.token68 {
            return write!(f, " {token68}");
        }
        let mut separator = " ";
        for (name, value) in self.params() {
            write!(f, "{separator}{name}=\"")?;
            for character in value.chars() {
                if matches!(character, '"' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{character}")?;
            }
            f.write_str("\"")?;
            separator = ", ";
        }
        Ok(())
    }
}

/// RFC 6750 §3: these three may hold neither `"` nor `\`, so that no escaping is ever needed.
fn is_allowed(name: &str, value: &str) -> bool {
    let strict = ["error", "error_description", "scope"]
        .iter()
        .any(|strict| strict.eq_ignore_ascii_case(name));
    value
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && !(strict && matches!(byte, b'"' | b'\\')))
}

/// The challenges of one protected place, rendered once and cloned by count.
///
/// `Bearer` comes first, because some clients (the official MCP client among them) read only the
/// first; otherwise the order is kept. Each becomes a `WWW-Authenticate` field line of its own.
///
/// ```
/// use portcullis_core::{Challenge, Challenges, Scheme};
///
/// let challenges = Challenges::new([
///     Challenge::new(Scheme::API_KEY).realm("invoices")?,
///     Challenge::new(Scheme::BEARER).realm("invoices")?,
/// ])?;
/// assert_eq!(challenges.iter().next().unwrap().scheme(), &Scheme::BEARER);
/// assert!(Challenges::new([Challenge::new(Scheme::BEARER)]).is_err(), "no parameter");
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Challenges(Arc<[Rendered]>);

#[derive(Clone)]
struct Rendered {
    challenge: Challenge,
    value: HeaderValue,
}

/// What a refusal adds to a challenge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict<'a> {
    /// The scheme that was used; the additions go to its challenge. `None`: to the first.
    pub(crate) scheme: Option<&'a Scheme>,
    pub(crate) error: Option<&'static str>,
    pub(crate) scope: Option<&'a str>,
    pub(crate) acr_values: Option<&'a str>,
    pub(crate) max_age: Option<u64>,
    /// Whether challenges of other schemes are sent as well.
    pub(crate) others: bool,
}

impl Challenges {
    /// Renders a list of challenges.
    ///
    /// # Errors
    ///
    /// When the list is empty (a 401 must carry a challenge), or one of them has no parameter.
    pub fn new(challenges: impl IntoIterator<Item = Challenge>) -> Result<Self, ConfigError> {
        let mut list = Vec::<Rendered>::new();
        for challenge in challenges {
            if challenge.params.is_empty() {
                return Err(ConfigError::new(
                    "a challenge needs at least one parameter, such as a realm (RFC 6750 §3)",
                ));
            }
            if list.iter().any(|known| known.challenge == challenge) {
                continue;
            }
            let value = challenge
                .to_header_value()
                .ok_or_else(|| ConfigError::new("a challenge cannot be written into a header"))?;
            list.push(Rendered { challenge, value });
        }
        if list.is_empty() {
            return Err(ConfigError::new("a protected place needs at least one challenge"));
        }
        list.sort_by_key(|rendered| rendered.challenge.scheme != Scheme::BEARER);
        Ok(Self(list.into()))
    }

    /// The challenges of several methods as one list; equal ones appear once.
    #[must_use]
    pub(crate) fn merged<'a>(lists: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut merged = Vec::<Rendered>::new();
        for rendered in lists.into_iter().flat_map(|list| list.0.iter()) {
            if !merged.iter().any(|known| known.challenge == rendered.challenge) {
                merged.push(rendered.clone());
            }
        }
        merged.sort_by_key(|rendered| rendered.challenge.scheme != Scheme::BEARER);
        Self(merged.into())
    }

    /// The challenges, `Bearer` first.
    pub fn iter(&self) -> impl Iterator<Item = &Challenge> {
        self.0.iter().map(|rendered| &rendered.challenge)
    }

    /// Whether credentials of `scheme` are asked for.
    #[must_use]
    pub fn accepts(&self, scheme: &str) -> bool {
        self.iter().any(|challenge| challenge.scheme.matches(scheme))
    }

    /// Adds one `WWW-Authenticate` field line per challenge.
    pub(crate) fn write(&self, verdict: &Verdict<'_>, headers: &mut HeaderMap) {
        let chosen = verdict
            .scheme
            .and_then(|scheme| self.iter().position(|challenge| challenge.scheme == *scheme))
            .unwrap_or(0);
        for (index, rendered) in self.0.iter().enumerate() {
            if index == chosen && verdict.error.is_some() {
                if let Some(value) = rendered.challenge.with(verdict).to_header_value() {
                    headers.append(WWW_AUTHENTICATE, value);
                }
            } else if verdict.others {
                headers.append(WWW_AUTHENTICATE, rendered.value.clone());
            }
        }
    }
}

impl Challenge {
    fn with(&self, verdict: &Verdict<'_>) -> Self {
        let mut challenge = self.clone();
        if let Some(error) = verdict.error {
            challenge.set("error", Cow::Borrowed(error));
        }
        if let Some(scope) = verdict.scope {
            challenge.set("scope", Cow::Owned(scope.to_owned()));
        }
        if let Some(acr_values) = verdict.acr_values {
            challenge.set("acr_values", Cow::Owned(acr_values.to_owned()));
        }
        if let Some(max_age) = verdict.max_age {
            challenge.set("max_age", Cow::Owned(max_age.to_string()));
        }
        challenge
    }
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(ToString::to_string))
            .finish()
    }
}

#[cfg(test)]
mod tests;
