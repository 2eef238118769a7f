use std::fmt;
use std::sync::Arc;

use portcullis_core::{Clock, SystemClock};

use super::MemoryStore;

const DEFAULT_CAPACITY: usize = 100_000;
const DEFAULT_BYTES: usize = 256 * 1024 * 1024;
const DEFAULT_RESERVE: u8 = 10;

/// Builds a [`MemoryStore`]. Nothing is mandatory.
#[derive(Clone)]
#[must_use]
pub struct MemoryStoreBuilder {
    pub(super) capacity: usize,
    pub(super) max_bytes: usize,
    pub(super) reserve_percent: u8,
    pub(super) clock: Arc<dyn Clock>,
}

impl MemoryStoreBuilder {
    pub(super) fn new() -> Self {
        Self {
            capacity: DEFAULT_CAPACITY,
            max_bytes: DEFAULT_BYTES,
            reserve_percent: DEFAULT_RESERVE,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Holds this many records, and beside them revocations of as many owners; 100,000 unless called.
    pub const fn capacity(mut self, records: usize) -> Self {
        self.capacity = records;
        self
    }

    /// Holds this many bytes: keys, owners and payloads, and half a kibibyte for each record; 256 MiB unless called.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Keeps this share of both, in percent and rounded up, for records that have an owner; 10 unless called.
    /// From 100 on, a record that is nobody's is never kept.
    pub const fn reserve_for_owned(mut self, percent: u8) -> Self {
        self.reserve_percent = percent;
        self
    }

    /// Takes the time from `clock`; the system's unless called.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// An empty store.
    #[must_use]
    pub fn build(self) -> MemoryStore {
        MemoryStore::of(self)
    }
}

impl fmt::Debug for MemoryStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStoreBuilder")
            .field("capacity", &self.capacity)
            .field("max_bytes", &self.max_bytes)
            .field("reserve_percent", &self.reserve_percent)
            .field("clock", &self.clock)
            .finish()
    }
}
