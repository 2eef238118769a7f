//! Rules 2 to 4 of the module docs.

use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};
use portcullis_core::{AuditKind, AuthError, Ledger, Standing};

use super::layer::Mode;
use crate::grpc::{is_grpc_media_type, is_grpc_web_media_type};

pub(super) enum Verdict {
    Pass,
    /// The answer passes, and was told of.
    Tell,
    Withhold(AuthError),
}

/// In the extensions of an answer: it passed, and the log and the audit know.
#[derive(Clone, Copy)]
pub(super) struct Told;

pub(super) fn judge<R>(answer: &Response<R>, ledger: &Ledger, mode: Mode) -> Verdict {
    let reason = match ledger.standing() {
        Standing::Undecided => "authorization_forgotten",
        Standing::Refused => "refusal_ignored",
        // Whatever else it may come to is something that was decided.
        _ => return Verdict::Pass,
    };
    // A layer inside that raised an alarm is stricter than a report, and was heard.
    let is_told = mode == Mode::Report && answer.extensions().get::<Told>().is_some();
    if is_told || !is_success(answer) {
        return Verdict::Pass;
    }
    ledger.note(AuditKind::Undecided, Some(reason));
    let withheld = match mode {
        Mode::WithholdAll => true,
        Mode::WithholdReads => is_read(ledger.method()),
        Mode::Report | Mode::Audit => false,
    };
    tell(ledger, reason, mode, withheld);
    if withheld {
        // The line above says more than a refusal's own would.
        return Verdict::Withhold(AuthError::misconfigured(reason));
    }
    Verdict::Tell
}

/// Whether the caller got what they asked for: 2xx, 101 and 3xx, unless it is a refusal in another form.
fn is_success<R>(answer: &Response<R>) -> bool {
    let status = answer.status();
    let succeeded =
        status.is_success() || status.is_redirection() || status == StatusCode::SWITCHING_PROTOCOLS;
    succeeded && answer.extensions().get::<AuthError>().is_none() && !is_grpc_failure(answer)
}

/// A gRPC answer without content, whose status stands in the head. To any other client that header says nothing.
fn is_grpc_failure<R>(answer: &Response<R>) -> bool {
    let headers = answer.headers();
    let speaks_grpc = headers
        .get(CONTENT_TYPE)
        .is_some_and(|media_type| is_grpc_media_type(media_type) || is_grpc_web_media_type(media_type));
    let status = headers.get("grpc-status");
    speaks_grpc && status.is_some_and(|status| status.as_bytes() != b"0")
}

/// Everything but what is known to change something. Whoever calls chooses the method, and may make one up; CONNECT
/// opens WebSockets in HTTP/2 (RFC 8441), before anything has come through them.
fn is_read(method: &Method) -> bool {
    !matches!(
        *method,
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE
    )
}

fn tell(ledger: &Ledger, reason: &'static str, mode: Mode, withheld: bool) {
    let method = ledger.method().as_str();
    // Never the path: that is written by whoever calls.
    let route = ledger.route().unwrap_or("unknown");
    let cure = match reason {
        "refusal_ignored" => "return the refusal, or ask `may` where nothing is to be enforced",
        _ => "say who may: with Gate, Authorized, AuthorizeLayer or Guarded; PublicLayer for everybody",
    };
    match (mode, withheld) {
        (Mode::Report, _) => {
            tracing::warn!(method, route, reason, cure, "an answer would be withheld");
        }
        (_, true) => tracing::error!(method, route, reason, cure, "an answer was withheld"),
        (_, false) => tracing::error!(method, route, reason, cure, "alarm: a change was answered"),
    }
}
