//! What is remembered, and how often it was changed.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use portcullis_core::Timestamp;

use crate::changes::Change;
use crate::{Kind, Owner, Record, RecordKey};

const SHARDS: usize = 16;
/// Keys that share a count keep each other's loads from being remembered. Many counts, so that a flood of
/// unknown keys cannot do that to everybody.
const COUNTS: usize = 64;

pub(super) struct Entries {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
    per_shard: usize,
    /// Every kind that was asked for: a log names kinds by text.
    kinds: RwLock<Vec<Kind>>,
}

struct Shard {
    /// How often records were forgotten.
    counts: [u64; COUNTS],
    entries: HashMap<RecordKey, Entry>,
    /// In the order in which they were filled.
    order: BTreeMap<u64, RecordKey>,
    next: u64,
}

struct Entry {
    record: Record,
    /// When it was asked for, on the monotonic clock.
    asked_at: Duration,
    place: u64,
}

pub(super) enum Found {
    Hit(Record),
    /// How often it was forgotten before.
    Miss(u64),
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            counts: [0; COUNTS],
            entries: HashMap::new(),
            order: BTreeMap::new(),
            next: 0,
        }
    }
}

impl Shard {
    fn remove(&mut self, key: &RecordKey) {
        if let Some(entry) = self.entries.remove(key) {
            self.order.remove(&entry.place);
        }
    }

    fn insert(&mut self, record: &Record, asked_at: Duration) {
        let place = self.next;
        self.next += 1;
        self.order.insert(place, record.key().clone());
        let record = record.clone();
        let entry = Entry {
            record,
            asked_at,
            place,
        };
        self.entries.insert(entry.record.key().clone(), entry);
    }
}

impl Entries {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
            per_shard: capacity.div_ceil(SHARDS),
            kinds: RwLock::default(),
        }
    }

    /// The shard of `key`, and which of its counts is that of `key`.
    fn shard(&self, key: &RecordKey) -> (MutexGuard<'_, Shard>, usize) {
        let hash = usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or_default();
        let [first, ..] = &self.shards;
        let shard = self.shards.get(hash % SHARDS).unwrap_or(first);
        (
            shard.lock().unwrap_or_else(PoisonError::into_inner),
            hash / SHARDS % COUNTS,
        )
    }

    /// A record that lives at `now` and whose age is `young` enough.
    pub(super) fn find(
        &self,
        key: &RecordKey,
        now: Timestamp,
        young: impl FnOnce(Duration) -> bool,
    ) -> Found {
        let (mut shard, _) = self.shard(key);
        if let Some(entry) = shard.entries.get(key) {
            if entry.record.lifetime().lasts_at(now) && young(entry.asked_at) {
                return Found::Hit(entry.record.clone());
            }
            shard.remove(key);
        }
        drop(shard);
        Found::Miss(self.generation(key))
    }

    /// How often what shares a count with `key` was forgotten, for a load that begins now.
    pub(super) fn generation(&self, key: &RecordKey) -> u64 {
        self.remember_kind(key.kind());
        let (shard, count) = self.shard(key);
        shard.counts.get(count).copied().unwrap_or_default()
    }

    fn remember_kind(&self, kind: Kind) {
        if self.kind(kind.as_str()).is_none() {
            let mut kinds = self.kinds.write().unwrap_or_else(PoisonError::into_inner);
            kinds.push(kind);
        }
    }

    fn kind(&self, name: &str) -> Option<Kind> {
        let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        kinds.iter().find(|kind| kind.as_str() == name).copied()
    }

    /// Forgets what an entry of a log is about. Of a kind that nobody asked for there is nothing.
    pub(super) fn forget_changed(&self, change: &Change) {
        let Some(kind) = self.kind(change.kind()) else {
            return;
        };
        match change {
            Change::Record { id, .. } => {
                if let Ok(key) = RecordKey::new(kind, id) {
                    self.forget(&key);
                }
            }
            Change::Owner { owner, .. } => self.forget_where(|record| {
                let by = record.owner().map(Owner::as_bytes);
                record.key().kind() == kind && by == Some(owner)
            }),
        }
    }

    /// Remembers what was loaded, unless it was forgotten meanwhile or a later version is known.
    pub(super) fn fill(&self, before: u64, record: &Record, asked_at: Duration) {
        let (mut shard, count) = self.shard(record.key());
        let changed = shard.counts.get(count) != Some(&before);
        let known = shard.entries.get(record.key());
        if changed || known.is_some_and(|known| known.record.version() > record.version()) {
            return;
        }
        shard.remove(record.key());
        while shard.entries.len() >= self.per_shard {
            let Some((_, oldest)) = shard.order.pop_first() else {
                return;
            };
            shard.entries.remove(&oldest);
        }
        shard.insert(record, asked_at);
    }

    pub(super) fn forget(&self, key: &RecordKey) {
        let (mut shard, count) = self.shard(key);
        if let Some(count) = shard.counts.get_mut(count) {
            *count += 1;
        }
        shard.remove(key);
    }

    /// Forgets what is `concerned`, and whatever is being loaded: nobody knows yet what that is.
    pub(super) fn forget_where(&self, concerned: impl Fn(&Record) -> bool) {
        for shard in &self.shards {
            let mut guard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let shard = &mut *guard;
            shard.counts.iter_mut().for_each(|count| *count += 1);
            let order = &mut shard.order;
            shard.entries.retain(|_, entry| {
                let stays = !concerned(&entry.record);
                if !stays {
                    order.remove(&entry.place);
                }
                stays
            });
        }
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entries")
            .field("per_shard", &self.per_shard)
            .finish_non_exhaustive()
    }
}
