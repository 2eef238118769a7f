//! A store in this process's memory.

mod builder;
mod owners;
mod room;
mod shard;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use portcullis_core::Timestamp;

pub use self::builder::MemoryStoreBuilder;
use self::owners::Owners;
use self::room::Room;
use self::shard::{Hashed, Shard};
use crate::lifetime::whole_millis;
use crate::{
    Kind, NewRecord, Owner, Record, RecordKey, RecordStore, Replacement, StoreError, StoreErrorKind, Version,
};

const SHARDS: usize = 32;

/// Records in memory. A clone is the same store.
///
/// For one instance, and gone with it. Bounded in records and bytes: at its bound it
/// drops what has expired, and then refuses with [`Full`](StoreErrorKind::Full); what lives is never given up for
/// something new. The last tenth is kept for records that have an owner, so that strangers who start sessions
/// cannot keep users from signing in. Revocations have room of their own.
///
/// It trusts its clock: one that jumps ahead makes records expire, and what was swept then does not come back.
///
/// ```
/// use portcullis_core::{Clock, SystemClock};
/// use portcullis_store::{Kind, MemoryStore, NewRecord, Payload, RecordKey, RecordStore};
/// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// # fn wait<T>(f: impl Future<Output = T>) -> T {
/// #     match pin!(f).poll(&mut Context::from_waker(Waker::noop())) {
/// #         Poll::Ready(done) => done,
/// #         Poll::Pending => panic!("memory never waits"),
/// #     }
/// # }
/// # wait(async {
/// let store = MemoryStore::new();
/// let code = RecordKey::new(Kind::new("code"), "a digest")?;
/// let in_ten_minutes = SystemClock::new().now().saturating_add(std::time::Duration::from_secs(600));
/// store.create(NewRecord::new(code.clone(), Payload::default(), in_ten_minutes)).await?;
///
/// assert!(store.take(&code).await?.is_some());
/// assert!(store.take(&code).await?.is_none(), "a code is good once");
/// # Ok::<(), portcullis_store::StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Inner>);

/// Locks are taken in this order, and several of one kind never together: records, owners, room.
struct Inner {
    settings: MemoryStoreBuilder,
    hasher: RandomState,
    records: [RwLock<Shard>; SHARDS],
    owners: [Mutex<Owners>; SHARDS],
    room: Mutex<Room>,
    /// The last version given out, of any record: none is ever used again.
    version: AtomicU64,
}

impl MemoryStore {
    /// An empty store with the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts a configuration.
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder::new()
    }

    fn of(settings: MemoryStoreBuilder) -> Self {
        let hasher = RandomState::new();
        Self(Arc::new(Inner {
            room: Mutex::new(Room::new(&settings)),
            settings,
            records: std::array::from_fn(|_| RwLock::new(Shard::new(hasher.clone()))),
            hasher,
            owners: std::array::from_fn(|_| Mutex::default()),
            version: AtomicU64::new(0),
        }))
    }

    /// How many records take up room: those that live, and those that have expired and were not swept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.room().records()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("records", &self.len())
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }

    fn shard<'a, T>(&self, shards: &'a [T; SHARDS], hash: u64) -> &'a T {
        let [first, ..] = shards;
        // Of the middle: a map looks at both ends.
        let index = usize::try_from((hash >> 32) % SHARDS as u64).unwrap_or_default();
        shards.get(index).unwrap_or(first)
    }

    fn read(&self, key: &Hashed) -> RwLockReadGuard<'_, Shard> {
        let shard = self.shard(&self.records, key.hash());
        shard.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, key: &RecordKey) -> RwLockWriteGuard<'_, Shard> {
        let shard = self.shard(&self.records, self.hasher.hash_one(key));
        shard.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn owners(&self, kind: Kind, owner: &Owner) -> MutexGuard<'_, Owners> {
        let shard = self.shard(&self.owners, self.hasher.hash_one((kind, owner)));
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_version(&self) -> Version {
        Version::new(self.version.fetch_add(1, Ordering::Relaxed).saturating_add(1))
    }

    /// Asks once more after a sweep when there was no room.
    fn with_room<T>(&self, mut attempt: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
        match attempt() {
            Err(error) if error.kind() == StoreErrorKind::Full => {
                self.sweep();
                attempt()
            }
            other => other,
        }
    }

    fn create(&self, new: &NewRecord) -> Result<Version, StoreError> {
        let now = self.now();
        let mut shard = self.write(new.key());
        if shard.live(new.key(), now).is_some() {
            return Err(StoreErrorKind::Present.into());
        }
        let version = self.next_version();
        let record = new.clone().into_record(version, now)?;
        if let Some(expired) = shard.remove(new.key()) {
            self.forget(&expired);
        }
        self.admit(&record)?;
        shard.insert(record);
        Ok(version)
    }

    /// Gives a new record its place. Its shard is locked: whoever revokes meanwhile finds the record in the
    /// owner's list, and then waits for the shard.
    fn admit(&self, record: &Record) -> Result<(), StoreError> {
        let Some(owner) = record.owner() else {
            return self.room().enter(record);
        };
        let mut owners = self.owners(record.key().kind(), owner);
        if owners.revoked(record.key().kind(), owner) >= Some(record.lifetime().created_at()) {
            return Err(StoreErrorKind::Revoked.into());
        }
        self.room().enter(record)?;
        owners.add(record.key(), owner);
        Ok(())
    }

    /// Gives the place of a removed record back. Its shard is still locked.
    fn forget(&self, record: &Record) {
        if let Some(owner) = record.owner() {
            self.owners(record.key().kind(), owner)
                .remove(record.key(), owner);
        }
        self.room().leave(record);
    }

    fn load(&self, key: &RecordKey) -> Option<Record> {
        let (now, key) = (self.now(), Hashed::new(key, &self.hasher));
        self.read(&key).live_at(&key, now).cloned()
    }

    fn replace(&self, key: &RecordKey, expected: Version, with: &Replacement) -> Result<Version, StoreError> {
        let now = self.now();
        let mut shard = self.write(key);
        let record = shard.live(key, now).ok_or(StoreErrorKind::NotFound)?;
        if record.version() != expected {
            return Err(StoreErrorKind::Conflict.into());
        }
        let version = self.next_version();
        let next = record.clone().replaced(version, with.clone());
        self.room().exchange(record, &next)?;
        shard.insert(next);
        Ok(version)
    }

    fn touch(&self, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, StoreError> {
        let now = self.now();
        let mut shard = self.write(key);
        let record = shard.live(key, now).ok_or(StoreErrorKind::NotFound)?;
        let next = record.clone().touched(expires_at);
        let expires_at = next.lifetime().expires_at();
        shard.insert(next);
        Ok(expires_at)
    }

    /// Removes the record of `key` where `concerned`, and returns it if it lived.
    fn remove(&self, key: &RecordKey, concerned: impl FnOnce(&Record) -> bool) -> Option<Record> {
        let now = self.now();
        let mut shard = self.write(key);
        let _ = shard.any(key).filter(|record| concerned(record))?;
        let record = shard.remove(key)?;
        self.forget(&record);
        record.lifetime().lasts_at(now).then_some(record)
    }

    fn list(&self, kind: Kind, owner: &Owner) -> Vec<Record> {
        let keys = self.owners(kind, owner).keys(kind, owner);
        let records = keys.iter().filter_map(|key| self.load(key));
        records.filter(|record| record.owner() == Some(owner)).collect()
    }

    /// Removes those of `keys` that are `owner`'s and `concerned`.
    fn remove_all(&self, keys: &[RecordKey], owner: &Owner, concerned: impl Fn(&Record) -> bool) -> u64 {
        let concerned = |record: &Record| record.owner() == Some(owner) && concerned(record);
        let removed = keys.iter().filter_map(|key| self.remove(key, concerned));
        removed.map(|_| 1).sum()
    }

    fn revoke(&self, kind: Kind, owner: &Owner, instant: Timestamp) -> Result<u64, StoreError> {
        let instant = whole_millis(instant);
        let keys = {
            let mut owners = self.owners(kind, owner);
            if owners.revoked(kind, owner).is_none() {
                self.room().enter_revocation()?;
            }
            owners.revoke(kind, owner, instant);
            owners.keys(kind, owner)
        };
        Ok(self.remove_all(&keys, owner, |record| record.lifetime().created_at() <= instant))
    }

    fn sweep(&self) -> u64 {
        let now = self.now();
        let mut dropped = 0;
        for shard in &self.records {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            while let Some(record) = shard.remove_expired(now) {
                self.forget(&record);
                dropped += 1;
            }
        }
        for owners in &self.owners {
            let mut owners = owners.lock().unwrap_or_else(PoisonError::into_inner);
            let forgotten = owners.forget_revocations(now);
            self.room().leave_revocations(forgotten);
        }
        dropped
    }
}

#[async_trait]
impl RecordStore for MemoryStore {
    async fn create(&self, record: NewRecord) -> Result<Version, StoreError> {
        self.0.with_room(|| self.0.create(&record))
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        Ok(self.0.load(key))
    }

    fn load_now(&self, key: &RecordKey) -> Option<Result<Option<Record>, StoreError>> {
        Some(Ok(self.0.load(key)))
    }

    async fn replace(
        &self,
        key: &RecordKey,
        expected: Version,
        with: Replacement,
    ) -> Result<Version, StoreError> {
        self.0.with_room(|| self.0.replace(key, expected, &with))
    }

    async fn touch(&self, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, StoreError> {
        self.0.touch(key, expires_at)
    }

    async fn take(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        Ok(self.0.remove(key, |_| true))
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, StoreError> {
        Ok(self.0.remove(key, |_| true).is_some())
    }

    async fn list_owned_by(&self, kind: Kind, owner: &Owner) -> Result<Vec<Record>, StoreError> {
        Ok(self.0.list(kind, owner))
    }

    async fn delete_owned_by(&self, kind: Kind, owner: &Owner) -> Result<u64, StoreError> {
        let keys = self.0.owners(kind, owner).keys(kind, owner);
        Ok(self.0.remove_all(&keys, owner, |_| true))
    }

    async fn revoke_before(&self, kind: Kind, owner: &Owner, instant: Timestamp) -> Result<u64, StoreError> {
        self.0.with_room(|| self.0.revoke(kind, owner, instant))
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        Ok(self.0.sweep())
    }
}

#[cfg(test)]
mod tests;
