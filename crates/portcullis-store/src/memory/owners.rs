//! What each owner has, and up to when it was revoked.

use std::collections::{BTreeSet, HashMap, HashSet};

use portcullis_core::Timestamp;

use crate::{Kind, Owner, REMEMBERED, RecordKey};

type Name = (Kind, Owner);

#[derive(Default)]
pub(super) struct Owners {
    owners: HashMap<Name, Owned>,
    /// One entry for each owner of whom something was revoked.
    revocations: BTreeSet<(Timestamp, Name)>,
}

#[derive(Default)]
struct Owned {
    keys: HashSet<RecordKey>,
    revoked: Option<Timestamp>,
}

impl Owners {
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.owners.is_empty() && self.revocations.is_empty()
    }

    /// The last instant whose records are revoked.
    pub(super) fn revoked(&self, kind: Kind, owner: &Owner) -> Option<Timestamp> {
        self.owners.get(&(kind, owner.clone()))?.revoked
    }

    pub(super) fn keys(&self, kind: Kind, owner: &Owner) -> Vec<RecordKey> {
        let owned = self.owners.get(&(kind, owner.clone()));
        owned
            .map(|owned| owned.keys.iter().cloned().collect())
            .unwrap_or_default()
    }

    pub(super) fn add(&mut self, key: &RecordKey, owner: &Owner) {
        let owned = self.owners.entry((key.kind(), owner.clone())).or_default();
        owned.keys.insert(key.clone());
    }

    pub(super) fn remove(&mut self, key: &RecordKey, owner: &Owner) {
        let name = (key.kind(), owner.clone());
        if let Some(owned) = self.owners.get_mut(&name) {
            owned.keys.remove(key);
            self.drop_if_empty(&name);
        }
    }

    pub(super) fn revoke(&mut self, kind: Kind, owner: &Owner, instant: Timestamp) {
        let name = (kind, owner.clone());
        let owned = self.owners.entry(name.clone()).or_default();
        let before = owned.revoked;
        if before >= Some(instant) {
            return;
        }
        owned.revoked = Some(instant);
        if let Some(before) = before {
            self.revocations.remove(&(before, name.clone()));
        }
        self.revocations.insert((instant, name));
    }

    /// Forgets the revocations of records that are too old to be created, and says how many.
    pub(super) fn forget_revocations(&mut self, now: Timestamp) -> usize {
        let mut forgotten = 0;
        while let Some((instant, name)) = self.revocations.first().cloned() {
            if instant.saturating_add(REMEMBERED) >= now {
                break;
            }
            if let Some(owned) = self.owners.get_mut(&name) {
                owned.revoked = None;
            }
            self.drop_if_empty(&name);
            self.revocations.remove(&(instant, name));
            forgotten += 1;
        }
        forgotten
    }

    fn drop_if_empty(&mut self, name: &Name) {
        let empty = |owned: &Owned| owned.keys.is_empty() && owned.revoked.is_none();
        if self.owners.get(name).is_some_and(empty) {
            self.owners.remove(name);
        }
    }
}
