//! What was decided about one request, for whoever looks whether anything was.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Extensions;

use crate::{AuditEvent, AuditKind, AuditSink, AuthError, Authentication, Clock, Decision, SharedStr};

/// The record of one request: which decisions were made about its caller.
///
/// `LedgerLayer` of `portcullis-tower` puts one into the extensions of every request and looks at it when the
/// answer comes. Everything of portcullis that enforces a decision writes into it: a layer, an extractor, a
/// [`Caller`](crate::Caller), a [`Guarded`](crate::Guarded). It belongs to the request, not to the credentials:
/// what was granted to one request says nothing about the next, and a task that the handler spawned may write as
/// well.
///
/// A clone is the same record.
///
/// ```
/// use http::Method;
/// use portcullis_core::{Ledger, Standing};
///
/// let ledger = Ledger::new(Method::GET);
/// assert_eq!(ledger.standing(), Standing::Undecided);
/// ledger.declare_public();
/// assert_eq!(ledger.standing(), Standing::Public);
/// ```
#[derive(Clone)]
pub struct Ledger(Arc<Entry>);

struct Entry {
    decided: AtomicU8,
    strictness: AtomicU8,
    method: http::Method,
    route: OnceLock<SharedStr>,
    audit: Option<Audit>,
}

struct Audit {
    sink: Arc<dyn AuditSink>,
    clock: Arc<dyn Clock>,
    began: Duration,
}

const PUBLIC: u8 = 1;
const GRANTED: u8 = 2;
const REFUSED: u8 = 4;

/// What the decisions about a request come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// Nobody decided anything: somebody forgot.
    Undecided,
    /// Nobody had to: the route was declared public.
    Public,
    /// At least one decision, and every one granted.
    Granted,
    /// At least one decision refused, whatever else was granted.
    Refused,
}

impl Standing {
    /// A name for logs and metrics. Stable.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::Public => "public",
            Self::Granted => "granted",
            Self::Refused => "refused",
        }
    }
}

impl Ledger {
    /// An empty record of a request with this method.
    #[must_use]
    pub fn new(method: http::Method) -> Self {
        Self::with(method, None)
    }

    /// An empty record that tells `sink` of everything; `clock` says how long it took.
    #[must_use]
    pub fn audited(method: http::Method, sink: Arc<dyn AuditSink>, clock: Arc<dyn Clock>) -> Self {
        let began = clock.monotonic();
        Self::with(method, Some(Audit { sink, clock, began }))
    }

    fn with(method: http::Method, audit: Option<Audit>) -> Self {
        Self(Arc::new(Entry {
            decided: AtomicU8::new(0),
            strictness: AtomicU8::new(0),
            method,
            route: OnceLock::new(),
            audit,
        }))
    }

    /// The record of a request, if a layer put one there.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// Names the route that answers, by its template: `/documents/{id}`. The first name stays.
    pub fn name_route(&self, template: impl Into<SharedStr>) {
        if self.0.route.get().is_none() {
            // A name that came first stays.
            let _ = self.0.route.set(template.into());
        }
    }

    /// The template of the route that answered, if anyone named it.
    #[must_use]
    pub fn route(&self) -> Option<&str> {
        self.0.route.get().map(AsRef::as_ref)
    }

    /// The method of the request.
    #[must_use]
    pub fn method(&self) -> &http::Method {
        &self.0.method
    }

    /// Says how strictly a layer is going to judge the answer, from 1 on; whether that is stricter than any layer outside of
    /// it, so that of several the strictest judges, and a lenient one outside switches none off.
    #[must_use]
    pub fn judge_as(&self, strictness: u8) -> bool {
        self.0.strictness.fetch_max(strictness, Ordering::AcqRel) < strictness
    }

    /// Says that the route needs no decision.
    pub fn declare_public(&self) {
        self.mark(PUBLIC);
    }

    /// Writes down a decision that is being enforced. `need` says what was asked for.
    ///
    /// Only [`Granted`](Decision::Granted) counts as one; everything else is a refusal.
    pub fn decided<P: 'static>(&self, decision: &Decision, caller: &Authentication<P>, need: Option<&str>) {
        self.mark(if *decision == Decision::Granted {
            GRANTED
        } else {
            REFUSED
        });
        self.tell(|event| event.of_decision(decision).with_caller(caller).with_need(need));
    }

    /// Writes down that a caller was authenticated. No decision.
    pub fn authenticated<P: 'static>(&self, caller: &Authentication<P>) {
        self.tell(|event| event.of_kind(AuditKind::Authenticated).with_caller(caller));
    }

    /// Writes down that credentials, or their absence, were refused. No decision.
    pub fn refused(&self, error: &AuthError) {
        self.tell(|event| event.of_error(error));
    }

    /// Writes down something else about this request.
    pub fn note(&self, kind: AuditKind, reason: Option<&'static str>) {
        self.tell(|event| event.of_kind(kind).with_reason(reason));
    }

    fn tell<'e>(&'e self, describe: impl FnOnce(AuditEvent<'e>) -> AuditEvent<'e>) {
        if let Some(audit) = &self.0.audit {
            let elapsed = audit.clock.monotonic().saturating_sub(audit.began);
            let event = AuditEvent::new(AuditKind::Authenticated)
                .with_request(&self.0.method, self.route())
                .with_elapsed(elapsed);
            audit.sink.record(&describe(event));
        }
    }

    fn mark(&self, bit: u8) {
        // Release, so that whoever reads the mark sees what led to it.
        self.0.decided.fetch_or(bit, Ordering::Release);
    }

    /// What the decisions come to, up to now.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.0.decided.load(Ordering::Acquire) {
            decided if decided & REFUSED != 0 => Standing::Refused,
            decided if decided & GRANTED != 0 => Standing::Granted,
            decided if decided & PUBLIC != 0 => Standing::Public,
            _ => Standing::Undecided,
        }
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("method", &self.0.method)
            .field("route", &self.route())
            .field("standing", &self.standing())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Method, Reason, StepUp};

    fn after(decisions: &[Decision]) -> Standing {
        let ledger = Ledger::new(http::Method::GET);
        let caller = Authentication::assertion((), Method::JWT);
        for decision in decisions {
            ledger.decided(decision, &caller, None);
        }
        ledger.standing()
    }

    #[test]
    fn only_granted_counts_and_one_refusal_outweighs_every_grant() {
        let denied = || Decision::Denied(Reason::new("x"));
        let granted = || Decision::Granted;
        let table = [
            (vec![], Standing::Undecided),
            (vec![granted()], Standing::Granted),
            (vec![granted(), granted()], Standing::Granted),
            (vec![denied()], Standing::Refused),
            (vec![granted(), denied()], Standing::Refused),
            (vec![denied(), granted()], Standing::Refused),
            (vec![granted(), Decision::Unavailable], Standing::Refused),
            (vec![Decision::StepUp(StepUp::new())], Standing::Refused),
        ];
        for (decisions, standing) in table {
            assert_eq!(after(&decisions), standing, "{decisions:?}");
        }
    }

    #[test]
    fn authentication_is_no_decision() {
        let ledger = Ledger::new(http::Method::GET);
        ledger.authenticated(&Authentication::assertion((), Method::JWT));
        assert_eq!(ledger.standing(), Standing::Undecided);
        ledger.refused(&AuthError::missing_credentials());
        assert_eq!(ledger.standing(), Standing::Undecided);
    }

    #[test]
    fn a_public_route_may_decide_and_is_then_held_to_it() {
        let ledger = Ledger::new(http::Method::GET);
        ledger.declare_public();
        let caller = Authentication::assertion((), Method::JWT);
        ledger.decided(&Decision::Denied(Reason::new("x")), &caller, None);
        assert_eq!(ledger.standing(), Standing::Refused);
    }

    #[test]
    fn the_first_name_of_a_route_stays_and_clones_are_the_same_record() {
        let ledger = Ledger::new(http::Method::GET);
        let clone = ledger.clone();
        clone.name_route("/documents/{id}");
        ledger.name_route("/");
        assert_eq!(ledger.route(), Some("/documents/{id}"));
        ledger.declare_public();
        assert_eq!(clone.standing(), Standing::Public);
    }
}
