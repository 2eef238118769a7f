//! What each key has used, with a bound that spares those that are counted already.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

use crate::KeyId;
use crate::seeded::Seeded;

/// A clone is the same table.
#[derive(Clone, Default)]
pub(super) struct Table(Arc<Mutex<HashMap<KeyId, Nanos, Seeded>>>);

impl Table {
    fn lock(&self) -> MutexGuard<'_, HashMap<KeyId, Nanos, Seeded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Governor's own table does not say whether a key is in it: with it, a full table would stop everybody.
    pub(super) fn has_place_for(&self, id: &KeyId, capacity: usize) -> bool {
        let counted = self.lock();
        counted.len() < capacity || counted.contains_key(id)
    }
}

impl StateStore for Table {
    type Key = KeyId;

    fn measure_and_replace<T, F, E>(&self, id: &KeyId, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut counted = self.lock();
        if let Some(used) = counted.get_mut(id) {
            let (answer, now) = decide(Some(*used))?;
            *used = now;
            return Ok(answer);
        }
        let (answer, now) = decide(None)?;
        counted.insert(*id, now);
        Ok(answer)
    }
}

impl ShrinkableKeyedStateStore<KeyId> for Table {
    fn retain_recent(&self, drop_below: Nanos) {
        self.lock().retain(|_, used| *used > drop_below);
    }

    fn len(&self) -> usize {
        self.lock().len()
    }

    fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}
