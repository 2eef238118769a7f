//! Answers for a [`ScriptedFetch`](crate::ScriptedFetch).

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use portcullis_fetch::{FetchError, FetchErrorKind};

use crate::issuer;

/// What comes back from a request.
pub type Answer = Result<Response<Bytes>, FetchError>;

/// 200 with this text as `application/json`, whether it is JSON or not.
///
/// ```
/// use portcullis_test::answer;
///
/// assert_eq!(answer::json("{}")?.headers()["content-type"], "application/json");
/// # Ok::<(), portcullis_fetch::FetchError>(())
/// ```
///
/// # Errors
///
/// Never: an [`Answer`] is what a script takes.
pub fn json(body: impl Into<Bytes>) -> Answer {
    Ok(issuer::json_response(body))
}

/// This status without a body.
///
/// # Errors
///
/// Never: an [`Answer`] is what a script takes.
///
/// # Panics
///
/// When it is no status code.
pub fn status(status: u16) -> Answer {
    Ok(issuer::status(
        StatusCode::from_u16(status).expect("a status code has three digits"),
    ))
}

/// The same answer with one more header field. A failure stays what it is.
///
/// ```
/// use portcullis_test::answer;
///
/// let busy = answer::with_header(answer::status(503), "retry-after", "7");
/// assert_eq!(busy?.headers()["retry-after"], "7");
/// # Ok::<(), portcullis_fetch::FetchError>(())
/// ```
///
/// # Errors
///
/// When the answer is one.
///
/// # Panics
///
/// When name or value cannot stand in a header.
pub fn with_header(answer: Answer, name: &'static str, value: &str) -> Answer {
    answer.map(|mut response| {
        response.headers_mut().append(
            HeaderName::from_static(name),
            HeaderValue::try_from(value).expect("a header value is visible ASCII"),
        );
        response
    })
}

/// No answer, for a reason of this kind.
///
/// ```
/// use portcullis_fetch::FetchErrorKind;
/// use portcullis_test::answer;
///
/// let refused = answer::failure(FetchErrorKind::Connect);
/// assert!(refused.is_err_and(|error| error.kind() == FetchErrorKind::Connect));
/// ```
///
/// # Errors
///
/// Always.
pub const fn failure(kind: FetchErrorKind) -> Answer {
    Err(FetchError::new(kind, "the script says so"))
}
