//! Keys that come from another process, and keys that go to one.

use portcullis_core::ConfigError;

use super::Shared;
use crate::refresh::Published;
use crate::remote::report::{Import, record_import};
use crate::snapshot::{KeySnapshot, Origin};

impl Shared {
    /// What is held, unless it is dead. Its age was measured on the monotonic clock; the wall clock only
    /// says which time that makes it.
    pub(in crate::remote) fn export(&self) -> Option<KeySnapshot> {
        let (now, wall) = (self.clock.monotonic(), self.clock.now());
        let state = self.state_at(now);
        let (published, age, fresh_for) = state.cache.export(now)?;
        Some(KeySnapshot {
            origin: Origin::of(&self.source),
            fetched_at: wall.saturating_sub(age),
            fresh_for,
            document: published.document.clone(),
        })
    }

    /// Starts with the keys of a snapshot, or without them when it is dead or from the future.
    pub(in crate::remote) fn import(&self, snapshot: KeySnapshot) -> Result<(), ConfigError> {
        if snapshot.origin != Origin::of(&self.source) {
            return Err(ConfigError::new(
                "the imported snapshot is of another issuer or address than this key set",
            ));
        }
        let unusable = || ConfigError::new("the imported snapshot holds no key set that can be used here");
        if snapshot.document.len() > self.limits.max_body() {
            return Err(unusable().with_source("it is larger than a fetched one may be"));
        }
        let published = Published::read(snapshot.document, &self.key_limits)
            .map_err(|error| unusable().with_source(error))?;
        let (now, wall) = (self.clock.monotonic(), self.clock.now());
        let age = wall.since_epoch().checked_sub(snapshot.fetched_at.since_epoch());
        let (count, skipped) = (published.keys.len(), *published.keys.skipped());
        let mut state = self.state();
        let import = match age {
            Some(age) if state.cache.import(now, published, age, snapshot.fresh_for) => Import::Taken,
            Some(_) => Import::Dead,
            None => Import::Future,
        };
        if matches!(import, Import::Taken) {
            state.skipped = skipped;
            self.publish(&state, now);
        }
        drop(state);
        record_import(&self.name, import, count, skipped);
        Ok(())
    }
}
