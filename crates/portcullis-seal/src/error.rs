//! Why a value was not opened, and why one was not sealed.

use std::fmt;

use portcullis_core::AuthError;

/// A sealed value was refused.
///
/// One refusal, whatever the cause: `Display` and `Debug` are the same for a value that was tampered
/// with, sealed for something else, sealed with a key that is unknown or retired, expired, malformed or
/// too long. What the client receives must not depend on more.
///
/// The log may: [`reason`](Self::reason).
#[derive(Clone, Copy)]
pub struct SealError(Refusal);

/// Which check failed. A wrong purpose or context is [`NotAuthentic`](Self::NotAuthentic): it cannot be told
/// from a changed bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Malformed,
    UnknownKey,
    NotAuthentic,
    Expired,
}

impl SealError {
    pub(crate) const fn new(refusal: Refusal) -> Self {
        Self(refusal)
    }

    /// A stable code for logs and metrics, never for the client.
    ///
    /// | code | says | why the log may have it |
    /// |---|---|---|
    /// | `seal_malformed` | too long, not of the form, or of another version | only the sender's own text decides it |
    /// | `seal_unknown_key` | names a key that is not in the ring | the name is not secret; a flood of these after a rotation means that a key was missing somewhere or went too early |
    /// | `seal_not_authentic` | changed, or sealed for another purpose or context | which of them is not known here either |
    /// | `seal_expired` | authentic, and its time is over | only values we sealed get this far |
    ///
    /// None of them depends on the plaintext or on a key's bytes.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self.0 {
            Refusal::Malformed => "seal_malformed",
            Refusal::UnknownKey => "seal_unknown_key",
            Refusal::NotAuthentic => "seal_not_authentic",
            Refusal::Expired => "seal_expired",
        }
    }
}

impl fmt::Debug for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealError(..)")
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sealed value was refused")
    }
}

impl std::error::Error for SealError {}

/// Why a value was not sealed: a mistake of the application's, or no randomness. Holds no part of the
/// value.
///
/// As an [`AuthError`] it is a misconfiguration: 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CannotSeal {
    /// The plaintext is longer than the ring's limit.
    TooLong,
    /// It would be expired at once. Expiry counts in whole seconds, rounded down.
    AlreadyExpired,
    /// It would live longer than the ring allows, and outlive its key.
    LivesTooLong,
    /// No randomness, or the library refused to encrypt.
    Cryptography,
}

impl CannotSeal {
    /// A stable code for logs and metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLong => "seal_plaintext_too_long",
            Self::AlreadyExpired => "seal_already_expired",
            Self::LivesTooLong => "seal_lives_too_long",
            Self::Cryptography => "seal_failed",
        }
    }
}

impl fmt::Display for CannotSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the value is too long to be sealed",
            Self::AlreadyExpired => "the sealed value would be expired at once",
            Self::LivesTooLong => "the sealed value would live too long",
            Self::Cryptography => "the value could not be sealed",
        })
    }
}

impl std::error::Error for CannotSeal {}

impl From<CannotSeal> for AuthError {
    fn from(error: CannotSeal) -> Self {
        Self::misconfigured(error.reason()).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::AuthErrorKind;

    use super::*;

    const ALL: [Refusal; 4] = [
        Refusal::Malformed,
        Refusal::UnknownKey,
        Refusal::NotAuthentic,
        Refusal::Expired,
    ];

    #[test]
    fn every_refusal_looks_the_same_and_only_the_code_for_the_log_differs() {
        let errors = ALL.map(SealError::new);
        let mut codes: Vec<_> = errors.iter().map(SealError::reason).collect();
        for error in errors {
            assert_eq!(error.to_string(), "the sealed value was refused");
            assert_eq!(format!("{error:?} {error:#?}"), "SealError(..) SealError(..)");
        }
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ALL.len());
    }

    #[test]
    fn what_cannot_be_sealed_is_the_applications_mistake() {
        for mistake in [
            CannotSeal::TooLong,
            CannotSeal::AlreadyExpired,
            CannotSeal::LivesTooLong,
            CannotSeal::Cryptography,
        ] {
            assert_eq!(AuthError::from(mistake).kind(), AuthErrorKind::Misconfigured);
        }
    }
}
