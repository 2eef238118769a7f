use metrics::{counter, histogram};
use portcullis_core::{AuditEvent, AuditKind, AuditSink};

/// Counts events with the recorder of the crate `metrics`.
///
/// | name | labels |
/// |---|---|
/// | `portcullis_authentications_total` | `outcome`: `authenticated`, `refused`, `unavailable`; `reason` of a refusal |
/// | `portcullis_decisions_total` | `outcome`: `granted`, `denied`, `step_up`, `unavailable`; `route` |
/// | `portcullis_undecided_total` | `reason`, `route` |
/// | `portcullis_events_total` | `event`: everything else, such as `signed_in` |
/// | `portcullis_authentication_seconds` | `outcome`; from the arrival of the request |
/// | `portcullis_decision_seconds` | `outcome`; the same |
///
/// Labels are of a bounded number: codes of this family and of the application's policies, and templates of routes
/// (`unknown` where nobody named one). Nothing that a caller wrote is one.
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
        // An outage of a policy has no error of its own: nobody was refused.
        let is_authentication = event.error().is_some() || event.kind() == AuditKind::Authenticated;
        match event.kind() {
            _ if is_authentication => {
                counter!("portcullis_authentications_total", "outcome" => outcome, "reason" => reason)
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
