//! What a health endpoint may want to know.

use std::time::Duration;

use portcullis_jwt::SkippedKeys;

use crate::JwksFetchErrorKind;

/// How old a set of keys is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// There has never been one.
    Empty,
    /// Young enough.
    Fresh,
    /// Young enough, and about to be fetched again.
    Due,
    /// Too old, and in use until a fetch succeeds.
    Stale,
    /// So old that it is no longer used.
    Dead,
}

impl KeyState {
    /// Whether tokens can be verified.
    #[must_use]
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::Fresh | Self::Due | Self::Stale)
    }

    /// A name for logs and health endpoints. Stable.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Fresh => "fresh",
            Self::Due => "due",
            Self::Stale => "stale",
            Self::Dead => "dead",
        }
    }
}

/// A snapshot of a [`RemoteKeySet`](crate::RemoteKeySet).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// How old the keys are.
    pub state: KeyState,
    /// How many usable keys there are.
    pub keys: usize,
    /// How many keys of the document cannot be used as they are, and why.
    pub skipped: SkippedKeys,
    /// How long ago the keys were last confirmed.
    pub age: Option<Duration>,
    /// How many attempts have failed in a row.
    pub failures: u32,
    /// What the last attempt failed of, if it failed.
    pub last_error: Option<JwksFetchErrorKind>,
    /// How long until the next attempt may start, when one is held back.
    pub next_attempt_in: Option<Duration>,
    /// Whether an attempt is under way.
    pub fetching: bool,
}
