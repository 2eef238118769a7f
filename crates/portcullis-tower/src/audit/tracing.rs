use std::borrow::Cow;

use portcullis_core::{AuditEvent, AuditKind, AuditSink, Delivery, Escaped};

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
/// | `delivery` | how the credentials arrived: `explicit` or `ambient` |
/// | `http_method`, `route` | the request; the route by its template |
/// | `elapsed_us` | microseconds since the request arrived |
///
/// What is not known is left out. `error` for [`Undecided`](AuditKind::Undecided), `warn` for what was refused, denied or
/// could not be decided, `info` for everything else. What strangers wrote is [escaped](Escaped), so that no value ends
/// a line, and is a text to the subscriber, not a rendering: a format that puts texts in quotes does so, and no value
/// looks like another field (ASVS 16.4.1). No credential is in an event to begin with.
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

/// Borrowed where there is nothing to escape, which is nearly always.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\'' | b'\\');
    if text.len() <= SHORT && text.bytes().all(is_plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(Escaped(text).to_string())
    }
}

/// Never cut.
const SHORT: usize = 200;

const fn delivery(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Explicit => "explicit",
        Delivery::Ambient => "ambient",
    }
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
            need = event.need().map(escaped).as_deref(),
            issuer = event.issuer().map(escaped).as_deref(),
            subject = event.subject().map(escaped).as_deref(),
            client_id = event.client_id().map(escaped).as_deref(),
            method = event.method().map(|method| method.as_str()),
            delivery = event.delivery().map(delivery),
            http_method = event.http_method().map(|method| escaped(method.as_str())).as_deref(),
            route = event.route().map(escaped).as_deref(),
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
