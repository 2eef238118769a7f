//! Why a token was not signed.

use std::fmt;
use std::time::Duration;

use portcullis_core::AuthError;

use super::SigningKeysUnavailable;

/// Why a token was not signed. Holds no claim's value.
///
/// As an [`AuthError`], [`KeysUnavailable`](Self::KeysUnavailable) is 503; everything else is a mistake of
/// the application's, and 500.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignError {
    /// The keys are not available, or none may sign at the moment.
    KeysUnavailable {
        /// When it is worth trying again, if anyone knows.
        retry_after: Option<Duration>,
    },
    /// A claim cannot be put into the token.
    Claim {
        /// Its name, or that of the setter; `claims` for a whole object.
        name: Box<str>,
        /// What is wrong with it.
        fault: ClaimFault,
    },
    /// The token would live longer than the signer, or its ring, allows.
    LifetimeTooLong,
    /// The token would be longer than [`MAX_TOKEN_LEN`](crate::MAX_TOKEN_LEN), which no verifier of ours
    /// takes.
    TooLong,
    /// No randomness, or the library refused to sign.
    Cryptography,
}

/// What is wrong with a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimFault {
    /// It has to be there and to say something, and does not.
    Empty,
    /// The signer sets it, or it has a setter of its own.
    Reserved,
    /// It was set before.
    Repeated,
    /// It makes the token one of another kind.
    OtherKind,
    /// It is not of the claim's form, or cannot be written as JSON.
    Malformed,
    /// It is a time in the future.
    InTheFuture,
}

impl ClaimFault {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::Reserved => "is set by the signer",
            Self::Repeated => "is set twice",
            Self::OtherKind => "belongs to another kind of token",
            Self::Malformed => "is malformed",
            Self::InTheFuture => "is in the future",
        }
    }
}

impl SignError {
    pub(super) fn claim(name: impl Into<Box<str>>, fault: ClaimFault) -> Self {
        let name = name.into();
        Self::Claim { name, fault }
    }

    /// A stable code for logs and metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::KeysUnavailable { .. } => "signing_keys_unavailable",
            Self::Claim { .. } => "unsignable_claim",
            Self::LifetimeTooLong => "token_lifetime_too_long",
            Self::TooLong => "token_too_long",
            Self::Cryptography => "signing_failed",
        }
    }
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeysUnavailable { .. } => "the signing keys are not available",
            Self::Claim { name, fault } => return write!(f, "the claim {name:?} {}", fault.as_str()),
            Self::LifetimeTooLong => "the token would live too long",
            Self::TooLong => "the token would be too long",
            Self::Cryptography => "the token could not be signed",
        })
    }
}

impl std::error::Error for SignError {}

impl From<SigningKeysUnavailable> for SignError {
    fn from(unavailable: SigningKeysUnavailable) -> Self {
        Self::KeysUnavailable {
            retry_after: unavailable.retry_after(),
        }
    }
}

impl From<SignError> for AuthError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::KeysUnavailable { retry_after } => SigningKeysUnavailable::new(retry_after).into(),
            _ => Self::misconfigured(error.reason()).with_source(error),
        }
    }
}
