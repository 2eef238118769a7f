//! Why a session did not do what it was asked.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use portcullis_core::AuthError;
use portcullis_seal::NoRandomness;
use portcullis_store::{StoreError, StoreErrorKind};

/// A session did not do what it was asked. It becomes an [`AuthError`], and so a response, by `From`.
///
/// It never holds an id, a key or a value.
#[derive(Clone, Debug)]
pub struct SessionError {
    kind: SessionErrorKind,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What became of the request to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionErrorKind {
    /// The session was ended meanwhile: signed out, revoked, expired, or exchanged by another request. Nothing was
    /// written, and nothing brings it back. 401.
    Ended,
    /// The owner's sessions of that time were revoked while this one was made. 401.
    Revoked,
    /// Nobody is signed in, and somebody has to be. 401.
    Nobody,
    /// The user has as many sessions as are [allowed](crate::AtMost). 403.
    TooMany,
    /// The session would be longer than 64 KiB, or a name in it longer than it may be. 500.
    TooLarge,
    /// A value cannot be written as JSON, or what is there is not of the type that was asked for. 500.
    Value,
    /// The answer has gone out, and no cookie with it: what needs another id came too late. Nothing was done. 500.
    Answered,
    /// What the store holds is of a format that is not known here. 503.
    Unreadable,
    /// The store, or the source of randomness, did not answer. 503.
    Unavailable,
}

impl SessionErrorKind {
    /// A name for logs and metrics. Stable.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "session_ended",
            Self::Revoked => "session_revoked",
            Self::Nobody => "session_of_nobody",
            Self::TooMany => "too_many_sessions",
            Self::TooLarge => "session_too_large",
            Self::Value => "session_value",
            Self::Answered => "session_answered",
            Self::Unreadable => "session_unreadable",
            Self::Unavailable => "session_unavailable",
        }
    }
}

impl SessionError {
    /// What became of the request.
    #[must_use]
    pub const fn kind(&self) -> SessionErrorKind {
        self.kind
    }

    pub(crate) fn caused(kind: SessionErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            source: Some(Arc::from(source.into())),
        }
    }
}

impl From<SessionErrorKind> for SessionError {
    fn from(kind: SessionErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind() {
            StoreErrorKind::NotFound => SessionErrorKind::Ended,
            StoreErrorKind::Revoked | StoreErrorKind::TooOld => SessionErrorKind::Revoked,
            StoreErrorKind::Malformed => SessionErrorKind::TooLarge,
            _ => SessionErrorKind::Unavailable,
        };
        Self::caused(kind, error)
    }
}

impl From<NoRandomness> for SessionError {
    fn from(error: NoRandomness) -> Self {
        Self::caused(SessionErrorKind::Unavailable, error)
    }
}

impl From<SessionError> for AuthError {
    fn from(error: SessionError) -> Self {
        let code = error.kind.as_str();
        let refusal = match error.kind {
            SessionErrorKind::Ended | SessionErrorKind::Revoked | SessionErrorKind::Nobody => {
                Self::missing_credentials()
            }
            SessionErrorKind::TooMany => Self::denied(code),
            SessionErrorKind::TooLarge | SessionErrorKind::Value | SessionErrorKind::Answered => {
                Self::misconfigured(code)
            }
            SessionErrorKind::Unreadable | SessionErrorKind::Unavailable => Self::unavailable(code),
        };
        refusal.with_source(error)
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            SessionErrorKind::Ended => "the session has ended",
            SessionErrorKind::Revoked => "the sessions of that time are revoked",
            SessionErrorKind::Nobody => "nobody is signed in",
            SessionErrorKind::TooMany => "the user has too many sessions",
            SessionErrorKind::TooLarge => "the session is too large",
            SessionErrorKind::Value => "a value of the session cannot be written or read",
            SessionErrorKind::Answered => "the answer has gone out before",
            SessionErrorKind::Unreadable => "the session is of an unknown format",
            SessionErrorKind::Unavailable => "the sessions are not available",
        })
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_ref()?;
        Some(&**source)
    }
}
