//! Backends in memory for the contract, sound ones and careless ones.

use std::time::Duration;

use async_trait::async_trait;
use portcullis_core::{Clock, Timestamp};
use portcullis_store::contract::Backend;
use portcullis_store::{MemoryStore, RecordStore};
use portcullis_test::ManualClock;

/// Whatever `S` is, over memory and a clock by hand.
#[derive(Debug)]
pub(crate) struct InMemory<S> {
    pub(crate) clock: ManualClock,
    pub(crate) store: S,
}

impl<S> InMemory<S> {
    pub(crate) fn over(wrap: impl FnOnce(MemoryStore, ManualClock) -> S) -> Self {
        let clock = ManualClock::at(1_800_000_000);
        let memory = MemoryStore::builder().clock(clock.clone()).build();
        let store = wrap(memory, clock.clone());
        Self { clock, store }
    }
}

#[async_trait]
impl<S: RecordStore + Clone> Backend for InMemory<S> {
    type Store = S;

    async fn open(&self) -> S {
        self.store.clone()
    }

    async fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn pass(&self, duration: Duration) {
        self.clock.advance(duration);
    }
}
