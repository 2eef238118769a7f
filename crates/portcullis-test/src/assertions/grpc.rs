//! Answers to gRPC calls that consist of a head only ("Trailers-Only" in the gRPC protocol over HTTP/2).

use http::Response;
use http::header::{CONTENT_TYPE, HeaderName};
use portcullis_core::AuthErrorKind;

use super::{assert_no_store, assert_status, head};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Asserts that the answer ends a gRPC call with this status and without a message: HTTP status 200,
/// `content-type: application/grpc`, and one `grpc-status` in the head.
///
/// ```
/// use portcullis_test::assert_grpc_status;
///
/// let response = http::Response::builder()
///     .header("content-type", "application/grpc")
///     .header("grpc-status", "5")
///     .body(())?;
/// assert_grpc_status(&response, 5);
/// # Ok::<(), http::Error>(())
/// ```
///
/// # Panics
///
/// When it does not.
#[track_caller]
pub fn assert_grpc_status<B>(response: &Response<B>, status: u16) {
    assert_status(response, 200);
    let media_type = response.headers().get(CONTENT_TYPE);
    assert!(
        media_type.is_some_and(|value| is_grpc(value.as_bytes())),
        "expected application/grpc\n{}",
        head(response)
    );
    let found: Vec<_> = response.headers().get_all(GRPC_STATUS).iter().collect();
    assert!(
        matches!(found[..], [found] if *found == status.to_string()),
        "expected one grpc-status: {status}\n{}",
        head(response)
    );
}

/// Asserts that a gRPC call was refused for this kind of reason, and that no cache may keep the answer.
///
/// | kind | `grpc-status` |
/// |---|---|
/// | missing credentials, invalid request, invalid credentials, step-up required | 16, unauthenticated |
/// | insufficient scope, denied | 7, permission denied |
/// | throttled | 8, resource exhausted |
/// | unavailable | 14, unavailable |
/// | misconfigured | 13, internal |
///
/// ```
/// use portcullis_core::AuthErrorKind;
/// use portcullis_test::assert_grpc_refused;
///
/// let response = http::Response::builder()
///     .header("content-type", "application/grpc")
///     .header("grpc-status", "7")
///     .header("cache-control", "no-store")
///     .body(())?;
/// assert_grpc_refused(&response, AuthErrorKind::Denied);
/// # Ok::<(), http::Error>(())
/// ```
///
/// # Panics
///
/// When the answer is anything else.
#[track_caller]
pub fn assert_grpc_refused<B>(response: &Response<B>, kind: AuthErrorKind) {
    assert_grpc_status(response, code(kind));
    assert_no_store(response);
}

/// `application/grpc`, also with a suffix such as `+proto`, but not `application/grpc-web`.
fn is_grpc(media_type: &[u8]) -> bool {
    media_type
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

#[track_caller]
fn code(kind: AuthErrorKind) -> u16 {
    match kind {
        AuthErrorKind::MissingCredentials
        | AuthErrorKind::InvalidRequest
        | AuthErrorKind::InvalidCredentials
        | AuthErrorKind::StepUpRequired => 16,
        AuthErrorKind::InsufficientScope | AuthErrorKind::Denied => 7,
        AuthErrorKind::Throttled => 8,
        AuthErrorKind::Unavailable => 14,
        AuthErrorKind::Misconfigured => 13,
        other => panic!("{other:?} has no gRPC status"),
    }
}
