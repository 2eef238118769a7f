//! Places where a credential may stand, for [`authenticate_fn`](crate::authenticate_fn).

use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderName, HeaderValue};

use crate::credentials::trim;
use crate::{
    Authorization, Challenge, Challenges, ConfigError, CookieValue, Delivery, Presence, Scheme, find_cookie,
};

/// One place where a credential may stand, and what a request without is told.
#[derive(Clone, Debug)]
#[must_use]
pub struct CredentialPlace {
    kind: Kind,
    header: [HeaderName; 1],
    scheme: Scheme,
    challenges: Challenges,
}

#[derive(Clone, Debug)]
enum Kind {
    Header,
    Cookie(Box<str>),
    Authorization,
}

const DEFAULT_REALM: &str = "api";

/// A header field of its own, such as `x-internal`. The challenge is `ApiKey realm="api", header="…"`.
///
/// The field must occur once and hold visible ASCII, without white space inside; anything else is malformed,
/// 400.
///
/// # Errors
///
/// When `name` is no header field's name, or one that has rules of its own (`authorization`, `cookie`).
pub fn header(name: &str) -> Result<CredentialPlace, ConfigError> {
    let invalid =
        || ConfigError::new("a credential's header field has a name of its own, such as x-internal");
    let name = HeaderName::try_from(name).map_err(|error| invalid().with_source(error))?;
    if name == AUTHORIZATION || name == COOKIE {
        return Err(invalid());
    }
    let challenge = Challenge::new(Scheme::API_KEY)
        .realm(DEFAULT_REALM)?
        .param("header", name.as_str())?;
    CredentialPlace::new(Kind::Header, name, challenge)
}

/// A cookie. Ambient: the layer demands that the request comes from the application's own pages. The
/// challenge is `Cookie realm="api", cookie-name="…"`.
///
/// A cookie that occurs twice counts as absent: one of the two may have been planted.
///
/// # Errors
///
/// When `name` cannot be a cookie's name.
pub fn cookie(name: &str) -> Result<CredentialPlace, ConfigError> {
    let challenge = Challenge::cookie(name)?;
    CredentialPlace::new(Kind::Cookie(name.into()), COOKIE, challenge)
}

/// `Authorization` with this scheme and a token68 behind it. The challenge is `<scheme> realm="api"`.
///
/// # Errors
///
/// None today; a constructor's signature for what is to come.
pub fn authorization(scheme: Scheme) -> Result<CredentialPlace, ConfigError> {
    let challenge = Challenge::new(scheme).realm(DEFAULT_REALM)?;
    CredentialPlace::new(Kind::Authorization, AUTHORIZATION, challenge)
}

impl CredentialPlace {
    fn new(kind: Kind, header: HeaderName, challenge: Challenge) -> Result<Self, ConfigError> {
        Ok(Self {
            kind,
            header: [header],
            scheme: challenge.scheme().clone(),
            challenges: Challenges::new([challenge])?,
        })
    }

    /// Sends this challenge instead.
    ///
    /// # Errors
    ///
    /// When it has no parameter, or another scheme than the one that is read from `Authorization`.
    pub fn with_challenge(mut self, challenge: Challenge) -> Result<Self, ConfigError> {
        if matches!(self.kind, Kind::Authorization) && *challenge.scheme() != self.scheme {
            return Err(ConfigError::new(
                "what stands in `Authorization` is asked for with its own scheme",
            ));
        }
        self.scheme = challenge.scheme().clone();
        self.challenges = Challenges::new([challenge])?;
        Ok(self)
    }

    pub(crate) const fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    pub(crate) const fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    pub(crate) const fn inspected_headers(&self) -> &[HeaderName] {
        &self.header
    }

    pub(crate) const fn delivery(&self) -> Delivery {
        match self.kind {
            Kind::Cookie(_) => Delivery::Ambient,
            Kind::Header | Kind::Authorization => Delivery::Explicit,
        }
    }

    pub(crate) fn presence(&self, parts: &Parts) -> Presence {
        match self.find(parts) {
            Ok(Some(_)) => Presence::Present(self.delivery()),
            Ok(None) => Presence::Absent,
            Err(Malformed) => Presence::Malformed,
        }
    }

    /// The credential.
    pub(crate) fn find<'r>(&self, parts: &'r Parts) -> Result<Option<&'r str>, Malformed> {
        match &self.kind {
            Kind::Header => {
                let [name] = &self.header;
                let mut values = parts.headers.get_all(name).iter();
                match (values.next(), values.next()) {
                    (None, _) => Ok(None),
                    (Some(value), None) => visible(value).map(Some),
                    (Some(_), Some(_)) => Err(Malformed),
                }
            }
            Kind::Cookie(name) => match find_cookie(&parts.headers, name) {
                CookieValue::One(value) if !value.is_empty() => Ok(Some(value)),
                CookieValue::One(_) | CookieValue::Absent | CookieValue::Several => Ok(None),
            },
            Kind::Authorization => match Authorization::parse(&parts.headers) {
                Ok(Some(sent)) if sent.is(&self.scheme) => sent.token68().map(Some).map_err(|_| Malformed),
                Ok(_) => Ok(None),
                Err(_) => Err(Malformed),
            },
        }
    }
}

/// Something stands there that cannot be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Malformed;

fn visible(value: &HeaderValue) -> Result<&str, Malformed> {
    let bytes = trim(value.as_bytes());
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_graphic) {
        return Err(Malformed);
    }
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}
