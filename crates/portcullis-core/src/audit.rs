//! What happened about a caller, told to whoever keeps account.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{AuthError, AuthErrorKind, Authentication, Decision, Delivery, Method};

/// Keeps account of what was decided: a log, counters, an audit trail.
///
/// Called on the way of the request, so it must be quick and must not block; one that writes over the network
/// puts events into a queue. What cannot be written is the sink's own concern: no request fails for it.
/// Closures are sinks.
///
/// `LedgerLayer` of `portcullis-tower` takes one, and that crate has sinks for `tracing` and `metrics`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no account of events",
    note = "write a closure `|event: &AuditEvent<'_>| …`, or implement `AuditSink`"
)]
pub trait AuditSink: Send + Sync + 'static {
    /// Takes note of an event.
    fn record(&self, event: &AuditEvent<'_>);
}

impl<F: Fn(&AuditEvent<'_>) + Send + Sync + 'static> AuditSink for F {
    fn record(&self, event: &AuditEvent<'_>) {
        self(event);
    }
}

/// Both keep account.
impl<A: AuditSink, B: AuditSink> AuditSink for (A, B) {
    fn record(&self, event: &AuditEvent<'_>) {
        self.0.record(event);
        self.1.record(event);
    }
}

impl<S: AuditSink + ?Sized> AuditSink for Arc<S> {
    fn record(&self, event: &AuditEvent<'_>) {
        (**self).record(event);
    }
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuditKind {
    /// Credentials held.
    Authenticated,
    /// Credentials, or their absence, were refused.
    Refused,
    /// A decision granted.
    Granted,
    /// A decision denied.
    Denied,
    /// A decision asked for stronger or fresher authentication.
    StepUp,
    /// It could not be decided, whether who calls or what they may do.
    Unavailable,
    /// Something succeeded that nobody had decided about, or in spite of a refusal.
    Undecided,
    /// A person signed in.
    SignedIn,
    /// A person signed out.
    SignedOut,
    /// A secret or an identifier was exchanged for a new one.
    Rotated,
    /// Credentials were taken back.
    Revoked,
}

impl AuditKind {
    /// A name for logs and metrics. Stable.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authenticated => "authenticated",
            Self::Refused => "refused",
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::StepUp => "step_up",
            Self::Unavailable => "unavailable",
            Self::Undecided => "undecided",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::Rotated => "rotated",
            Self::Revoked => "revoked",
        }
    }
}

impl fmt::Display for AuditKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that happened about a caller.
///
/// It names who ([issuer](Self::issuer) and [subject](Self::subject), as far as the method said), what was asked
/// for and what came of it. It never holds a credential, and nothing of the request but its method and the
/// *template* of its route: a path is written by the caller, a template by the application.
///
/// Issuer, subject and client id come from credentials that held, and may still contain any character. Sinks that
/// write text lines escape them; [`Escaped`] does.
#[derive(Clone, Debug)]
#[must_use]
pub struct AuditEvent<'e> {
    kind: AuditKind,
    reason: Option<&'static str>,
    error: Option<AuthErrorKind>,
    need: Option<&'e str>,
    issuer: Option<&'e str>,
    subject: Option<&'e str>,
    client_id: Option<&'e str>,
    method: Option<Method>,
    delivery: Option<Delivery>,
    http_method: Option<&'e http::Method>,
    route: Option<&'e str>,
    elapsed: Option<Duration>,
}

impl<'e> AuditEvent<'e> {
    /// An event of which nothing is known but its kind.
    pub const fn new(kind: AuditKind) -> Self {
        Self {
            kind,
            reason: None,
            error: None,
            need: None,
            issuer: None,
            subject: None,
            client_id: None,
            method: None,
            delivery: None,
            http_method: None,
            route: None,
            elapsed: None,
        }
    }

    pub(crate) const fn of_kind(mut self, kind: AuditKind) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) const fn of_decision(self, decision: &Decision) -> Self {
        match decision {
            Decision::Granted => self.of_kind(AuditKind::Granted),
            Decision::Denied(reason) => self.of_kind(AuditKind::Denied).with_reason(Some(reason.code())),
            Decision::StepUp(_) => self.of_kind(AuditKind::StepUp),
            Decision::Unavailable => self
                .of_kind(AuditKind::Unavailable)
                .with_reason(Some("policy_unavailable")),
        }
    }

    pub(crate) const fn of_error(mut self, error: &AuthError) -> Self {
        self.error = Some(error.kind());
        self.reason = Some(error.reason());
        self.of_kind(match error.kind() {
            AuthErrorKind::Unavailable => AuditKind::Unavailable,
            _ => AuditKind::Refused,
        })
    }

    /// Says why, by a stable code.
    pub const fn with_reason(mut self, reason: Option<&'static str>) -> Self {
        self.reason = reason;
        self
    }

    /// Says what was asked for.
    pub const fn with_need(mut self, need: Option<&'e str>) -> Self {
        self.need = need;
        self
    }

    /// Says whom it is about.
    pub fn with_caller<P: 'static>(mut self, caller: &'e Authentication<P>) -> Self {
        self.issuer = caller.account().map(|account| account.issuer());
        self.subject = caller.account().map(|account| account.subject());
        self.client_id = caller.client_id();
        self.method = Some(caller.method());
        self.delivery = Some(caller.delivery());
        self
    }

    /// Says whom it is about where nobody authenticated.
    pub const fn with_account(mut self, issuer: &'e str, subject: Option<&'e str>) -> Self {
        self.issuer = Some(issuer);
        self.subject = subject;
        self
    }

    /// Says in the course of which request it happened; `route` is a template, never a path.
    pub const fn with_request(mut self, method: &'e http::Method, route: Option<&'e str>) -> Self {
        self.http_method = Some(method);
        self.route = route;
        self
    }

    /// Says how long after the arrival of the request it happened.
    pub const fn with_elapsed(mut self, elapsed: Duration) -> Self {
        self.elapsed = Some(elapsed);
        self
    }

    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> AuditKind {
        self.kind
    }

    /// Why, by a stable code.
    #[must_use]
    pub const fn reason(&self) -> Option<&'static str> {
        self.reason
    }

    /// How credentials were refused.
    #[must_use]
    pub const fn error(&self) -> Option<AuthErrorKind> {
        self.error
    }

    /// What was asked for: a requirement, a policy, an action.
    #[must_use]
    pub const fn need(&self) -> Option<&'e str> {
        self.need
    }

    /// Who says who the caller is.
    #[must_use]
    pub const fn issuer(&self) -> Option<&'e str> {
        self.issuer
    }

    /// Who the caller is, to the issuer.
    #[must_use]
    pub const fn subject(&self) -> Option<&'e str> {
        self.subject
    }

    /// The OAuth client.
    #[must_use]
    pub const fn client_id(&self) -> Option<&'e str> {
        self.client_id
    }

    /// How the caller was authenticated.
    #[must_use]
    pub const fn method(&self) -> Option<Method> {
        self.method
    }

    /// How the credentials arrived.
    #[must_use]
    pub const fn delivery(&self) -> Option<Delivery> {
        self.delivery
    }

    /// The method of the request.
    #[must_use]
    pub const fn http_method(&self) -> Option<&'e http::Method> {
        self.http_method
    }

    /// The template of the route.
    #[must_use]
    pub const fn route(&self) -> Option<&'e str> {
        self.route
    }

    /// How long after the arrival of the request.
    #[must_use]
    pub const fn elapsed(&self) -> Option<Duration> {
        self.elapsed
    }
}

/// Text of strangers for a line of a log: control characters, quotes and backslashes are escaped, and what is
/// longer than 200 characters is cut.
///
/// ```
/// use portcullis_core::Escaped;
///
/// let forged = "alice\n2026-01-01 granted root";
/// assert_eq!(Escaped(forged).to_string(), r"alice\n2026-01-01 granted root");
/// ```
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs)] // A wrapper, written out where it is used.
pub struct Escaped<'t>(pub &'t str);

const LONGEST: usize = 200;

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(LONGEST) {
            // Also what only looks like a line break, or turns the direction of writing.
            write!(f, "{}", character.escape_debug())?;
        }
        if characters.next().is_some() {
            f.write_str("…")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Principal;

    #[test]
    fn an_event_says_who_and_what_and_has_no_room_for_a_credential() {
        let caller = Authentication::assertion(7, Method::JWT)
            .with_account(Principal::new("https://issuer.example", "alice"))
            .with_client_id("app");
        let event = AuditEvent::new(AuditKind::SignedIn).with_caller(&caller);
        assert_eq!(
            (event.issuer(), event.subject()),
            (Some("https://issuer.example"), Some("alice"))
        );
        assert_eq!(
            (event.client_id(), event.method()),
            (Some("app"), Some(Method::JWT))
        );
        assert_eq!(event.kind().as_str(), "signed_in");
    }

    /// ASVS 16.4.1
    #[test]
    fn asvs_16_4_1_nothing_in_a_line_can_end_it() {
        for hostile in [
            "a\nb",
            "a\r\nb",
            "a\u{2028}b",
            "a\u{202e}b",
            "\u{1b}[31m",
            "a\"b",
            "a\u{0}b",
            "a\u{85}b",
        ] {
            let shown = Escaped(hostile).to_string();
            assert!(shown.chars().all(|shown| !shown.is_control()), "{shown}");
            assert!(!shown.contains(['\u{2028}', '\u{202e}', '\u{85}']), "{shown}");
        }
        assert_eq!(Escaped(&"x".repeat(300)).to_string().chars().count(), LONGEST + 1);
    }
}
