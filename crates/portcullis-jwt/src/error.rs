//! Why a token was refused. For logs: the wire says `invalid_token` to all of them.

use std::fmt;
use std::time::Duration;

use portcullis_core::AuthError;

/// Why a token was refused.
///
/// The variants are for logs, metrics and tests. A client learns none of it: every one of them is 401
/// `invalid_token` (RFC 6750 §3.1), except [`KeysUnavailable`](Self::KeysUnavailable) and
/// [`RevocationUnavailable`](Self::RevocationUnavailable), which are 503. No variant holds any part of the
/// token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwtError {
    /// Longer than [`MAX_TOKEN_LEN`](crate::MAX_TOKEN_LEN).
    TooLong,
    /// Not three filled segments.
    NotCompact,
    /// A JWE, or a JWS with members of one.
    Encrypted,
    /// A JWT inside a JWT.
    Nested,
    /// A segment is not canonical base64url.
    Encoding,
    /// The header is not a JSON object, repeats a member, or has one of the wrong type.
    Header,
    /// The header demands an extension (`crit`, `b64`).
    CriticalExtension,
    /// The algorithm is unknown or not on the issuer's list.
    AlgorithmNotAllowed,
    /// Another kind of token: by `typ`, or by claims that only such tokens have.
    WrongKind,
    /// No key of the issuer matches.
    UnknownKey,
    /// More than one key of the issuer matches.
    AmbiguousKey,
    /// The signature does not hold.
    Signature,
    /// The claims are not a JSON object, repeat a member, or have one of the wrong type.
    Claims,
    /// A claim that must be there is not.
    MissingClaim(&'static str),
    /// The issuer is none of those trusted.
    Issuer,
    /// The audience is somebody else.
    Audience,
    /// The expiry has passed.
    Expired,
    /// The token is not valid yet.
    NotYetValid,
    /// The times contradict each other or the clock.
    Implausible,
    /// The token lives longer than allowed.
    LifetimeTooLong,
    /// The token is bound to a key or certificate (`cnf`) that nobody here can check.
    Bound,
    /// A claim that was required to have one of certain values does not.
    RequiredClaim,
    /// The token, or everything of its subject from that time, was revoked.
    Revoked,
    /// The revocation list is not available: it could not be decided.
    RevocationUnavailable {
        /// When it is worth trying again, if anyone knows.
        retry_after: Option<Duration>,
    },
    /// The issuer's keys are not available: it could not be decided.
    KeysUnavailable {
        /// When it is worth trying again, if anyone knows.
        retry_after: Option<Duration>,
    },
}

impl JwtError {
    /// A stable code for logs and metrics.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLong => "token_too_long",
            Self::NotCompact => "token_not_compact",
            Self::Encrypted => "token_encrypted",
            Self::Nested => "token_nested",
            Self::Encoding => "token_encoding",
            Self::Header => "token_header",
            Self::CriticalExtension => "token_critical_extension",
            Self::AlgorithmNotAllowed => "algorithm_not_allowed",
            Self::WrongKind => "wrong_kind_of_token",
            Self::UnknownKey => "unknown_key",
            Self::AmbiguousKey => "ambiguous_key",
            Self::Signature => "bad_signature",
            Self::Claims => "token_claims",
            Self::MissingClaim(_) => "claim_missing",
            Self::Issuer => "wrong_issuer",
            Self::Audience => "wrong_audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Implausible => "implausible_times",
            Self::LifetimeTooLong => "lifetime_too_long",
            Self::Bound => "bound_token",
            Self::RequiredClaim => "required_claim",
            Self::Revoked => "revoked",
            Self::RevocationUnavailable { .. } => "revocation_unavailable",
            Self::KeysUnavailable { .. } => "keys_unavailable",
        }
    }
}

impl fmt::Display for JwtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the token is too long",
            Self::NotCompact => "the token is not a compact JWS",
            Self::Encrypted => "the token is encrypted",
            Self::Nested => "the token is nested",
            Self::Encoding => "a segment is not canonical base64url",
            Self::Header => "the header cannot be read",
            Self::CriticalExtension => "the header demands an extension",
            Self::AlgorithmNotAllowed => "the algorithm is not allowed",
            Self::WrongKind => "the token is of another kind",
            Self::UnknownKey => "no key matches",
            Self::AmbiguousKey => "more than one key matches",
            Self::Signature => "the signature does not hold",
            Self::Claims => "the claims cannot be read",
            Self::MissingClaim(name) => return write!(f, "the claim {name} is missing"),
            Self::Issuer => "the issuer is not trusted",
            Self::Audience => "the token is for another audience",
            Self::Expired => "the token has expired",
            Self::NotYetValid => "the token is not valid yet",
            Self::Implausible => "the token's times are implausible",
            Self::LifetimeTooLong => "the token lives too long",
            Self::Bound => "the token is bound to a proof that cannot be checked here",
            Self::RequiredClaim => "a required claim has another value",
            Self::Revoked => "the token was revoked",
            Self::RevocationUnavailable { .. } => "the revocation list is not available",
            Self::KeysUnavailable { .. } => "the issuer's keys are not available",
        })
    }
}

impl std::error::Error for JwtError {}

impl From<JwtError> for AuthError {
    fn from(error: JwtError) -> Self {
        match error {
            JwtError::KeysUnavailable { retry_after } | JwtError::RevocationUnavailable { retry_after } => {
                let refusal = Self::unavailable(error.reason()).with_source(error);
                match retry_after {
                    Some(wait) => refusal.with_retry_after(wait),
                    None => refusal,
                }
            }
            _ => Self::invalid_credentials(error.reason()).with_source(error),
        }
    }
}
