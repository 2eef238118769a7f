//! Why a store did not do what it was asked.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A store did not do what it was asked, and [`kind`](Self::kind) says whose business that is.
///
/// The message names rules and places; it never holds a key, an owner or what is kept.
#[derive(Clone, Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: Cow<'static, str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What became of a request to a store. Absence, conflict and outage are different answers: code that treats
/// two of them alike is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// There is a live record of this key. Nothing was changed.
    Present,
    /// There is no live record of this key: it never was, has expired, was taken, deleted or revoked.
    NotFound,
    /// There is a live record of this key, of another version than was expected. Nothing was changed.
    Conflict,
    /// The owner's records of that time were [revoked](crate::RecordStore::revoke_before). Nothing was created.
    Revoked,
    /// What was to be created is dated so [long ago](crate::REMEMBERED) that the store does not know any more
    /// whether it was revoked. Nothing was created.
    TooOld,
    /// What was to be created has expired already. Nothing was created.
    Expired,
    /// There is no room. Nothing was changed, and nothing that lives was given up.
    Full,
    /// A key, an owner or a payload is empty or too long. The store was not asked.
    Malformed,
    /// The store did not answer, or cannot. **Nobody knows whether anything was changed.**
    Unavailable,
}

impl StoreErrorKind {
    /// A name for logs and metrics. Stable.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Revoked => "revoked",
            Self::TooOld => "too_old",
            Self::Expired => "expired",
            Self::Full => "full",
            Self::Malformed => "malformed",
            Self::Unavailable => "unavailable",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::Present => "a record of this key exists",
            Self::NotFound => "no live record of this key exists",
            Self::Conflict => "the record was changed by somebody else",
            Self::Revoked => "the owner's records of that time are revoked",
            Self::TooOld => "the record is dated too long ago",
            Self::Expired => "the record has expired already",
            Self::Full => "the store is full",
            Self::Malformed => "a key, an owner or a payload is out of bounds",
            Self::Unavailable => "the store did not answer",
        }
    }
}

impl StoreError {
    /// An error described by one lower-case sentence without full stop.
    #[must_use]
    pub fn new(kind: StoreErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// What became of the request.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        Self::new(kind, kind.message())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_ref()?;
        Some(&**source)
    }
}
