//! Putting the service together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{AuditSink, Clock, ConfigError, SystemClock};
use portcullis_seal::{Peppers, Randomness, SystemRandomness};
use portcullis_store::RecordStore;

use super::{ApiKeyService, Inner};
use crate::ApiKeyFormat;
use crate::last_used::LastUsed;

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const MOST: usize = 100;

/// Makes an [`ApiKeyService`].
#[must_use]
pub struct ApiKeyServiceBuilder {
    format: ApiKeyFormat,
    store: Arc<dyn RecordStore>,
    peppers: Peppers,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    audit: Option<Arc<dyn AuditSink>>,
    longest_life: Duration,
    may_last: bool,
    most_per_owner: usize,
}

impl ApiKeyServiceBuilder {
    pub(super) fn new(format: ApiKeyFormat, store: Arc<dyn RecordStore>) -> Self {
        Self {
            format,
            store,
            peppers: Peppers::none(),
            clock: Arc::new(SystemClock::new()),
            randomness: Arc::new(SystemRandomness::new()),
            audit: None,
            longest_life: YEAR,
            may_last: false,
            most_per_owner: MOST,
        }
    }

    /// Makes digests with these peppers; plain SHA-256 unless called.
    pub fn peppers(mut self, peppers: Peppers) -> Self {
        self.peppers = peppers;
        self
    }

    /// Takes the time from `clock`; the system's unless called. Give the store the same.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Takes secrets from `randomness`; the system's unless called. For tests.
    pub fn randomness(mut self, randomness: impl Randomness) -> Self {
        self.randomness = Arc::new(randomness);
        self
    }

    /// Tells `sink` what was rotated and revoked.
    pub fn audit(mut self, sink: impl AuditSink) -> Self {
        self.audit = Some(Arc::new(sink));
        self
    }

    /// How far away an expiry may be; 365 days unless called.
    pub const fn longest_life(mut self, life: Duration) -> Self {
        self.longest_life = life;
        self
    }

    /// Lets keys be issued [without an expiry](crate::Expiry::dangerous_never).
    pub const fn dangerous_allow_keys_without_expiry(mut self) -> Self {
        self.may_last = true;
        self
    }

    /// How many keys one owner may have; 100 unless called. Requests at the same time may exceed it by their number.
    pub const fn most_per_owner(mut self, keys: usize) -> Self {
        self.most_per_owner = keys;
        self
    }

    /// The service.
    ///
    /// # Errors
    ///
    /// When no key could be issued: a longest life or a number of keys of zero.
    pub fn build(self) -> Result<ApiKeyService, ConfigError> {
        if self.longest_life.is_zero() || self.most_per_owner == 0 {
            return Err(ConfigError::new(
                "a service of API keys lets some key live for some time",
            ));
        }
        Ok(ApiKeyService(Arc::new(Inner {
            format: self.format,
            last_used: LastUsed::new(Arc::clone(&self.store), Arc::clone(&self.clock)),
            store: self.store,
            peppers: self.peppers,
            clock: self.clock,
            randomness: self.randomness,
            audit: self.audit,
            longest_life: self.longest_life,
            may_last: self.may_last,
            most_per_owner: self.most_per_owner,
            caches: crate::forget::Caches::default(),
        })))
    }
}

impl fmt::Debug for ApiKeyServiceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyServiceBuilder")
            .field("format", &self.format)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
