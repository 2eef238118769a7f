//! The stores of this crate keep the contract, and the contract tells a careless store from a careful one.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use portcullis_core::{Clock, Timestamp};
use portcullis_store::contract::{self, Backend};
use portcullis_store::{
    CachingStore, Kind, MemoryStore, NewRecord, Owner, Record, RecordKey, RecordStore, Replacement,
    StoreError, StoreErrorKind, Version,
};
use portcullis_test::ManualClock;

use crate::in_memory::InMemory;
use crate::log::{LogFault, Logged};

#[path = "support/in_memory.rs"]
mod in_memory;
#[path = "support/log.rs"]
mod log;

/// T-ONCE-1, T-SESS-1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_store_keeps_the_contract() {
    let kept = contract::check(&InMemory::over(|memory, _| memory)).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
}

/// T-ONCE-1, T-SESS-1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cache_in_front_of_the_memory_store_keeps_the_contract() {
    let backend = InMemory::over(|memory, clock| Arc::new(CachingStore::new(memory).clock(clock)));
    let kept = contract::check(&backend).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
}

/// What a store may get wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// `take` looks, waits, and removes.
    TakesTwice,
    /// `replace` looks, waits, and writes.
    SwapsTwice,
    /// `replace` creates what is not there.
    Upserts,
    /// `touch` creates what is not there.
    TouchResurrects,
    /// `touch` moves the end to wherever it is told.
    TouchShortens,
    /// `create` writes over what is there.
    Overwrites,
    /// What has expired is found until it is swept.
    ReadsTheDead,
    /// A revocation is a deletion.
    ForgetsRevocations,
    /// An owner's list is that of all kinds of failure: empty.
    ListsNothing,
    /// An outage is told as absence.
    HidesOutages,
}

/// Memory that is careless in one way.
#[derive(Clone, Debug)]
struct Careless {
    memory: MemoryStore,
    clock: ManualClock,
    fault: Fault,
    down: Arc<AtomicBool>,
    /// How many are between looking and doing.
    met: Arc<AtomicUsize>,
    /// What was ever created or loaded, for faults that dig it up.
    seen: Arc<std::sync::Mutex<Vec<Record>>>,
}

impl Careless {
    fn new(memory: MemoryStore, clock: ManualClock, fault: Fault) -> Self {
        Self {
            memory,
            clock,
            fault,
            down: Arc::default(),
            met: Arc::default(),
            seen: Arc::default(),
        }
    }

    fn answers(&self) -> Result<(), StoreError> {
        if self.down.load(Ordering::SeqCst) && self.fault != Fault::HidesOutages {
            return Err(StoreErrorKind::Unavailable.into());
        }
        Ok(())
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn dig_up(&self, key: &RecordKey) -> Option<Record> {
        let seen = self.seen.lock().expect("not poisoned");
        seen.iter().rev().find(|record| record.key() == key).cloned()
    }

    /// Puts something in place of whatever is there.
    async fn put(&self, record: &Record, expires_at: Timestamp) -> Result<Version, StoreError> {
        self.memory.delete(record.key()).await?;
        let limit = record.lifetime().limit().max(expires_at);
        let new = NewRecord::new(record.key().clone(), record.payload().clone(), expires_at).limit(limit);
        self.memory.create(new).await
    }
}

impl Careless {
    /// Waits until another is at the same point. Nobody comes where the contract asks one at a time: then not for ever.
    async fn meet(&self) {
        let before = self.met.fetch_add(1, Ordering::SeqCst);
        for _ in 0..100_000 {
            if before > 0 || self.met.load(Ordering::SeqCst) > 1 {
                return;
            }
            tokio::task::yield_now().await;
        }
        self.met.store(0, Ordering::SeqCst);
    }
}

#[async_trait]
impl RecordStore for Careless {
    async fn create(&self, record: NewRecord) -> Result<Version, StoreError> {
        self.answers()?;
        if self.is(Fault::Overwrites) {
            self.memory.delete(record.key()).await?;
        }
        let key = record.key().clone();
        let version = self.memory.create(record).await?;
        let created = self.memory.load(&key).await?;
        self.seen.lock().expect("not poisoned").extend(created);
        Ok(version)
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.answers()?;
        if self.down.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let found = self.memory.load(key).await?;
        if found.is_none() && self.is(Fault::ReadsTheDead) {
            let expired = |record: &Record| !record.lifetime().lasts_at(self.clock.now());
            return Ok(self.dig_up(key).filter(expired));
        }
        Ok(found)
    }

    async fn replace(
        &self,
        key: &RecordKey,
        expected: Version,
        with: Replacement,
    ) -> Result<Version, StoreError> {
        self.answers()?;
        if self.is(Fault::SwapsTwice)
            && let Some(found) = self.memory.load(key).await?
            && found.version() == expected
        {
            self.meet().await;
            let now = self.memory.load(key).await?;
            let version = now.map_or(expected, |found| found.version());
            return self.memory.replace(key, version, with).await;
        }
        let replaced = self.memory.replace(key, expected, with).await;
        if self.is(Fault::Upserts)
            && replaced
                .as_ref()
                .is_err_and(|error| error.kind() == StoreErrorKind::NotFound)
            && let Some(record) = self.dig_up(key)
        {
            return self.put(&record, record.lifetime().expires_at()).await;
        }
        replaced
    }

    async fn touch(&self, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, StoreError> {
        self.answers()?;
        if self.is(Fault::TouchResurrects)
            && self.memory.load(key).await?.is_none()
            && let Some(record) = self.dig_up(key)
        {
            self.put(&record, expires_at).await?;
        }
        if self.is(Fault::TouchShortens)
            && let Some(record) = self.memory.load(key).await?
        {
            self.put(&record, expires_at).await?;
        }
        self.memory.touch(key, expires_at).await
    }

    async fn take(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.answers()?;
        if self.is(Fault::TakesTwice) {
            let found = self.memory.load(key).await?;
            self.meet().await;
            self.memory.delete(key).await?;
            return Ok(found);
        }
        self.memory.take(key).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, StoreError> {
        self.answers()?;
        self.memory.delete(key).await
    }

    async fn list_owned_by(&self, kind: Kind, owner: &Owner) -> Result<Vec<Record>, StoreError> {
        self.answers()?;
        if self.is(Fault::ListsNothing) {
            return Ok(Vec::new());
        }
        self.memory.list_owned_by(kind, owner).await
    }

    async fn delete_owned_by(&self, kind: Kind, owner: &Owner) -> Result<u64, StoreError> {
        self.answers()?;
        self.memory.delete_owned_by(kind, owner).await
    }

    async fn revoke_before(&self, kind: Kind, owner: &Owner, instant: Timestamp) -> Result<u64, StoreError> {
        self.answers()?;
        if self.is(Fault::ForgetsRevocations) {
            let mut revoked = 0;
            for record in self.memory.list_owned_by(kind, owner).await? {
                if record.lifetime().created_at() <= instant {
                    revoked += u64::from(self.memory.delete(record.key()).await?);
                }
            }
            return Ok(revoked);
        }
        self.memory.revoke_before(kind, owner, instant).await
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        self.answers()?;
        self.memory.sweep().await
    }
}

/// A careless store whose connection can be cut.
#[derive(Debug)]
struct CanBeCut(InMemory<Careless>);

#[async_trait]
impl Backend for CanBeCut {
    type Store = Careless;

    async fn open(&self) -> Careless {
        self.0.store.clone()
    }

    async fn now(&self) -> Timestamp {
        self.0.now().await
    }

    async fn pass(&self, duration: Duration) {
        self.0.pass(duration).await;
    }

    async fn restart(&self) -> bool {
        true
    }

    async fn disconnect(&self) -> bool {
        self.0.store.down.store(true, Ordering::SeqCst);
        true
    }

    async fn reconnect(&self) {
        self.0.store.down.store(false, Ordering::SeqCst);
    }
}

/// T-ONCE-1, T-SESS-1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_to_be_careless_breaks_the_rule_that_is_about_it() {
    let cases = [
        (Fault::TakesTwice, "of many takes exactly one gets the record"),
        (Fault::SwapsTwice, "of many replacements exactly one is done"),
        (Fault::Upserts, "what is gone cannot be saved"),
        (Fault::Upserts, "no save brings back what was deleted"),
        (Fault::TouchResurrects, "what is gone cannot be touched"),
        (
            Fault::TouchShortens,
            "touching extends up to the limit and never shortens",
        ),
        (Fault::TouchShortens, "touching leaves the version"),
        (Fault::Overwrites, "a record is created once"),
        (Fault::ReadsTheDead, "what has expired is not found"),
        (
            Fault::ForgetsRevocations,
            "what is dated up to the instant is not created",
        ),
        (
            Fault::ListsNothing,
            "an owner's list has all that lives and nothing else",
        ),
        (Fault::HidesOutages, "an outage is told as one"),
    ];
    for (fault, rule) in cases {
        let backend = CanBeCut(InMemory::over(|memory, clock| {
            Careless::new(memory, clock, fault)
        }));
        let broken = contract::check(&backend).await.expect_err(rule);
        assert!(broken.rules().any(|broken| broken == rule), "{fault:?}: {broken}");
    }
}

/// A store with a log, on a clock that does as it is told.
#[derive(Debug)]
struct OfLogged(Logged, ManualClock);

#[async_trait]
impl Backend for OfLogged {
    type Store = Logged;

    async fn open(&self) -> Logged {
        self.0.clone()
    }

    async fn now(&self) -> Timestamp {
        self.1.now()
    }

    async fn pass(&self, duration: Duration) {
        self.1.advance(duration);
    }

    async fn restart(&self) -> bool {
        self.0.trim();
        true
    }

    async fn disconnect(&self) -> bool {
        self.0.set_down(true);
        true
    }

    async fn reconnect(&self) {
        self.0.set_down(false);
    }
}

/// T-REV-1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_way_for_a_log_to_be_careless_breaks_the_rule_that_is_about_it() {
    let checked = async |fault: Option<LogFault>| {
        let clock = ManualClock::at(1_000);
        let logged = Logged::new(MemoryStore::builder().clock(clock.clone()).build());
        let logged = fault.map_or_else(|| logged.clone(), |fault| logged.clone().with(fault));
        contract::check_log(&OfLogged(logged, clock)).await
    };
    let kept = checked(None).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
    for (fault, rule) in [
        (LogFault::Skips, "a reader beside many writers skips nothing"),
        (
            LogFault::Chatters,
            "touches and what changes nothing are in no log",
        ),
        (
            LogFault::ForgetsOwners,
            "each change is in the log once, in order",
        ),
        (LogFault::HidesOutages, "an outage of the log is told as one"),
    ] {
        let broken = checked(Some(fault))
            .await
            .expect_err("it is careless")
            .to_string();
        assert!(broken.contains(rule), "{fault:?}: {broken}");
    }
}
