//! Failures in a row.

use std::time::Duration;

use portcullis_core::Timestamp;

use super::counter::{Next, millis, timestamp};
use super::window::SPARE_TRIES;

/// What a row of failures costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// So many are free, and forgotten as long after the last.
    pub(super) free: u32,
    pub(super) forgotten_after: Duration,
    /// From there on each doubles the wait, up to this.
    pub(super) longest_wait: Duration,
    /// And after so many, nothing passes.
    pub(super) stop: u32,
    /// More than the free ones are remembered for so long.
    pub(super) remembered_for: Duration,
}

impl Row {
    pub(super) const fn tries(&self) -> u32 {
        self.free.saturating_add(SPARE_TRIES)
    }

    fn memory(&self, count: u32) -> Duration {
        if count < self.free {
            self.forgotten_after
        } else {
            self.remembered_for
        }
    }

    /// How long after the last of so many the next may be.
    fn pause(&self, count: u32) -> Duration {
        if count >= self.stop {
            return self.remembered_for;
        }
        let Some(beyond) = count.checked_sub(self.free) else {
            return Duration::ZERO;
        };
        let factor = 2_u32.checked_pow(beyond).unwrap_or(u32::MAX);
        self.forgotten_after.saturating_mul(factor).min(self.longest_wait)
    }
}

/// A row of failures, when its last was, and until when the source is familiar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Failures {
    count: u32,
    last: Timestamp,
    familiar_until: Timestamp,
}

impl Failures {
    /// What the record says; an empty one says nothing.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let (count, rest) = bytes.split_first_chunk::<4>()?;
        let (last, rest) = rest.split_first_chunk::<8>()?;
        let familiar_until: [u8; 8] = rest.try_into().ok()?;
        Some(Self {
            count: u32::from_be_bytes(*count),
            last: timestamp(u64::from_be_bytes(*last)),
            familiar_until: timestamp(u64::from_be_bytes(familiar_until)),
        })
    }

    pub(super) fn is_familiar(&self, now: Timestamp) -> bool {
        now < self.familiar_until
    }

    fn counted(&self, row: &Row, now: Timestamp) -> u32 {
        // What is far ahead was written by a clock that was wrong: nobody waits for its time.
        let apart = now
            .saturating_since(self.last)
            .max(self.last.saturating_since(now));
        if apart < row.memory(self.count) {
            self.count
        } else {
            0
        }
    }

    /// How long until the next may be.
    pub(super) fn wait(&self, row: &Row, now: Timestamp) -> Duration {
        let pause = row.pause(self.counted(row, now));
        pause.saturating_sub(now.saturating_since(self.last))
    }

    pub(super) fn failed(&self, row: &Row, now: Timestamp) -> Self {
        Self {
            count: self.counted(row, now).saturating_add(1),
            last: now,
            ..*self
        }
    }

    pub(super) fn succeeded(&self, now: Timestamp, familiar_for: Duration) -> Self {
        Self {
            count: 0,
            last: now,
            familiar_until: now.saturating_add(familiar_for),
        }
    }

    /// As it is kept: for as long as any of it matters.
    pub(super) fn next(&self, row: &Row) -> Next {
        let count = self.count.to_be_bytes();
        let times = [self.last, self.familiar_until].map(|time| millis(time).to_be_bytes());
        Next {
            payload: [&count[..], times.as_flattened()].concat(),
            expires_at: self
                .last
                .saturating_add(row.memory(self.count))
                .max(self.familiar_until),
        }
    }
}
