//! How much is kept, and whether more may be.

use super::MemoryStoreBuilder;
use crate::{Record, StoreError, StoreErrorKind};

/// What a record costs beside its bytes: its places in three maps.
const OVERHEAD: usize = 512;

#[derive(Clone, Copy)]
struct Bounds {
    records: usize,
    bytes: usize,
}

pub(super) struct Room {
    owned: Bounds,
    /// What records may take up together when another one is nobody's.
    anonymous: Bounds,
    records: usize,
    bytes: usize,
    revocations: usize,
}

impl Room {
    pub(super) fn new(settings: &MemoryStoreBuilder) -> Self {
        let rest = |whole: usize| whole.saturating_sub(share(whole, settings.reserve_percent));
        Self {
            owned: Bounds {
                records: settings.capacity,
                bytes: settings.max_bytes,
            },
            anonymous: Bounds {
                records: rest(settings.capacity),
                bytes: rest(settings.max_bytes),
            },
            records: 0,
            bytes: 0,
            revocations: 0,
        }
    }

    pub(super) const fn records(&self) -> usize {
        self.records
    }

    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn enter(&mut self, record: &Record) -> Result<(), StoreError> {
        self.exceed(record, self.records.saturating_add(1), cost(record))
    }

    pub(super) fn leave(&mut self, record: &Record) {
        self.records = self.records.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(cost(record));
    }

    /// What becomes smaller always has room.
    pub(super) fn exchange(&mut self, old: &Record, new: &Record) -> Result<(), StoreError> {
        match cost(new).checked_sub(cost(old)) {
            Some(more) if more > 0 => self.exceed(new, self.records, more),
            _ => {
                let less = cost(old).saturating_sub(cost(new));
                self.bytes = self.bytes.saturating_sub(less);
                Ok(())
            }
        }
    }

    fn exceed(&mut self, record: &Record, records: usize, more: usize) -> Result<(), StoreError> {
        let bounds = if record.owner().is_some() {
            self.owned
        } else {
            self.anonymous
        };
        let bytes = self.bytes.saturating_add(more);
        if records > bounds.records || bytes > bounds.bytes {
            return Err(StoreErrorKind::Full.into());
        }
        (self.records, self.bytes) = (records, bytes);
        Ok(())
    }

    /// As many owners can be revoked as there can be records.
    pub(super) fn enter_revocation(&mut self) -> Result<(), StoreError> {
        if self.revocations >= self.owned.records {
            return Err(StoreErrorKind::Full.into());
        }
        self.revocations += 1;
        Ok(())
    }

    pub(super) fn leave_revocations(&mut self, number: usize) {
        self.revocations = self.revocations.saturating_sub(number);
    }
}

/// So many percent, rounded up.
fn share(whole: usize, percent: u8) -> usize {
    let share = (whole as u128 * u128::from(percent)).div_ceil(100);
    usize::try_from(share).unwrap_or(usize::MAX)
}

fn cost(record: &Record) -> usize {
    let owner = record.owner().map_or(0, |owner| owner.as_bytes().len());
    OVERHEAD + record.key().id().len() + owner + record.payload().as_bytes().len()
}
