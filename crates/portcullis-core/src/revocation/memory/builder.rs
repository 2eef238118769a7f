use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::MemoryRevocations;
use crate::{AuditSink, Clock, SystemClock};

const DEFAULT_CAPACITY: usize = 100_000;

/// Builds a [`MemoryRevocations`]. Nothing is mandatory.
#[derive(Clone)]
#[must_use]
pub struct MemoryRevocationsBuilder {
    pub(super) capacity: usize,
    pub(super) longest_token: Option<Duration>,
    pub(super) max_lag: Option<Duration>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) audit: Option<Arc<dyn AuditSink>>,
}

impl MemoryRevocationsBuilder {
    pub(super) fn new() -> Self {
        Self {
            capacity: DEFAULT_CAPACITY,
            longest_token: None,
            max_lag: None,
            clock: Arc::new(SystemClock::new()),
            audit: None,
        }
    }

    /// Holds this many entries; 100,000 unless called.
    pub const fn capacity(mut self, entries: usize) -> Self {
        self.capacity = entries;
        self
    }

    /// Lets a subject's entry go once every token it concerns has expired: `lifetime` is that of the
    /// longest-lived token. Make the verifier refuse longer ones (`max_lifetime`). Unless called, subjects
    /// are kept for ever.
    pub const fn longest_token(mut self, lifetime: Duration) -> Self {
        self.longest_token = Some(lifetime);
        self
    }

    /// Makes the list the copy of another: undecidable until it is
    /// [confirmed](MemoryRevocations::confirm), and again when the last confirmation is older than this.
    /// Unless called, the list is complete by itself.
    pub const fn max_lag(mut self, max_lag: Duration) -> Self {
        self.max_lag = Some(max_lag);
        self
    }

    /// Takes the time from `clock`; the system's unless called.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Tells `sink` of each revocation, with the issuer and, where one is concerned, the subject. For the list into which
    /// somebody revokes; copies of it would tell the same once more.
    pub fn audit(mut self, sink: impl AuditSink) -> Self {
        self.audit = Some(Arc::new(sink));
        self
    }

    /// An empty list.
    #[must_use]
    pub fn build(self) -> MemoryRevocations {
        MemoryRevocations::of(self)
    }
}

impl fmt::Debug for MemoryRevocationsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRevocationsBuilder")
            .field("capacity", &self.capacity)
            .field("longest_token", &self.longest_token)
            .field("max_lag", &self.max_lag)
            .field("clock", &self.clock)
            .field("is_audited", &self.audit.is_some())
            .finish()
    }
}
