//! How often within a time.

use std::time::Duration;

use portcullis_core::Timestamp;

use super::counter::{Next, millis, timestamp};

/// So many within any time of that length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) limit: u16,
    pub(super) within: Duration,
}

impl Rate {
    /// Each conflict is somebody who was counted, and after as many as there is room for the answer is clear.
    pub(super) fn tries(self) -> u32 {
        u32::from(self.limit).saturating_add(SPARE_TRIES)
    }
}

/// For records that expire between two steps.
pub(super) const SPARE_TRIES: u32 = 16;

/// When the last ones were, oldest first. A fixed window would let twice as many through around its end.
pub(super) struct Window {
    rate: Rate,
    instants: Vec<Timestamp>,
}

impl Window {
    /// What the record says at `now`; an empty one says nothing.
    pub(super) fn read(bytes: &[u8], rate: Rate, now: Timestamp) -> Option<Self> {
        let (chunks, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return None;
        }
        let instants = chunks.iter().map(|chunk| timestamp(u64::from_be_bytes(*chunk)));
        // What is far ahead was written by a clock that was wrong: it must not count until its time comes.
        let apart = |instant: &Timestamp| {
            let (ago, ahead) = (now.saturating_since(*instant), instant.saturating_since(now));
            ago.max(ahead)
        };
        let instants = instants.filter(|instant| apart(instant) < rate.within).collect();
        Some(Self { rate, instants })
    }

    /// How long until there is room for one more.
    pub(super) fn wait(&self, now: Timestamp) -> Duration {
        let limit = usize::from(self.rate.limit);
        let Some(over) = self.instants.len().checked_sub(limit) else {
            return Duration::ZERO;
        };
        let Some(leaves) = self.instants.get(over) else {
            return self.rate.within;
        };
        leaves.saturating_add(self.rate.within).saturating_since(now)
    }

    /// With one more, at `now`.
    pub(super) fn count(&mut self, now: Timestamp) -> Next {
        self.instants.push(now);
        self.instants.sort_unstable();
        let last = self.instants.last().copied().unwrap_or(now);
        let bytes = self
            .instants
            .iter()
            .flat_map(|instant| millis(*instant).to_be_bytes());
        Next {
            payload: bytes.collect(),
            expires_at: last.saturating_add(self.rate.within),
        }
    }
}
