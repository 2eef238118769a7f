use metrics::{counter, histogram};
use portcullis_core::{AuditEvent, AuditKind, AuditSink};

/// Counts events with the recorder of the crate `metrics`.
///
/// | name | labels |
/// |---|---|
/// | `portcullis_authentications_total` | `outcome`: `authenticated`, `refused`, `unavailable`; `method`; `reason` |
/// | `portcullis_decisions_total` | `outcome`: `granted`, `denied`, `step_up`, `unavailable`; `route` |
/// | `portcullis_undecided_total` | `reason`, `route` |
/// | `portcullis_events_total` | `event`: everything else, such as `signed_in` |
/// | `portcullis_authentication_seconds` | `outcome`; from the arrival of the request |
/// | `portcullis_decision_seconds` | `outcome`; the same |
///
/// Labels are of a bounded number: codes of this family and of the application's policies, and templates of routes
/// (`unknown` where nobody named one; `none` where there is no method or reason). Nothing that a caller wrote is one.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct MetricsAudit;

impl MetricsAudit {
    /// The sink.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl AuditSink for MetricsAudit {
    fn record(&self, event: &AuditEvent<'_>) {
        let outcome = event.kind().as_str();
        let route = || event.route().unwrap_or("unknown").to_owned();
        let reason = event.reason().unwrap_or("none");
        let method = event.method().map_or("none", |method| method.as_str());
        // An outage of a policy has no error of its own: nobody was refused.
        let is_authentication = event.error().is_some() || event.kind() == AuditKind::Authenticated;
        match event.kind() {
            _ if is_authentication => {
                counter!("portcullis_authentications_total",
                    "outcome" => outcome, "method" => method, "reason" => reason)
                .increment(1);
                seconds("portcullis_authentication_seconds", event);
            }
            AuditKind::Granted | AuditKind::Denied | AuditKind::StepUp | AuditKind::Unavailable => {
                counter!("portcullis_decisions_total", "outcome" => outcome, "route" => route()).increment(1);
                seconds("portcullis_decision_seconds", event);
            }
            AuditKind::Undecided => {
                counter!("portcullis_undecided_total", "reason" => reason, "route" => route()).increment(1);
            }
            _ => counter!("portcullis_events_total", "event" => outcome).increment(1),
        }
    }
}

fn seconds(name: &'static str, event: &AuditEvent<'_>) {
    if let Some(elapsed) = event.elapsed() {
        histogram!(name, "outcome" => event.kind().as_str()).record(elapsed.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use metrics::{
        Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString,
        Unit,
    };
    use portcullis_core::{AuthError, Authentication, Decision, Ledger, Method, Reason, SystemClock};

    use super::*;

    /// Writes down what is counted.
    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<String>>>);

    impl Notes {
        fn handle(&self, key: &Key) -> Arc<Noted> {
            let labels: Vec<_> = key
                .labels()
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            let text = format!("{} {}", key.name(), labels.join(" "));
            Arc::new(Noted {
                notes: self.clone(),
                text,
            })
        }
    }

    struct Noted {
        notes: Notes,
        text: String,
    }

    impl Noted {
        fn note(&self) {
            self.notes.0.lock().expect("not poisoned").push(self.text.clone());
        }
    }

    impl CounterFn for Noted {
        fn increment(&self, _: u64) {
            self.note();
        }

        fn absolute(&self, _: u64) {}
    }

    impl HistogramFn for Noted {
        fn record(&self, _: f64) {
            self.note();
        }
    }

    impl Recorder for Notes {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            Counter::from_arc(self.handle(key))
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::from_arc(self.handle(key))
        }
    }

    #[test]
    fn events_are_counted_under_what_the_application_wrote_and_nothing_else() {
        let notes = Notes::default();
        let caller = Authentication::assertion((), Method::JWT).with_client_id("stranger");
        metrics::with_local_recorder(&notes, || {
            let (sink, clock) = (Arc::new(MetricsAudit::new()), Arc::new(SystemClock::new()));
            let ledger = Ledger::audited(http::Method::GET, sink, clock);
            ledger.authenticated(&caller);
            ledger.name_route("/documents/{id}");
            ledger.decided(&Decision::Granted, &caller, Some("CanRead"));
            ledger.decided(&Decision::Denied(Reason::new("not_hers")), &caller, None);
            ledger.decided(&Decision::Unavailable, &caller, None);
            ledger.refused(&AuthError::invalid_credentials("expired"));
            ledger.refused(&AuthError::unavailable("keys_unavailable"));
            ledger.note(AuditKind::Undecided, Some("authorization_forgotten"));
            ledger.note(AuditKind::SignedOut, None);
        });
        let counted: Vec<_> = std::mem::take(&mut *notes.0.lock().expect("not poisoned"));
        let counted: Vec<_> = counted.iter().filter(|note| note.contains("_total")).collect();
        assert_eq!(
            counted,
            [
                "portcullis_authentications_total outcome=authenticated method=jwt reason=none",
                "portcullis_decisions_total outcome=granted route=/documents/{id}",
                "portcullis_decisions_total outcome=denied route=/documents/{id}",
                "portcullis_decisions_total outcome=unavailable route=/documents/{id}",
                "portcullis_authentications_total outcome=refused method=none reason=expired",
                "portcullis_authentications_total outcome=unavailable method=none reason=keys_unavailable",
                "portcullis_undecided_total reason=authorization_forgotten route=/documents/{id}",
                "portcullis_events_total event=signed_out",
            ]
        );
    }
}
