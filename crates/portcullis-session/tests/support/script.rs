use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use portcullis_core::Timestamp;
use portcullis_store::{
    Kind, MemoryStore, NewRecord, Owner, Record, RecordKey, RecordStore, Replacement, StoreError,
    StoreErrorKind, Version,
};
use tokio::sync::oneshot;

/// Memory that counts what is asked, and fails or waits where it is told. A clone is the same.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) memory: MemoryStore,
    told: Arc<Mutex<Told>>,
}

#[derive(Debug, Default)]
struct Told {
    calls: Vec<&'static str>,
    failing: Vec<&'static str>,
    halts: Vec<(&'static str, oneshot::Sender<()>, oneshot::Receiver<()>)>,
    answers_at_once: bool,
}

/// Where a call waits before it is done.
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

impl Script {
    pub(crate) fn new(memory: MemoryStore) -> Self {
        Self {
            memory,
            told: Arc::default(),
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().expect("sound")
    }

    /// What was asked since the last time.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.told().calls)
    }

    /// These verbs answer with an outage, until told otherwise.
    pub(crate) fn fail(&self, verbs: &[&'static str]) {
        self.told().failing = verbs.to_vec();
    }

    /// Loads are answered without waiting, as by memory itself.
    pub(crate) fn answer_at_once(&self) {
        self.told().answers_at_once = true;
    }

    /// The next call of this verb waits.
    pub(crate) fn hold(&self, verb: &'static str) -> Gate {
        let ((reached, told), (open, opened)) = (oneshot::channel(), oneshot::channel());
        self.told().halts.push((verb, reached, opened));
        Gate { reached: told, open }
    }

    async fn pass(&self, verb: &'static str) -> Result<(), StoreError> {
        let halt = {
            let mut told = self.told();
            told.calls.push(verb);
            let at = told.halts.iter().position(|(held, _, _)| *held == verb);
            at.map(|at| told.halts.remove(at))
        };
        if let Some((_, reached, opened)) = halt {
            let _ = reached.send(());
            opened.await.expect("the gate is opened");
        }
        if self.told().failing.contains(&verb) {
            return Err(StoreErrorKind::Unavailable.into());
        }
        Ok(())
    }
}

#[async_trait]
impl RecordStore for Script {
    async fn create(&self, record: NewRecord) -> Result<Version, StoreError> {
        self.pass("create").await?;
        self.memory.create(record).await
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.pass("load").await?;
        self.memory.load(key).await
    }

    fn load_now(&self, key: &RecordKey) -> Option<Result<Option<Record>, StoreError>> {
        let mut told = self.told();
        if !told.answers_at_once {
            return None;
        }
        told.calls.push("load");
        self.memory.load_now(key)
    }

    async fn replace(
        &self,
        key: &RecordKey,
        expected: Version,
        with: Replacement,
    ) -> Result<Version, StoreError> {
        self.pass("replace").await?;
        self.memory.replace(key, expected, with).await
    }

    async fn touch(&self, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, StoreError> {
        self.pass("touch").await?;
        self.memory.touch(key, expires_at).await
    }

    async fn take(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.pass("take").await?;
        self.memory.take(key).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, StoreError> {
        self.pass("delete").await?;
        self.memory.delete(key).await
    }

    async fn list_owned_by(&self, kind: Kind, owner: &Owner) -> Result<Vec<Record>, StoreError> {
        self.pass("list").await?;
        self.memory.list_owned_by(kind, owner).await
    }

    async fn delete_owned_by(&self, kind: Kind, owner: &Owner) -> Result<u64, StoreError> {
        self.pass("delete_owned").await?;
        self.memory.delete_owned_by(kind, owner).await
    }

    async fn revoke_before(&self, kind: Kind, owner: &Owner, instant: Timestamp) -> Result<u64, StoreError> {
        self.pass("revoke").await?;
        self.memory.revoke_before(kind, owner, instant).await
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        self.memory.sweep().await
    }
}
