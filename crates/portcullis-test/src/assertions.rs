//! Assertions on answers, with messages that show the whole head of the answer.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, Response};
use portcullis_core::Challenge;
use serde_json::Value;

mod grpc;
mod inventory;
mod refusal;

pub use self::grpc::{assert_grpc_refused, assert_grpc_status};
pub use self::inventory::assert_inventory;
pub use self::refusal::{Refusal, assert_refused};

/// Asserts the status code.
///
/// ```
/// use portcullis_test::assert_status;
///
/// assert_status(&http::Response::new("hello"), 200);
/// ```
///
/// # Panics
///
/// When it is another.
#[track_caller]
pub fn assert_status<B>(response: &Response<B>, status: u16) {
    assert!(
        response.status() == status,
        "expected status {status}\n{}",
        head(response)
    );
}

/// The challenges of an answer, in order.
///
/// # Panics
///
/// When a `WWW-Authenticate` field cannot be read (RFC 9110 §11.6.1).
#[must_use]
#[track_caller]
pub fn challenges<B>(response: &Response<B>) -> Vec<Challenge> {
    match Challenge::parse_all(response.headers()) {
        Ok(challenges) => challenges,
        Err(error) => panic!("{error}\n{}", head(response)),
    }
}

/// Asserts that there is a challenge of this scheme, and hands it out for more.
///
/// ```
/// use portcullis_test::assert_challenge;
///
/// let response = http::Response::builder()
///     .status(401)
///     .header("www-authenticate", r#"Bearer realm="invoices", error="invalid_token""#)
///     .body(())?;
/// assert_challenge(&response, "Bearer")
///     .has("error", "invalid_token")
///     .lacks("scope");
/// # Ok::<(), http::Error>(())
/// ```
///
/// # Panics
///
/// When there is none, or more than one.
#[track_caller]
pub fn assert_challenge<B>(response: &Response<B>, scheme: &str) -> AssertChallenge {
    let mut matching = challenges(response);
    matching.retain(|challenge| challenge.scheme().matches(scheme));
    assert!(
        matching.len() == 1,
        "expected one {scheme} challenge, found {}\n{}",
        matching.len(),
        head(response)
    );
    AssertChallenge(matching.remove(0))
}

/// Asserts that nothing is asked for.
///
/// # Panics
///
/// When there is a `WWW-Authenticate` field.
#[track_caller]
pub fn assert_no_challenge<B>(response: &Response<B>) {
    assert!(
        !response.headers().contains_key(WWW_AUTHENTICATE),
        "expected no challenge\n{}",
        head(response)
    );
}

/// A challenge, to assert more about; see [`assert_challenge`].
#[derive(Clone, Debug)]
pub struct AssertChallenge(Challenge);

// They have asserted already; what they return is for those who want more.
#[allow(clippy::must_use_candidate, clippy::return_self_not_must_use)]
impl AssertChallenge {
    /// Asserts the value of a parameter.
    ///
    /// # Panics
    ///
    /// When it has another or is not there.
    #[track_caller]
    pub fn has(self, name: &str, value: &str) -> Self {
        assert!(
            self.0.get(name) == Some(value),
            "expected {name}={value:?} in the challenge: {}",
            self.0
        );
        self
    }

    /// Asserts that a parameter is not there.
    ///
    /// # Panics
    ///
    /// When it is.
    #[track_caller]
    pub fn lacks(self, name: &str) -> Self {
        assert!(
            self.0.get(name).is_none(),
            "expected no {name} in the challenge: {}",
            self.0
        );
        self
    }

    /// The challenge itself.
    pub const fn challenge(&self) -> &Challenge {
        &self.0
    }
}

/// Asserts that no cache may keep the answer (RFC 9111 §5.2.2.5).
///
/// ```
/// use portcullis_test::assert_no_store;
///
/// let response = http::Response::builder().header("cache-control", "no-store").body(())?;
/// assert_no_store(&response);
/// # Ok::<(), http::Error>(())
/// ```
///
/// # Panics
///
/// When `Cache-Control` does not say `no-store`.
#[track_caller]
pub fn assert_no_store<B>(response: &Response<B>) {
    assert!(
        lists(response.headers(), &CACHE_CONTROL, "no-store"),
        "expected Cache-Control: no-store\n{}",
        head(response)
    );
}

/// Asserts that no shared cache may keep the answer: `private` or `no-store`.
///
/// # Panics
///
/// When `Cache-Control` says neither.
#[track_caller]
pub fn assert_private<B>(response: &Response<B>) {
    let headers = response.headers();
    assert!(
        lists(headers, &CACHE_CONTROL, "private") || lists(headers, &CACHE_CONTROL, "no-store"),
        "expected Cache-Control: private\n{}",
        head(response)
    );
}

/// Asserts that `Vary` lists a header field, or `*` (RFC 9110 §12.5.5).
///
/// ```
/// use portcullis_test::assert_vary;
///
/// let response = http::Response::builder().header("vary", "Accept, Authorization").body(())?;
/// assert_vary(&response, "authorization");
/// # Ok::<(), http::Error>(())
/// ```
///
/// # Panics
///
/// When it does not.
#[track_caller]
pub fn assert_vary<B>(response: &Response<B>, name: &str) {
    let headers = response.headers();
    assert!(
        lists(headers, &VARY, name) || lists(headers, &VARY, "*"),
        "expected Vary: {name}\n{}",
        head(response)
    );
}

/// Asserts that the body is an RFC 9457 problem that agrees with the head, and hands it out: media
/// type, `status` if there is one, and the same `error` code as in the challenge if there is one.
///
/// # Panics
///
/// When it is not.
#[must_use]
#[track_caller]
pub fn assert_problem<B: AsRef<[u8]>>(response: &Response<B>) -> Value {
    let media_type = response.headers().get(CONTENT_TYPE);
    assert!(
        media_type.is_some_and(|value| value.as_bytes().starts_with(b"application/problem+json")),
        "expected application/problem+json\n{}",
        head(response)
    );
    let problem: Value = match serde_json::from_slice(response.body().as_ref()) {
        Ok(problem) => problem,
        Err(error) => panic!("the problem is not JSON: {error}\n{}", head(response)),
    };
    assert!(problem.is_object(), "a problem is an object: {problem}");
    let status = &problem["status"];
    assert!(
        status.is_null() || *status == response.status().as_u16(),
        "the problem says another status: {problem}\n{}",
        head(response)
    );
    for challenge in challenges(response) {
        let Some(error) = challenge.get("error") else {
            continue;
        };
        assert!(
            problem["error"].is_null() || problem["error"] == error,
            "the problem says another error: {problem}\n{}",
            head(response)
        );
    }
    problem
}

/// Whether a comma-separated field lists `item`, compared without case.
fn lists(headers: &HeaderMap, name: &HeaderName, item: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|listed| listed.trim_ascii().eq_ignore_ascii_case(item.as_bytes()))
}

/// Status and header fields, one per line; sensitive values are not shown.
fn head<B>(response: &Response<B>) -> String {
    let mut text = format!("the answer was {}\n", response.status());
    for (name, value) in response.headers() {
        text.push_str(&format!("  {name}: {value:?}\n"));
    }
    text
}

#[cfg(test)]
mod tests;
