//! A store whose answers wait at a gate.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portcullis_core::Timestamp;
use portcullis_store::{
    Kind, MemoryStore, NewRecord, Owner, Record, RecordKey, RecordStore, Replacement, StoreError,
    StoreErrorKind, Version,
};
use tokio::sync::oneshot;

/// Where one answer waits. It is made by then: what happens meanwhile does not change it.
pub(crate) struct Gate {
    reached: oneshot::Receiver<()>,
    open: oneshot::Sender<()>,
}

impl Gate {
    pub(crate) async fn reached(&mut self) {
        (&mut self.reached).await.expect("somebody comes");
    }

    pub(crate) fn open(self) {
        self.open.send(()).expect("somebody waits");
    }
}

type Halt = (oneshot::Sender<()>, oneshot::Receiver<()>);

/// Memory with gates, that counts loads and fails when told. A clone is the same.
#[derive(Clone, Debug)]
pub(crate) struct Gated {
    memory: MemoryStore,
    gates: Arc<Mutex<VecDeque<Halt>>>,
    loads: Arc<AtomicUsize>,
    loses_answers: Arc<AtomicUsize>,
}

impl Gated {
    pub(crate) fn new(memory: MemoryStore) -> Self {
        Self {
            memory,
            gates: Arc::default(),
            loads: Arc::default(),
            loses_answers: Arc::default(),
        }
    }

    /// The next call, after those that were given a gate before, waits with its answer.
    pub(crate) fn gate(&self) -> Gate {
        let ((reached, told), (open, opened)) = (oneshot::channel(), oneshot::channel());
        self.gates.lock().expect("sound").push_back((reached, opened));
        Gate { reached: told, open }
    }

    /// The next change is made and reported as an outage.
    pub(crate) fn lose_an_answer(&self) {
        self.loses_answers.store(1, Ordering::SeqCst);
    }

    pub(crate) fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }

    /// What is behind, for changes that nobody in front notices.
    pub(crate) const fn memory(&self) -> &MemoryStore {
        &self.memory
    }

    async fn pass<T>(&self, answer: T) -> T {
        let gate = self.gates.lock().expect("sound").pop_front();
        if let Some((reached, opened)) = gate {
            let _ = reached.send(());
            let _ = opened.await;
        }
        answer
    }

    async fn changed<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if self.loses_answers.swap(0, Ordering::SeqCst) > 0 {
            return Err(StoreErrorKind::Unavailable.into());
        }
        self.pass(answer).await
    }
}

#[async_trait]
impl RecordStore for Gated {
    async fn create(&self, record: NewRecord) -> Result<Version, StoreError> {
        self.changed(self.memory.create(record).await).await
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.pass(self.memory.load(key).await).await
    }

    async fn replace(
        &self,
        key: &RecordKey,
        expected: Version,
        with: Replacement,
    ) -> Result<Version, StoreError> {
        self.changed(self.memory.replace(key, expected, with).await).await
    }

    async fn touch(&self, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, StoreError> {
        self.changed(self.memory.touch(key, expires_at).await).await
    }

    async fn take(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.changed(self.memory.take(key).await).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, StoreError> {
        self.changed(self.memory.delete(key).await).await
    }

    async fn list_owned_by(&self, kind: Kind, owner: &Owner) -> Result<Vec<Record>, StoreError> {
        self.memory.list_owned_by(kind, owner).await
    }

    async fn delete_owned_by(&self, kind: Kind, owner: &Owner) -> Result<u64, StoreError> {
        self.changed(self.memory.delete_owned_by(kind, owner).await).await
    }

    async fn revoke_before(&self, kind: Kind, owner: &Owner, instant: Timestamp) -> Result<u64, StoreError> {
        self.changed(self.memory.revoke_before(kind, owner, instant).await)
            .await
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        self.memory.sweep().await
    }
}
