//! Kinds of refusal, and the one function that decides what the wire says about them.

use http::StatusCode;

mod auth_error;

pub use self::auth_error::AuthError;

/// Whose fault a refusal is, and so what the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthErrorKind {
    /// Nothing was sent that this place accepts.
    MissingCredentials,
    /// Credentials were sent in a form that cannot be read, or twice.
    InvalidRequest,
    /// Credentials were read and do not hold: signature, expiry, audience, unknown, revoked.
    InvalidCredentials,
    /// The caller is known, but must authenticate more strongly or more recently (RFC 9470).
    StepUpRequired,
    /// The caller is known; more scope, and nothing else, would let them through.
    InsufficientScope,
    /// The caller is known and may not.
    Denied,
    /// Too many attempts.
    Throttled,
    /// It could not be decided: keys, a store or a policy backend did not answer.
    Unavailable,
    /// The application is wired wrongly: a layer is missing or has another principal type.
    Misconfigured,
}

/// What one kind of refusal looks like on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wire {
    /// The status code.
    pub status: StatusCode,
    /// The `error` code of the challenge and of the body, where there is one.
    pub error: Option<&'static str>,
    /// Which challenges are sent.
    pub challenges: WireChallenges,
    /// Whether `Retry-After` is sent.
    pub retry_after: bool,
    /// The gRPC status, where the answer is one of gRPC.
    pub grpc_status: u8,
}

/// The status of an answer that sends a browser to the sign-in page instead of refusing it: 303, so that
/// it comes with a GET (RFC 9110 §15.4.4).
pub const SIGN_IN_REDIRECT: StatusCode = StatusCode::SEE_OTHER;

/// Which challenges a refusal carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireChallenges {
    /// None.
    None,
    /// That of the scheme which was used.
    Used,
    /// Those of all accepted schemes; an error code only in that of the scheme which was used.
    All,
}

impl AuthErrorKind {
    /// The wire table, the only place where a refusal gets its status code.
    ///
    /// | kind | status | gRPC | `WWW-Authenticate` |
    /// |---|---|---|---|
    /// | missing credentials | 401 | 16 | all schemes, no error code (RFC 6750 §3.1) |
    /// | invalid request | 400 | 16 | `error="invalid_request"` |
    /// | invalid credentials | 401 | 16 | `error="invalid_token"`; never says which check failed |
    /// | step-up required | 401 | 16 | `error="insufficient_user_authentication"` (RFC 9470 §3) |
    /// | insufficient scope | 403 | 7 | `error="insufficient_scope", scope="…"` |
    /// | denied | 403 | 7 | none |
    /// | throttled | 429 | 8 | none, `Retry-After` |
    /// | unavailable | 503 | 14 | none, `Retry-After`; never 401, so that no good token is thrown away |
    /// | misconfigured | 500 | 13 | none; looks like any other 500 |
    ///
    /// 16 is `UNAUTHENTICATED`, 7 `PERMISSION_DENIED`, 8 `RESOURCE_EXHAUSTED`, 14 `UNAVAILABLE`, 13 `INTERNAL`.
    #[must_use]
    pub const fn wire(self) -> Wire {
        use WireChallenges::{All, None as No, Used};
        let (status, grpc_status, error, challenges) = match self {
            Self::MissingCredentials => (StatusCode::UNAUTHORIZED, 16, None, All),
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, 16, Some("invalid_request"), Used),
            Self::InvalidCredentials => (StatusCode::UNAUTHORIZED, 16, Some("invalid_token"), All),
            Self::StepUpRequired => {
                let error = Some("insufficient_user_authentication");
                (StatusCode::UNAUTHORIZED, 16, error, Used)
            }
            Self::InsufficientScope => (StatusCode::FORBIDDEN, 7, Some("insufficient_scope"), Used),
            Self::Denied => (StatusCode::FORBIDDEN, 7, None, No),
            Self::Throttled => (StatusCode::TOO_MANY_REQUESTS, 8, None, No),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, 14, None, No),
            Self::Misconfigured => (StatusCode::INTERNAL_SERVER_ERROR, 13, None, No),
        };
        Wire {
            status,
            error,
            challenges,
            retry_after: matches!(self, Self::Throttled | Self::Unavailable),
            grpc_status,
        }
    }

    /// A name for logs and metrics. Stable.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingCredentials => "missing_credentials",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidCredentials => "invalid_credentials",
            Self::StepUpRequired => "step_up_required",
            Self::InsufficientScope => "insufficient_scope",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Misconfigured => "misconfigured",
        }
    }
}
