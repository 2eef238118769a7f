//! Records that were loaded a moment ago, in front of a store that is far away.

mod entries;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use portcullis_core::{Clock, SystemClock, Timestamp};

use self::entries::{Entries, Found};
use crate::changes::{Change, ChangeListener};
use crate::{
    Kind, NewRecord, Owner, Record, RecordKey, RecordStore, Replacement, StoreError, Version, revocations,
};

const DEFAULT_MAX_AGE: Duration = Duration::from_secs(10);
const DEFAULT_CAPACITY: usize = 10_000;
/// Larger payloads are loaded each time.
const LARGEST: usize = 8 * 1024;

/// A store with a look-aside cache for [`load`](RecordStore::load).
///
/// # Decision rules
///
/// 1. A record is handed out without asking while it is younger than [`max_age`](Self::max_age) and lives:
///    both are looked at on every hit.
/// 2. Absence is never remembered, nor is a payload over 8 KiB, nor what [`StoredRevocations`](crate::StoredRevocations)
///    keeps: a list that is told of a change has to find it.
/// 3. Whatever changes a record through this cache drops it from the cache, also when the change fails or its
///    future is dropped.
/// 4. What was loaded is remembered only if nothing changed the record between asking and answer: a load that
///    is overtaken by a deletion brings nothing back.
/// 5. Everything but `load` goes to the store.
/// 6. Where it is [followed](Self::followed_within), it hands out nothing while the news are too old.
///
/// # What this trusts
///
/// That changes come through this cache, or that somebody calls [`forget`](Self::forget) and
/// [`forget_owned_by`](Self::forget_owned_by): what another instance changes or deletes is found here as it was until it is
/// `max_age` old. The same holds for a change whose answer was lost and which the store makes later.
///
/// # What this does not check
///
/// Whether the store answers: a hit is a hit during an outage too.
#[derive(Debug)]
pub struct CachingStore<S> {
    store: S,
    entries: Entries,
    max_age: Duration,
    /// How old the news may be, where somebody brings them, and as of when they are complete.
    max_lag: Option<Duration>,
    caught_up: AtomicU64,
    clock: Arc<dyn Clock>,
}

impl<S> CachingStore<S> {
    /// Remembers up to 10,000 records of `store` for 10 seconds each.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self {
            store,
            entries: Entries::new(DEFAULT_CAPACITY),
            max_age: DEFAULT_MAX_AGE,
            max_lag: None,
            caught_up: AtomicU64::new(0),
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Remembers a record for so long after it was asked for. With zero, for no time at all.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Hands out what it remembers only while it is told of other instances' changes: give the cache to a
    /// [`Follower`](crate::changes::Follower). When the last complete news are older than `max_lag`, and before the first, every load
    /// goes to the store.
    #[must_use]
    pub const fn followed_within(mut self, max_lag: Duration) -> Self {
        self.max_lag = Some(max_lag);
        self
    }

    /// Remembers about so many records; the one remembered for the longest time goes first. Forgets all.
    #[must_use]
    pub fn capacity(mut self, records: usize) -> Self {
        self.entries = Entries::new(records);
        self
    }

    /// Takes the time from `clock`; the system's unless called.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The store behind.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Forgets one record, and what is being loaded of it. For whoever hears that it was changed elsewhere.
    pub fn forget(&self, key: &RecordKey) {
        self.entries.forget(key);
    }

    /// Forgets an owner's records, and everything that is being loaded.
    pub fn forget_owned_by(&self, kind: Kind, owner: &Owner) {
        self.entries
            .forget_where(|record| record.key().kind() == kind && record.owner() == Some(owner));
    }

    fn may_remember(&self, record: &Record) -> bool {
        let small = record.payload().as_bytes().len() <= LARGEST;
        small && !self.max_age.is_zero() && record.key().kind() != revocations::KIND
    }

    /// Whether what is remembered may be handed out.
    fn is_up_to_date(&self) -> bool {
        let Some(max_lag) = self.max_lag else {
            return true;
        };
        let as_of = self.caught_up.load(Ordering::Acquire).checked_sub(1);
        as_of.is_some_and(|as_of| {
            self.clock
                .monotonic()
                .saturating_sub(Duration::from_millis(as_of))
                <= max_lag
        })
    }

    fn remembered(&self, key: &RecordKey, asked_at: Duration) -> Found {
        let youngest = asked_at.checked_sub(self.max_age);
        let found = self.entries.find(key, self.clock.now(), |filled| {
            youngest.is_none_or(|youngest| filled > youngest)
        });
        match found {
            // Looked at after the entry: what it was filled with cannot have become old unnoticed in between.
            Found::Hit(_) if !self.is_up_to_date() => Found::Miss(self.entries.generation(key)),
            found => found,
        }
    }

    /// Forgets everything: for whoever cannot say what was changed elsewhere.
    pub fn forget_all(&self) {
        self.entries.forget_where(|_| true);
    }
}

/// Runs when a change is over, however it ends.
struct Over<F: FnMut()>(F);

impl<F: FnMut()> Drop for Over<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[async_trait]
impl<S: RecordStore> ChangeListener for CachingStore<S> {
    async fn changed(&self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes {
            self.entries.forget_changed(change);
        }
        Ok(())
    }

    async fn lost(&self) -> Result<(), StoreError> {
        self.forget_all();
        Ok(())
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn caught_up(&self, as_of: Duration) {
        // A reading of the future would hide what comes until then.
        let as_of = as_of.min(self.clock.monotonic()).as_millis();
        let as_of = u64::try_from(as_of).unwrap_or(u64::MAX).saturating_add(1);
        self.caught_up.fetch_max(as_of, Ordering::AcqRel);
    }
}

#[async_trait]
impl<S: RecordStore> RecordStore for CachingStore<S> {
    async fn create(&self, record: NewRecord) -> Result<Version, StoreError> {
        let key = record.key().clone();
        let _over = Over(|| self.forget(&key));
        self.store.create(record).await
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let asked_at = self.clock.monotonic();
        let generation = match self.remembered(key, asked_at) {
            Found::Hit(record) => return Ok(Some(record)),
            Found::Miss(generation) => generation,
        };
        let loaded = self.store.load(key).await?;
        match &loaded {
            Some(record) if !self.may_remember(record) => {}
            Some(record) => self.entries.fill(generation, record, asked_at),
            // A load of the same record that was slower must not bring it back.
            None => self.forget(key),
        }
        Ok(loaded)
    }

    fn load_now(&self, key: &RecordKey) -> Option<Result<Option<Record>, StoreError>> {
        match self.remembered(key, self.clock.monotonic()) {
            Found::Hit(record) => Some(Ok(Some(record))),
            Found::Miss(_) => None,
        }
    }

    async fn replace(
        &self,
        key: &RecordKey,
        expected: Version,
        with: Replacement,
    ) -> Result<Version, StoreError> {
        let _over = Over(|| self.forget(key));
        self.store.replace(key, expected, with).await
    }

    async fn touch(&self, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, StoreError> {
        let _over = Over(|| self.forget(key));
        self.store.touch(key, expires_at).await
    }

    async fn take(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let _over = Over(|| self.forget(key));
        self.store.take(key).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, StoreError> {
        let _over = Over(|| self.forget(key));
        self.store.delete(key).await
    }

    async fn list_owned_by(&self, kind: Kind, owner: &Owner) -> Result<Vec<Record>, StoreError> {
        self.store.list_owned_by(kind, owner).await
    }

    async fn delete_owned_by(&self, kind: Kind, owner: &Owner) -> Result<u64, StoreError> {
        let _over = Over(|| self.forget_owned_by(kind, owner));
        self.store.delete_owned_by(kind, owner).await
    }

    async fn revoke_before(&self, kind: Kind, owner: &Owner, instant: Timestamp) -> Result<u64, StoreError> {
        let _over = Over(|| self.forget_owned_by(kind, owner));
        self.store.revoke_before(kind, owner, instant).await
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        self.store.sweep().await
    }
}
