//! A part of the records, with the order in which they expire.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

use portcullis_core::Timestamp;

use crate::{Record, RecordKey};

pub(super) struct Shard {
    hasher: RandomState,
    records: HashMap<Hashed, Record, BuildHasherDefault<Known>>,
    /// One entry for each record.
    expiries: BTreeSet<(Timestamp, RecordKey)>,
}

/// A key with its hash: which shard it is in, and where in that one, follows from different bits of it.
#[derive(PartialEq, Eq)]
pub(super) struct Hashed {
    hash: u64,
    key: RecordKey,
}

impl Hashed {
    pub(super) fn new(key: &RecordKey, hasher: &RandomState) -> Self {
        Self {
            hash: hasher.hash_one(key),
            key: key.clone(),
        }
    }

    pub(super) const fn hash(&self) -> u64 {
        self.hash
    }
}

impl Hash for Hashed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Hands on a hash that a keyed hasher made.
#[derive(Default)]
pub(super) struct Known(u64);

impl Hasher for Known {
    /// Not called: what is hashed here is one number.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Shard {
    /// Empty. The hasher is the one whose hashes choose the shard.
    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            hasher,
            records: HashMap::default(),
            expiries: BTreeSet::new(),
        }
    }

    fn hashed(&self, key: &RecordKey) -> Hashed {
        Hashed::new(key, &self.hasher)
    }

    pub(super) fn any(&self, key: &RecordKey) -> Option<&Record> {
        self.records.get(&self.hashed(key))
    }

    /// As [`live`](Self::live), for a key whose hash is known.
    pub(super) fn live_at(&self, key: &Hashed, now: Timestamp) -> Option<&Record> {
        let record = self.records.get(key);
        record.filter(|record| record.lifetime().lasts_at(now))
    }

    pub(super) fn live(&self, key: &RecordKey, now: Timestamp) -> Option<&Record> {
        self.any(key).filter(|record| record.lifetime().lasts_at(now))
    }

    /// Puts `record` in, in place of the one of its key.
    pub(super) fn insert(&mut self, record: Record) {
        let (key, expires_at) = (record.key().clone(), record.lifetime().expires_at());
        let hashed = self.hashed(&key);
        let old = self.records.insert(hashed, record);
        match old.map(|old| old.lifetime().expires_at()) {
            Some(before) if before == expires_at => return,
            Some(before) => {
                self.expiries.remove(&(before, key.clone()));
            }
            None => {}
        }
        self.expiries.insert((expires_at, key));
    }

    pub(super) fn remove(&mut self, key: &RecordKey) -> Option<Record> {
        let record = self.records.remove(&self.hashed(key))?;
        self.expiries
            .remove(&(record.lifetime().expires_at(), key.clone()));
        Some(record)
    }

    /// Removes the record that has been dead for the longest time.
    pub(super) fn remove_expired(&mut self, now: Timestamp) -> Option<Record> {
        let (expires_at, key) = self.expiries.first()?;
        if now < *expires_at {
            return None;
        }
        let key = key.clone();
        self.remove(&key)
    }
}
