//! Why the service did not do what it was asked.

use std::error::Error;
use std::fmt;

use portcullis_core::{AuthError, ConfigError};
use portcullis_seal::NoRandomness;
use portcullis_store::{StoreError, StoreErrorKind};

/// Why the service did not do what it was asked. None of them holds a key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KeysError {
    /// The caller may not: the refusal to answer with.
    Refused(AuthError),
    /// The caller has no such key, whether or not others do.
    NotFound,
    /// Somebody else rotated the key at the same time. Theirs is the new secret.
    Changed,
    /// The owner has as many keys as one may have.
    TooMany,
    /// What was asked for cannot be: an expiry beyond the policy, an unknown environment, a name that is too long.
    Invalid(ConfigError),
    /// The store did not answer, is full, or there was no randomness. Nobody knows whether anything was changed.
    Unavailable(StoreError),
}

impl KeysError {
    /// The refusal to answer with, where there is one: that of the caller, or 503.
    #[must_use]
    pub fn auth_error(&self) -> Option<AuthError> {
        match self {
            Self::Refused(refused) => Some(refused.clone()),
            Self::Unavailable(error) => {
                Some(AuthError::unavailable("api_keys_unavailable").with_source(error.clone()))
            }
            Self::NotFound | Self::Changed | Self::TooMany | Self::Invalid(_) => None,
        }
    }
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused(_) => "the caller may not manage the API key",
            Self::NotFound => "the caller has no such API key",
            Self::Changed => "the API key was rotated by somebody else",
            Self::TooMany => "the owner has as many API keys as one may have",
            Self::Invalid(_) => "the API key cannot be as asked for",
            Self::Unavailable(_) => "the API keys cannot be reached",
        })
    }
}

impl Error for KeysError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(error) => Some(error),
            Self::Invalid(error) => Some(error),
            Self::Unavailable(error) => Some(error),
            Self::NotFound | Self::Changed | Self::TooMany => None,
        }
    }
}

impl From<AuthError> for KeysError {
    fn from(refused: AuthError) -> Self {
        Self::Refused(refused)
    }
}

impl From<ConfigError> for KeysError {
    fn from(invalid: ConfigError) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<StoreError> for KeysError {
    fn from(error: StoreError) -> Self {
        match error.kind() {
            StoreErrorKind::NotFound => Self::NotFound,
            StoreErrorKind::Malformed => {
                Self::Invalid(ConfigError::new("an API key or its owner is too long").with_source(error))
            }
            _ => Self::Unavailable(error),
        }
    }
}

impl From<NoRandomness> for KeysError {
    fn from(error: NoRandomness) -> Self {
        let unavailable = StoreError::new(StoreErrorKind::Unavailable, "there is no randomness");
        Self::Unavailable(unavailable.with_source(error))
    }
}
