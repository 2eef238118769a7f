//! A part of the records, with the order in which they expire.

use std::collections::{BTreeSet, HashMap};

use portcullis_core::Timestamp;

use crate::{Record, RecordKey};

#[derive(Default)]
pub(super) struct Shard {
    records: HashMap<RecordKey, Record>,
    /// One entry for each record.
    expiries: BTreeSet<(Timestamp, RecordKey)>,
}

impl Shard {
    pub(super) fn any(&self, key: &RecordKey) -> Option<&Record> {
        self.records.get(key)
    }

    pub(super) fn live(&self, key: &RecordKey, now: Timestamp) -> Option<&Record> {
        self.any(key).filter(|record| record.lifetime().lasts_at(now))
    }

    /// Puts `record` in, in place of the one of its key.
    pub(super) fn insert(&mut self, record: Record) {
        let (key, expires_at) = (record.key().clone(), record.lifetime().expires_at());
        let old = self.records.insert(key.clone(), record);
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
        let record = self.records.remove(key)?;
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
