//! A store in memory that keeps a log, as one that several instances share does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use portcullis_core::Timestamp;
use portcullis_store::changes::{Change, ChangeLog, LogBatch, LogPosition};
use portcullis_store::{
    Kind, MemoryStore, NewRecord, Owner, Record, RecordKey, RecordStore, Replacement, StoreError,
    StoreErrorKind, Version,
};

/// How much is read at once.
const BATCH: usize = 2;

/// What a log may get wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)] // Not every test is about careless logs.
pub(crate) enum LogFault {
    /// Every fifth entry is not written.
    Skips,
    /// Touches are entries.
    Chatters,
    /// A deletion of an owner's records is none.
    ForgetsOwners,
    /// An outage is told as silence.
    HidesOutages,
}

/// A clone is the same store.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    fault: Option<LogFault>,
    memory: MemoryStore,
    log: Arc<Mutex<Log>>,
    down: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Log {
    written: usize,
    trimmed: usize,
    changes: Vec<Change>,
}

impl Logged {
    #[allow(dead_code)] // Not every test is about careless logs.
    pub(crate) const fn with(mut self, fault: LogFault) -> Self {
        self.fault = Some(fault);
        self
    }

    pub(crate) fn new(memory: MemoryStore) -> Self {
        Self {
            fault: None,
            memory,
            log: Arc::default(),
            down: Arc::default(),
        }
    }

    /// Answers nothing, or answers again.
    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Forgets what is in the log.
    pub(crate) fn trim(&self) {
        let mut log = self.log.lock().expect("sound");
        log.trimmed += log.changes.len();
        log.changes.clear();
    }

    fn up(&self) -> Result<(), StoreError> {
        match self.down.load(Ordering::SeqCst) {
            true => Err(StoreErrorKind::Unavailable.into()),
            false => Ok(()),
        }
    }

    fn record(&self, key: &RecordKey) {
        let kind = key.kind().as_str().into();
        let id = key.id().into();
        self.write(Change::Record { kind, id });
    }

    fn owner(&self, kind: Kind, owner: &Owner) {
        let kind = kind.as_str().into();
        let owner = owner.as_bytes().into();
        if !self.is(LogFault::ForgetsOwners) {
            self.write(Change::Owner { kind, owner });
        }
    }

    fn write(&self, change: Change) {
        let mut log = self.log.lock().expect("sound");
        log.written += 1;
        if !(self.is(LogFault::Skips) && log.written.is_multiple_of(5)) {
            log.changes.push(change);
        }
    }

    fn is(&self, fault: LogFault) -> bool {
        self.fault == Some(fault)
    }
}

fn position(number: usize) -> LogPosition {
    LogPosition::new((number as u64).to_be_bytes())
}

#[async_trait]
impl ChangeLog for Logged {
    async fn end(&self) -> Result<LogPosition, StoreError> {
        self.up()?;
        let log = self.log.lock().expect("sound");
        Ok(position(log.trimmed + log.changes.len()))
    }

    async fn read(&self, after: &LogPosition) -> Result<Option<LogBatch>, StoreError> {
        if self.is(LogFault::HidesOutages) && self.up().is_err() {
            return Ok(Some(LogBatch::new(Vec::new(), after.clone(), false)));
        }
        self.up()?;
        let log = self.log.lock().expect("sound");
        let after = after.as_bytes().try_into().map(u64::from_be_bytes).expect("ours");
        let Some(read) = (after as usize).checked_sub(log.trimmed) else {
            return Ok(None);
        };
        let changes: Vec<_> = log.changes.iter().skip(read).take(BATCH).cloned().collect();
        let end = after as usize + changes.len();
        let more = end < log.trimmed + log.changes.len();
        Ok(Some(LogBatch::new(changes, position(end), more)))
    }

    async fn wait(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

#[async_trait]
impl RecordStore for Logged {
    async fn create(&self, record: NewRecord) -> Result<Version, StoreError> {
        self.up()?;
        let key = record.key().clone();
        let version = self.memory.create(record).await?;
        if self
            .memory
            .load(&key)
            .await?
            .is_some_and(|record| record.owner().is_some())
        {
            self.record(&key);
        }
        Ok(version)
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.up()?;
        self.memory.load(key).await
    }

    async fn replace(
        &self,
        key: &RecordKey,
        expected: Version,
        with: Replacement,
    ) -> Result<Version, StoreError> {
        self.up()?;
        let version = self.memory.replace(key, expected, with).await?;
        self.record(key);
        Ok(version)
    }

    async fn touch(&self, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, StoreError> {
        self.up()?;
        if self.is(LogFault::Chatters) {
            self.record(key);
        }
        self.memory.touch(key, expires_at).await
    }

    async fn take(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.up()?;
        let taken = self.memory.take(key).await?;
        taken.iter().for_each(|_| self.record(key));
        Ok(taken)
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, StoreError> {
        self.up()?;
        let deleted = self.memory.delete(key).await?;
        if deleted {
            self.record(key);
        }
        Ok(deleted)
    }

    async fn list_owned_by(&self, kind: Kind, owner: &Owner) -> Result<Vec<Record>, StoreError> {
        self.up()?;
        self.memory.list_owned_by(kind, owner).await
    }

    async fn delete_owned_by(&self, kind: Kind, owner: &Owner) -> Result<u64, StoreError> {
        self.up()?;
        let deleted = self.memory.delete_owned_by(kind, owner).await?;
        self.owner(kind, owner);
        Ok(deleted)
    }

    async fn revoke_before(&self, kind: Kind, owner: &Owner, instant: Timestamp) -> Result<u64, StoreError> {
        self.up()?;
        let revoked = self.memory.revoke_before(kind, owner, instant).await?;
        self.owner(kind, owner);
        Ok(revoked)
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        self.memory.sweep().await
    }
}
