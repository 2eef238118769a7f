use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Clock, ConfigError, SystemClock};
use portcullis_jwt::{Algorithm, KeyError, RotationSchedule, SigningKey};

use super::state::Shared;
use super::{Owner, SharedSigningKeys};
use crate::signing::round::Generate;
use crate::signing::{RingStore, SharedKeysError};

/// Builds [`SharedSigningKeys`].
#[must_use]
pub struct SharedSigningKeysBuilder {
    pub(super) store: Arc<dyn RingStore>,
    pub(super) schedule: RotationSchedule,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) generate: Generate,
    pub(super) every: Duration,
}

impl SharedSigningKeysBuilder {
    /// How often an instance looks at the store: every minute.
    pub const EVERY: Duration = Duration::from_secs(60);

    pub(super) fn new(store: Arc<dyn RingStore>, algorithm: Algorithm) -> Self {
        Self {
            store,
            schedule: RotationSchedule::new(),
            clock: Arc::new(SystemClock::new()),
            generate: Arc::new(move || SigningKey::generate(algorithm)),
            every: Self::EVERY,
        }
    }

    /// When keys take turns; [`RotationSchedule::new`] unless called. The same for all instances.
    pub const fn schedule(mut self, schedule: RotationSchedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Takes the time from `clock`; the system's unless called.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Has new keys made by `generate`, on a thread for blocking work; [`SigningKey::generate`] unless
    /// called. Each must be another key, with another id.
    pub fn generate(
        mut self,
        generate: impl Fn() -> Result<SigningKey, KeyError> + Send + Sync + 'static,
    ) -> Self {
        self.generate = Arc::new(generate);
        self
    }

    /// Looks at the store this often; every minute unless called.
    pub const fn every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }

    /// Checks the configuration and does the first round: reads the ring, and creates it where there is
    /// none. Of several instances that start at once, one creates it. Needs a tokio runtime with time
    /// enabled.
    ///
    /// # Errors
    ///
    /// When the schedule is [out of its bounds](RotationSchedule::check); when the interval is under a second
    /// or over an eighth of `publish_ahead`; when the round failed.
    pub async fn open(self) -> Result<SharedSigningKeys, SharedKeysError> {
        self.schedule.check()?;
        if self.every < Duration::from_secs(1) || self.every > self.schedule.publish_ahead() / 8 {
            return Err(ConfigError::new(
                "instances look at the store at least eight times within `publish_ahead`, and every second at most",
            )
            .into());
        }
        let shared = Shared::open(self).await?;
        Ok(SharedSigningKeys(Arc::new(Owner(Arc::new(shared)))))
    }
}

impl fmt::Debug for SharedSigningKeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSigningKeysBuilder")
            .field("store", &self.store)
            .field("schedule", &self.schedule)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}
