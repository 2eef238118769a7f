//! A store in memory that stops, fails or answers late when a test says so.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_core::Secret;
use portcullis_jwks::{
    Replaced, RingStore, RingStoreError, RingVersion, SharedSigningKeys, SharedSigningKeysBuilder, StoredRing,
};
use portcullis_jwt::{Algorithm, KeyRing, SigningKey, SigningKeys};
use portcullis_test::ManualClock;
use tokio::sync::{Barrier, Semaphore};

/// A clone is the same store.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stored: Mutex<Option<StoredRing>>,
    down: AtomicBool,
    loads: AtomicUsize,
    replaces: AtomicUsize,
    /// Whether the next replacement is done, and reported as failed.
    loses_answer: AtomicBool,
    /// Where replacements meet before any of them is done.
    meeting: Mutex<Option<Arc<Barrier>>>,
    /// What a load needs a permit of.
    gate: Semaphore,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            stored: Mutex::default(),
            down: AtomicBool::default(),
            loads: AtomicUsize::default(),
            replaces: AtomicUsize::default(),
            loses_answer: AtomicBool::default(),
            meeting: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS / 2),
        }
    }
}

impl MemoryStore {
    pub(crate) fn set_down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }

    /// Lets the next replacement be done, and reports it as failed.
    pub(crate) fn lose_next_answer(&self) {
        self.0.loses_answer.store(true, Ordering::SeqCst);
    }

    pub(crate) fn loads(&self) -> usize {
        self.0.loads.load(Ordering::SeqCst)
    }

    pub(crate) fn replaces(&self) -> usize {
        self.0.replaces.load(Ordering::SeqCst)
    }

    /// Lets `writers` replacements meet before any of them is done, once.
    pub(crate) fn meet(&self, writers: usize) {
        *self.0.meeting.lock().expect("not poisoned") = Some(Arc::new(Barrier::new(writers)));
    }

    /// Holds loads back until [`release`](Self::release).
    pub(crate) fn hold(&self) {
        let all = self.0.gate.available_permits();
        self.0.gate.forget_permits(all);
    }

    pub(crate) fn release(&self) {
        self.0.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// What an operator does who brings a backup back.
    pub(crate) fn stored(&self) -> Option<StoredRing> {
        self.0.stored.lock().expect("not poisoned").clone()
    }

    pub(crate) fn set_stored(&self, stored: Option<StoredRing>) {
        *self.0.stored.lock().expect("not poisoned") = stored;
    }
}

#[async_trait::async_trait]
impl RingStore for MemoryStore {
    async fn load(&self) -> Result<Option<StoredRing>, RingStoreError> {
        self.0.loads.fetch_add(1, Ordering::SeqCst);
        self.0.gate.acquire().await.expect("never closed").forget();
        if self.0.down.load(Ordering::SeqCst) {
            return Err(RingStoreError::new("the store is down"));
        }
        Ok(self.stored())
    }

    async fn replace(
        &self,
        expected: Option<RingVersion>,
        bytes: Secret<Vec<u8>>,
    ) -> Result<Replaced, RingStoreError> {
        self.0.replaces.fetch_add(1, Ordering::SeqCst);
        let meeting = self.0.meeting.lock().expect("not poisoned").clone();
        if let Some(meeting) = meeting {
            meeting.wait().await;
            *self.0.meeting.lock().expect("not poisoned") = None;
        }
        if self.0.down.load(Ordering::SeqCst) {
            return Err(RingStoreError::new("the store is down"));
        }
        let mut stored = self.0.stored.lock().expect("not poisoned");
        let last = stored.as_ref().map(StoredRing::version);
        if last != expected {
            return Ok(Replaced::Conflict);
        }
        let next = RingVersion::new(last.map_or(1, |last| last.number() + 1));
        *stored = Some(StoredRing::new(next, bytes));
        if self.0.loses_answer.swap(false, Ordering::SeqCst) {
            return Err(RingStoreError::new("the answer was lost"));
        }
        Ok(Replaced::Done(next))
    }
}

/// An instance named `name`: the keys it makes are `name-1`, `name-2`, …
pub(crate) fn instance(
    store: &MemoryStore,
    clock: &ManualClock,
    name: &'static str,
) -> SharedSigningKeysBuilder {
    let made = AtomicUsize::new(0);
    SharedSigningKeys::builder(store.clone(), Algorithm::EdDsa)
        .clock(clock.clone())
        .generate(move || {
            let number = made.fetch_add(1, Ordering::SeqCst) + 1;
            Ok(SigningKey::generate(Algorithm::EdDsa)?.with_kid(format!("{name}-{number}")))
        })
}

pub(crate) async fn open(store: &MemoryStore, clock: &ManualClock, name: &'static str) -> SharedSigningKeys {
    instance(store, clock, name)
        .open()
        .await
        .expect("the store answers")
}

pub(crate) fn current(keys: &SharedSigningKeys) -> Arc<KeyRing> {
    keys.current().expect("confirmed recently")
}

pub(crate) fn signing(keys: &SharedSigningKeys) -> Option<String> {
    current(keys).signing_key().map(|key| key.kid().to_owned())
}

pub(crate) fn published(keys: &SharedSigningKeys) -> Vec<String> {
    current(keys)
        .published()
        .map(|key| key.kid().to_owned())
        .collect()
}

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
