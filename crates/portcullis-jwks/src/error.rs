//! Why keys could not be fetched.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_fetch::{FetchError, FetchErrorKind};
use portcullis_jwt::JwksError;

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwksFetchErrorKind {
    /// No acceptable answer came.
    Fetch(FetchErrorKind),
    /// An answer with another status than 200.
    Status(u16),
    /// No usable key set.
    KeySet(JwksError),
    /// A discovery document that cannot be read, or lacks `jwks_uri`.
    Discovery,
    /// A discovery document of another issuer.
    IssuerMismatch,
    /// The attempt was given up: its task ended, or its runtime did.
    Aborted,
}

impl JwksFetchErrorKind {
    /// A name for logs and metrics. Stable.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fetch(kind) => kind.as_str(),
            Self::Status(_) => "status",
            Self::KeySet(_) => "key_set",
            Self::Discovery => "discovery",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::Aborted => "aborted",
        }
    }
}

/// A failed attempt to fetch keys. Holds no key material.
#[derive(Clone, Debug)]
pub struct JwksFetchError {
    kind: JwksFetchErrorKind,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl JwksFetchError {
    pub(crate) const fn new(kind: JwksFetchErrorKind) -> Self {
        Self {
            kind,
            retry_after: None,
            source: None,
        }
    }

    pub(crate) const fn status(status: u16, retry_after: Option<Duration>) -> Self {
        Self {
            kind: JwksFetchErrorKind::Status(status),
            retry_after,
            source: None,
        }
    }

    /// What kind of failure it was.
    #[must_use]
    pub const fn kind(&self) -> JwksFetchErrorKind {
        self.kind
    }

    /// How long the server asked to be left alone.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for JwksFetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            JwksFetchErrorKind::Fetch(_) => f.write_str("no acceptable answer came"),
            JwksFetchErrorKind::Status(status) => write!(f, "the server answered with status {status}"),
            JwksFetchErrorKind::KeySet(_) => f.write_str("the answer is no usable key set"),
            JwksFetchErrorKind::Discovery => f.write_str("the discovery document cannot be used"),
            JwksFetchErrorKind::IssuerMismatch => f.write_str("the discovery document is another issuer's"),
            JwksFetchErrorKind::Aborted => f.write_str("the attempt was given up"),
        }
    }
}

impl Error for JwksFetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_ref()?;
        Some(&**source)
    }
}

impl From<FetchError> for JwksFetchError {
    fn from(error: FetchError) -> Self {
        Self {
            kind: JwksFetchErrorKind::Fetch(error.kind()),
            retry_after: None,
            source: Some(Arc::new(error)),
        }
    }
}

impl From<JwksError> for JwksFetchError {
    fn from(error: JwksError) -> Self {
        Self {
            source: Some(Arc::new(error)),
            ..Self::new(JwksFetchErrorKind::KeySet(error))
        }
    }
}
