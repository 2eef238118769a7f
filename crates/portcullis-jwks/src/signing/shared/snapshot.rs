//! What is read without a lock, and when it has to be looked at again.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Clock, Timestamp};
use portcullis_jwt::{KeyRing, SteadyTime};

use crate::signing::RingVersion;
use crate::signing::round::{Bytes, Versioned};

/// Both readings of the clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) wall: Timestamp,
    pub(super) monotonic: Duration,
}

impl Reading {
    pub(super) fn of(clock: &dyn Clock) -> Self {
        Self {
            wall: clock.now(),
            monotonic: clock.monotonic(),
        }
    }

    /// How long ago `earlier` was, by whichever clock says more: a monotonic clock may stand still while
    /// the machine is suspended.
    pub(super) fn since(self, earlier: Self) -> Duration {
        let by_wall = self.wall.saturating_since(earlier.wall);
        by_wall.max(self.monotonic.saturating_sub(earlier.monotonic))
    }
}

#[derive(Clone)]
pub(super) struct Snapshot {
    pub(super) version: RingVersion,
    pub(super) ring: Arc<KeyRing>,
    pub(super) bytes: Bytes,
    pub(super) time: SteadyTime,
    /// How many steps of the wall clock had been believed.
    pub(super) steps: u64,
    /// When the round that confirmed the ring last had started.
    pub(super) confirmed: Reading,
    /// When that was known: rounds that started before cannot bring anything newer.
    pub(super) adopted_at: Duration,
    /// When the ring changes by itself.
    pub(super) changes_at: Duration,
    /// When the next round is due.
    pub(super) due_at: Duration,
}

impl Snapshot {
    /// The same with another ring, or with another time.
    pub(super) fn with_ring(mut self, ring: Arc<KeyRing>, monotonic: Duration) -> Self {
        let now = self.time.at(monotonic);
        self.changes_at = ring.next_change().map_or(Duration::MAX, |change| {
            monotonic.saturating_add(change.saturating_since(now))
        });
        self.ring = ring;
        self
    }

    pub(super) fn known(&self) -> Versioned {
        Versioned {
            version: self.version,
            ring: (*self.ring).clone(),
            bytes: self.bytes.clone(),
        }
    }
}
