use std::fmt;
use std::sync::Arc;

use http::Extensions;
use portcullis_core::{AuditSink, Clock, SharedStr, SystemClock};
use tower_layer::Layer;

use super::service::KeepLedger;

/// Gives each request a record of decisions and looks at it when the answer comes. See the
/// [module docs](crate::ledger).
#[derive(Clone)]
#[must_use]
pub struct LedgerLayer {
    pub(super) settings: Settings,
}

/// What every copy of the layer and its services has in common.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) mode: Mode,
    pub(super) sink: Option<Arc<dyn AuditSink>>,
    pub(super) clock: Option<Arc<dyn Clock>>,
    pub(super) route: Option<fn(&Extensions) -> Option<SharedStr>>,
}

/// What becomes of an answer that nobody decided about; the strictest is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nobody looks.
    Audit,
    /// Logged.
    Report,
    /// Withheld unless the request changes something; otherwise an alarm.
    WithholdReads,
    /// Withheld, also where the request has changed something.
    WithholdAll,
}

impl Mode {
    /// As a record keeps it; nothing where nobody looks.
    pub(super) const fn strictness(self) -> u8 {
        match self {
            Self::Audit => 0,
            Self::Report => 1,
            Self::WithholdReads => 2,
            Self::WithholdAll => 3,
        }
    }
}

impl LedgerLayer {
    /// Withholds answers that nobody decided about; after POST, PUT, PATCH and DELETE it raises an alarm instead.
    pub fn new() -> Self {
        Self::with(Mode::WithholdReads)
    }

    /// Logs answers that nobody decided about and changes none: for an application that exists, until the log is
    /// quiet.
    pub fn report_only() -> Self {
        Self::with(Mode::Report)
    }

    /// Hands authentications and decisions to `sink`, and looks at no answer.
    pub fn audit_only(sink: impl AuditSink) -> Self {
        Self::with(Mode::Audit).audit(sink)
    }

    fn with(mode: Mode) -> Self {
        Self {
            settings: Settings {
                mode,
                sink: None,
                clock: None,
                route: None,
            },
        }
    }

    /// Withholds answers to requests that change something as well: for gRPC, where every call is a POST. What the
    /// handler has done stays done, and a client that is answered 500 may try again.
    pub fn withhold_writes(mut self) -> Self {
        if self.settings.mode == Mode::WithholdReads {
            self.settings.mode = Mode::WithholdAll;
        }
        self
    }

    /// Finds the template of the route in a request's extensions, for the log and the audit: `matched_path` of
    /// `portcullis-axum`, where this layer stands inside the router. Of no use around a finished router, which has not
    /// found the route yet, and not needed where `Gate` or an extractor names it.
    pub const fn routes(mut self, find: fn(&Extensions) -> Option<SharedStr>) -> Self {
        self.settings.route = Some(find);
        self
    }

    /// Hands authentications and decisions to `sink` as well; called twice, to both.
    pub fn audit(mut self, sink: impl AuditSink) -> Self {
        self.settings.sink = Some(match self.settings.sink.take() {
            Some(before) => Arc::new((before, sink)),
            None => Arc::new(sink),
        });
        self.settings
            .clock
            .get_or_insert_with(|| Arc::new(SystemClock::new()));
        self
    }

    /// Measures with `clock` how long after its arrival something about a request was decided; the system's unless
    /// called. Before or after [`audit`](Self::audit); without a sink nothing is measured.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Some(Arc::new(clock));
        self
    }
}

impl Default for LedgerLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for LedgerLayer {
    type Service = KeepLedger<S>;

    fn layer(&self, inner: S) -> KeepLedger<S> {
        KeepLedger {
            inner,
            settings: self.settings.clone(),
        }
    }
}

impl fmt::Debug for LedgerLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.debug("LedgerLayer", f)
    }
}

impl Settings {
    pub(super) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("mode", &self.mode)
            .field("is_audited", &self.sink.is_some())
            .finish_non_exhaustive()
    }
}
