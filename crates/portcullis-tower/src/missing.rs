//! The refusal of those who sent nothing.

use http::Method;
use http::header::ACCESS_CONTROL_REQUEST_METHOD;
use http::request::Parts;
use portcullis_core::AuthError;

/// The refusal of a request without credentials; the log learns what to do about a preflight.
pub(crate) fn missing(parts: &Parts) -> AuthError {
    let error = AuthError::missing_credentials();
    let preflight =
        parts.method == Method::OPTIONS && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if preflight {
        error.with_source(
            "a CORS preflight carries no credentials: put CORS outside AuthenticateLayer and Gate",
        )
    } else {
        error
    }
}
