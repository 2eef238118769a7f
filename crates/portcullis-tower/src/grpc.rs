//! Refusals as gRPC statuses: trailers-only answers.
//!
//! A gRPC client does not look at the HTTP status: a refusal is 200 with `grpc-status` in the head and nothing
//! behind it. Which number is part of the wire table
//! ([`AuthErrorKind::wire`](portcullis_core::AuthErrorKind::wire)).
//!
//! [`AuthenticateLayer`](crate::AuthenticateLayer) answers in this form by itself when a request is one of gRPC
//! beyond doubt: a POST over HTTP/2 with `TE: trailers` whose media type is `application/grpc`. The media type alone
//! does not decide: any script can send it, and would then see 200 where it was refused. `TE` belongs to every gRPC
//! call and no script may set it (the Fetch standard forbids it). Where a proxy drops it, refusals have their HTTP
//! status, of which gRPC clients make one of theirs.
//!
//! Handlers that refuse by themselves make their status out of [`refuse`]: with tonic,
//! `Status::from_header_map(refuse(error).headers())` holds all of it.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, TE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, Version};
use portcullis_core::{AuthError, AuthErrorKind};

use crate::refusal::{RefusalStyle, Rendering};
use crate::response::log;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// How long a client should wait before it tries again (gRFC A6).
const GRPC_RETRY_PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// Refuses every request in the form of gRPC, for a service that speaks nothing else: with
/// [`RefusalLayer`](crate::RefusalLayer).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Grpc;

impl Grpc {
    /// The style.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Default for Grpc {
    fn default() -> Self {
        Self::new()
    }
}

impl RefusalStyle for Grpc {
    fn rendering(&self, _: &Parts) -> Option<Rendering> {
        Some(Rendering::new(|error| Some(status(error))))
    }
}

/// Whether a request is one of gRPC beyond doubt.
pub(crate) fn is_grpc(parts: &Parts) -> bool {
    parts.version == Version::HTTP_2
        && parts.method == Method::POST
        && parts.headers.get(CONTENT_TYPE).is_some_and(is_grpc_media_type)
        && parts.headers.get(TE).is_some_and(is_trailers)
}

fn is_trailers(value: &HeaderValue) -> bool {
    value.as_bytes().eq_ignore_ascii_case(b"trailers")
}

/// `application/grpc`, alone or with a format (`+proto`) or parameters; `application/grpc-web` is another.
pub(crate) fn is_grpc_media_type(value: &HeaderValue) -> bool {
    is_media_type(value, b"application/grpc")
}

/// The other: `application/grpc-web`, and its form in text.
pub(crate) fn is_grpc_web_media_type(value: &HeaderValue) -> bool {
    is_media_type(value, b"application/grpc-web") || is_media_type(value, b"application/grpc-web-text")
}

fn is_media_type(value: &HeaderValue, media_type: &[u8]) -> bool {
    let rest = value.as_bytes().strip_prefix(media_type);
    matches!(rest, Some([] | [b'+' | b';' | b' ', ..]))
}

/// The trailers-only answer to a refused call, and one log line about it; as
/// [`response::refuse`](crate::response::refuse), in the form of gRPC.
///
/// Its head is everything: `grpc-status` of the wire table, `grpc-message`, challenges,
/// `grpc-retry-pushback-ms` (gRFC A6), `Cache-Control: no-store`. The [`AuthError`] goes into its extensions.
///
/// ```
/// use portcullis_core::AuthError;
/// use portcullis_tower::grpc;
///
/// let answer = grpc::refuse(AuthError::denied("not_the_owner"));
/// assert_eq!(answer.status(), 200);
/// assert_eq!(answer.headers()["grpc-status"], "7");
/// ```
#[must_use]
pub fn refuse(error: AuthError) -> Response<Bytes> {
    log(&error);
    let mut response = status(&error);
    response.extensions_mut().insert(error);
    response
}

/// The trailers-only answer: its head is everything.
pub(crate) fn status(error: &AuthError) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(
        GRPC_STATUS,
        HeaderValue::from(u16::from(error.kind().wire().grpc_status)),
    );
    if let Some(message) = message(error) {
        headers.insert(GRPC_MESSAGE, message);
    }
    if let Some(wait) = error.wait() {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        headers.insert(GRPC_RETRY_PUSHBACK, HeaderValue::from(millis));
    }
    error.write_challenges(headers);
    error.write_common_headers(headers);
    response
}

/// The text of a kind: visible ASCII without `%`, so there is nothing to encode. A wiring fault looks like any
/// other internal error.
fn message(error: &AuthError) -> Option<HeaderValue> {
    match error.kind() {
        AuthErrorKind::Misconfigured => Some(HeaderValue::from_static("internal error")),
        _ => HeaderValue::try_from(error.to_string()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Request;

    use super::*;

    #[test]
    fn only_a_post_over_http_2_with_the_media_type_is_grpc() {
        let request = |version: Version, method: Method, media_type: &'static str| {
            let mut parts = Request::new(()).into_parts().0;
            (parts.version, parts.method) = (version, method);
            parts
                .headers
                .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            assert!(!is_grpc(&parts), "without `TE`");
            parts.headers.insert(TE, HeaderValue::from_static("trailers"));
            is_grpc(&parts)
        };
        for media_type in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc;x=1",
        ] {
            assert!(request(Version::HTTP_2, Method::POST, media_type), "{media_type}");
            assert!(
                !request(Version::HTTP_11, Method::POST, media_type),
                "{media_type}"
            );
            assert!(!request(Version::HTTP_2, Method::GET, media_type), "{media_type}");
        }
        for media_type in [
            "application/grpc-web",
            "application/grpc-web+proto",
            "application/json",
            "grpc",
        ] {
            assert!(
                !request(Version::HTTP_2, Method::POST, media_type),
                "{media_type}"
            );
        }
    }

    #[test]
    fn the_head_says_everything_and_nothing_of_it_is_secret() {
        let error = AuthError::throttled(Duration::from_millis(1_500)).with_source("hunter2");
        let answer = status(&error);
        assert_eq!(answer.status(), 200);
        assert!(answer.body().is_empty());
        let expected = [
            ("content-type", "application/grpc"),
            ("grpc-status", "8"),
            ("grpc-message", "too many attempts"),
            ("grpc-retry-pushback-ms", "1500"),
            ("cache-control", "no-store"),
        ];
        assert_eq!(answer.headers().len(), expected.len());
        for (name, value) in expected {
            assert_eq!(answer.headers()[name], value);
        }
    }

    #[test]
    fn no_message_needs_encoding() {
        for kind in [
            AuthError::missing_credentials(),
            AuthError::invalid_request("x"),
            AuthError::invalid_credentials("x"),
            AuthError::step_up_required(portcullis_core::StepUp::new()),
            AuthError::insufficient_scope("x"),
            AuthError::denied("x"),
            AuthError::unavailable("x"),
            AuthError::misconfigured("x"),
        ] {
            let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'%';
            assert!(kind.to_string().bytes().all(plain), "{kind}");
            assert!(status(&kind).headers().contains_key(GRPC_MESSAGE));
        }
        assert_eq!(AuthErrorKind::Denied.wire().grpc_status, 7);
    }

    #[test]
    fn a_wiring_fault_looks_like_any_other_internal_error() {
        let answer = refuse(AuthError::misconfigured("authenticate_layer_missing"));
        assert_eq!(answer.headers()[GRPC_STATUS], "13");
        assert_eq!(answer.headers()[GRPC_MESSAGE], "internal error");
        assert!(answer.extensions().get::<AuthError>().is_some());
    }
}
