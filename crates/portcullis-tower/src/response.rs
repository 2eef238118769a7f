//! Refusals as responses: RFC 9457 problem details, or gRPC statuses.

use std::fmt::Write;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Response};
use portcullis_core::{AuthError, AuthErrorKind};

use crate::grpc;

/// The response to a refused request, and one log line about it.
///
/// Status, challenges, `Retry-After` and `Cache-Control: no-store` are those of the wire table
/// ([`AuthErrorKind::wire`]); the body is `application/problem+json` with `title`, `status` and, where the
/// challenge has one, the same `error` code; `code` where a policy has something to tell
/// ([`Reason::with_public_code`](portcullis_core::Reason::with_public_code)). The [`AuthError`] itself goes into the response's
/// extensions, for layers outside.
///
/// The log line holds kind, reason, scheme and the chain of causes, never a credential: `error` for
/// wiring faults, `warn` when something was unavailable, `debug` otherwise, since anyone can cause those.
#[must_use]
pub fn refuse<B: From<Bytes>>(error: AuthError) -> Response<B> {
    log(&error);
    refuse_untold(error)
}

/// As [`refuse`], for what was logged already.
fn refuse_untold<B: From<Bytes>>(error: AuthError) -> Response<B> {
    let mut response = Response::new(B::from(body(&error)));
    *response.status_mut() = error.status();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    error.write_headers(headers);
    response.extensions_mut().insert(error);
    response
}

/// In which form a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Problem,
    /// The answer to `HEAD`: a problem without its content.
    Head,
    Grpc,
}

impl Form {
    pub(crate) fn of(parts: &Parts) -> Self {
        if grpc::is_grpc(parts) {
            Self::Grpc
        } else {
            Self::of_http(&parts.method)
        }
    }

    /// Where gRPC is a matter of the layer outside.
    pub(crate) fn of_http(method: &Method) -> Self {
        if *method == Method::HEAD {
            Self::Head
        } else {
            Self::Problem
        }
    }
}

/// As [`refuse`], in this form.
pub(crate) fn refuse_in<B: From<Bytes>>(error: AuthError, form: Form) -> Response<B> {
    match form {
        Form::Problem => refuse(error),
        Form::Head => without_content(refuse(error)).map(B::from),
        Form::Grpc => grpc::refuse(error).map(B::from),
    }
}

/// In place of an answer that must not go out; whoever took it back has said so in the log.
pub(crate) fn withheld<B: From<Bytes>>(error: AuthError, method: &Method) -> Response<B> {
    match Form::of_http(method) {
        Form::Head => without_content(refuse_untold(error)).map(B::from),
        Form::Problem | Form::Grpc => refuse_untold(error),
    }
}

/// What answers `HEAD` (RFC 9110 §9.3.2). Not left to the server: hyper's sends over HTTP/2 whatever there is, which
/// clients take for a broken stream.
pub(crate) fn without_content(response: Response<Bytes>) -> Response<Bytes> {
    let (mut head, content) = response.into_parts();
    head.headers
        .insert(CONTENT_LENGTH, HeaderValue::from(content.len()));
    Response::from_parts(head, Bytes::new())
}

/// `title` is the phrase of the status code, because `type` is absent and so `about:blank`
/// (RFC 9457 §4.2.1). A wiring fault looks like any other 500.
fn body(error: &AuthError) -> Bytes {
    let wire = error.kind().wire();
    let title = wire.status.canonical_reason().unwrap_or("Error");
    let status = wire.status.as_str();
    // Nothing here comes from the request, so there is nothing to escape.
    if let Some(why) = error.public_code() {
        let code = wire
            .error
            .map(|code| format!(r#","error":"{code}""#))
            .unwrap_or_default();
        return format!(r#"{{"title":"{title}","status":{status}{code},"code":"{why}"}}"#).into();
    }
    match wire.error {
        Some(code) => format!(r#"{{"title":"{title}","status":{status},"error":"{code}"}}"#).into(),
        // What a flood of anonymous requests gets need not be written each time.
        None if error.kind() == AuthErrorKind::MissingCredentials => {
            Bytes::from_static(br#"{"title":"Unauthorized","status":401}"#)
        }
        None => format!(r#"{{"title":"{title}","status":{status}}}"#).into(),
    }
}

pub(crate) fn log(error: &AuthError) {
    let kind = error.kind().as_str();
    let reason = error.reason();
    let scheme = error.scheme().map(|scheme| scheme.as_str());
    let causes = Causes(error);
    match error.kind() {
        AuthErrorKind::Misconfigured => {
            tracing::error!(kind, reason, scheme, %causes, "authentication is not wired up correctly");
        }
        AuthErrorKind::Unavailable => {
            tracing::warn!(kind, reason, scheme, %causes, "a request could not be decided");
        }
        _ => tracing::debug!(kind, reason, scheme, %causes, "a request was refused"),
    }
}

/// The chain of causes on one line.
struct Causes<'e>(&'e AuthError);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut separator = "";
        let mut cause = std::error::Error::source(self.0);
        while let Some(error) = cause {
            f.write_str(separator)?;
            write!(OneLine(f), "{error}")?;
            separator = ": ";
            cause = error.source();
        }
        Ok(())
    }
}

/// Causes come from anywhere, and some quote what a stranger wrote: nothing in them ends the line.
struct OneLine<'f, 't>(&'f mut std::fmt::Formatter<'t>);

impl Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        text.chars().try_for_each(|character| match character {
            '"' | '\'' | '\\' => self.0.write_char(character),
            // Also what only looks like a line break, or turns the direction of writing.
            other => write!(self.0, "{}", other.escape_debug()),
        })
    }
}

#[cfg(test)]
mod tests {
    use http::header::CACHE_CONTROL;
    use portcullis_core::Reason;

    use super::*;

    /// ASVS 16.4.1
    #[test]
    fn asvs_16_4_1_no_cause_ends_the_line() {
        let causes = |text: &str| Causes(&AuthError::unavailable("x").with_source(text)).to_string();
        assert_eq!(
            causes(r#"no row "a" in C:\b, says Zoë's"#),
            r#"no row "a" in C:\b, says Zoë's"#
        );
        for hostile in [
            "a\nb",
            "a\r\nb",
            "a\u{2028}b",
            "a\u{202e}b",
            "\u{1b}[31m",
            "a\u{0}b",
            "a\u{85}b",
        ] {
            let shown = causes(hostile);
            assert!(shown.chars().all(|shown| !shown.is_control()), "{shown}");
            assert!(!shown.contains(['\u{2028}', '\u{202e}']), "{shown}");
        }
    }

    /// PD1–PD3, PD6, PD7
    #[test]
    fn the_body_is_a_problem_that_agrees_with_the_status_and_says_no_more() {
        let table = [
            (
                AuthError::missing_credentials(),
                r#"{"title":"Unauthorized","status":401}"#,
            ),
            (
                AuthError::invalid_credentials("expired"),
                r#"{"title":"Unauthorized","status":401,"error":"invalid_token"}"#,
            ),
            (
                AuthError::invalid_request("x"),
                r#"{"title":"Bad Request","status":400,"error":"invalid_request"}"#,
            ),
            (
                AuthError::insufficient_scope("a"),
                r#"{"title":"Forbidden","status":403,"error":"insufficient_scope"}"#,
            ),
            (
                AuthError::denied("secret_reason"),
                r#"{"title":"Forbidden","status":403}"#,
            ),
            (
                AuthError::from_reason(&Reason::new("secret_reason").with_public_code("plan_lacks_feature")),
                r#"{"title":"Forbidden","status":403,"code":"plan_lacks_feature"}"#,
            ),
            (
                AuthError::from_reason(&Reason::new("secret_reason").with_public_code("\",\"x\":\"")),
                r#"{"title":"Forbidden","status":403}"#,
            ),
            (
                AuthError::unavailable("x"),
                r#"{"title":"Service Unavailable","status":503}"#,
            ),
            (
                AuthError::misconfigured("x").with_source("internal host name"),
                r#"{"title":"Internal Server Error","status":500}"#,
            ),
        ];
        for (error, expected) in table {
            let response: Response<Bytes> = refuse(error);
            assert_eq!(response.body(), expected);
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
            assert!(response.extensions().get::<AuthError>().is_some());
        }
    }
}
