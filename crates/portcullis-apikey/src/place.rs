//! Where a key stands in a request. Never in the URL.

use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::request::Parts;
use portcullis_core::{Authorization, Challenge, Challenges, ConfigError, Scheme};

use crate::ApiKeyFormat;

#[derive(Clone, Debug)]
pub(crate) struct Place {
    kind: Kind,
    header: [HeaderName; 1],
    scheme: Scheme,
    challenges: Challenges,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A field of its own.
    Header,
    /// `Authorization: ApiKey …`.
    ApiKey,
    /// `Authorization: Bearer …`, shared with tokens of other shapes.
    Bearer,
}

/// What stands there.
pub(crate) enum Found<'r> {
    Absent,
    Malformed,
    Key(&'r [u8]),
}

const REALM: &str = "api";

impl Place {
    pub(crate) fn header(name: &str) -> Result<Self, ConfigError> {
        let invalid = || ConfigError::new("API keys stand in a header field of their own, such as x-api-key");
        let name = HeaderName::try_from(name).map_err(|error| invalid().with_source(error))?;
        if [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(&name) {
            return Err(invalid());
        }
        let challenge = Challenge::new(Scheme::API_KEY)
            .realm(REALM)?
            .param("header", name.as_str())?;
        Self::new(Kind::Header, name, challenge)
    }

    pub(crate) fn authorization() -> Result<Self, ConfigError> {
        Self::new(
            Kind::ApiKey,
            AUTHORIZATION,
            Challenge::new(Scheme::API_KEY).realm(REALM)?,
        )
    }

    pub(crate) fn bearer() -> Result<Self, ConfigError> {
        Self::new(
            Kind::Bearer,
            AUTHORIZATION,
            Challenge::new(Scheme::BEARER).realm(REALM)?,
        )
    }

    fn new(kind: Kind, header: HeaderName, challenge: Challenge) -> Result<Self, ConfigError> {
        Ok(Self {
            kind,
            header: [header],
            scheme: challenge.scheme().clone(),
            challenges: Challenges::new([challenge])?,
        })
    }

    pub(crate) fn with_challenge(mut self, challenge: Challenge) -> Result<Self, ConfigError> {
        if self.kind != Kind::Header && *challenge.scheme() != self.scheme {
            return Err(ConfigError::new(
                "what stands in `Authorization` is asked for with its own scheme",
            ));
        }
        self.scheme = challenge.scheme().clone();
        self.challenges = Challenges::new([challenge])?;
        Ok(self)
    }

    pub(crate) const fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    pub(crate) const fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    pub(crate) const fn inspected(&self) -> &[HeaderName] {
        &self.header
    }

    /// Whether other kinds of credentials stand in the same place: only what starts as a key is one there.
    pub(crate) fn is_shared(&self) -> bool {
        self.kind == Kind::Bearer
    }

    pub(crate) fn find<'r>(&self, parts: &'r Parts, recognises: impl FnOnce(&[u8]) -> bool) -> Found<'r> {
        let [name] = &self.header;
        if self.kind == Kind::Header {
            let mut values = parts.headers.get_all(name).iter();
            return match (values.next(), values.next()) {
                (None, _) => Found::Absent,
                (Some(value), None) => visible(value.as_bytes()),
                (Some(_), Some(_)) => Found::Malformed,
            };
        }
        let sent = match Authorization::parse(&parts.headers) {
            Ok(Some(sent)) if sent.is(&self.scheme) => sent,
            Ok(_) => return Found::Absent,
            Err(_) => return Found::Malformed,
        };
        match sent.token68_bytes() {
            Err(_) => Found::Malformed,
            // Another kind of bearer token: somebody else's, or refused as unrecognised.
            Ok(token) if self.is_shared() && !recognises(token) => Found::Absent,
            Ok(token) => Found::Key(token),
        }
    }
}

fn visible(value: &[u8]) -> Found<'_> {
    let value = value.trim_ascii();
    // All of them are looked at, which takes less time than to stop at the first.
    let visible = value.iter().fold(true, |all, byte| all & byte.is_ascii_graphic());
    if value.is_empty() || !visible {
        return Found::Malformed;
    }
    Found::Key(value)
}

/// Tells the log when a key stands in the query string, where it is not accepted. Without its value.
pub(crate) fn hint_at_query(parts: &Parts, format: &ApiKeyFormat) {
    let Some(query) = parts.uri.query() else { return };
    let mut values = query.split('&').filter_map(|pair| pair.split_once('='));
    if values.any(|(_, value)| format.recognises(value.as_bytes())) {
        tracing::info!(
            reason = "api_key_in_url",
            "an API key in a query string is not accepted and has to count as leaked; it belongs into a header"
        );
    }
}
