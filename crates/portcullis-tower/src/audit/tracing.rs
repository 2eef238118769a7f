use portcullis_core::{AuditEvent, AuditKind, AuditSink, Escaped};
use tracing::field::{DisplayValue, display};

/// Writes each event as a `tracing` event with the target `portcullis::audit`.
///
/// | field | |
/// |---|---|
/// | `event` | what it is about: `granted`, `denied`, … ([`AuditKind::as_str`]) |
/// | `reason` | why, by a stable code |
/// | `error` | how credentials were refused, by the kind of the refusal |
/// | `need` | what was asked for: a requirement, a policy, an action |
/// | `issuer`, `subject`, `client_id` | who |
/// | `method` | how they were authenticated |
/// | `http_method`, `route` | the request; the route by its template |
/// | `elapsed_us` | microseconds since the request arrived |
///
/// What is not known is left out. `error` for [`Undecided`](AuditKind::Undecided), `warn` for what was refused, denied or
/// could not be decided, `info` for everything else. What strangers wrote is [escaped](Escaped), so that no value ends
/// a line (ASVS 16.4.1); no credential is in an event to begin with.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TracingAudit;

impl TracingAudit {
    /// The sink.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

fn escaped(text: Option<&str>) -> Option<DisplayValue<Escaped<'_>>> {
    text.map(|text| display(Escaped(text)))
}

macro_rules! emit {
    ($level:expr, $event:expr) => {{
        let event = $event;
        tracing::event!(
            target: "portcullis::audit",
            $level,
            event = event.kind().as_str(),
            reason = event.reason(),
            error = event.error().map(|kind| kind.as_str()),
            need = event.need(),
            issuer = escaped(event.issuer()),
            subject = escaped(event.subject()),
            client_id = escaped(event.client_id()),
            method = event.method().map(|method| method.as_str()),
            http_method = escaped(event.http_method().map(|method| method.as_str())),
            route = event.route(),
            elapsed_us = event
                .elapsed()
                .map(|elapsed| u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)),
        );
    }};
}

impl AuditSink for TracingAudit {
    fn record(&self, event: &AuditEvent<'_>) {
        match event.kind() {
            AuditKind::Undecided => emit!(tracing::Level::ERROR, event),
            AuditKind::Refused | AuditKind::Denied | AuditKind::StepUp | AuditKind::Unavailable => {
                emit!(tracing::Level::WARN, event);
            }
            _ => emit!(tracing::Level::INFO, event),
        }
    }
}
