//! How often one key may be used.

mod table;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock as Ticking;
use governor::middleware::NoOpMiddleware;
use governor::{Quota, RateLimiter};
use portcullis_core::{AuthError, Clock, ConfigError};

use self::table::Table;
use crate::KeyId;

/// How often one key may be used: a bucket that refills evenly.
///
/// Counted for each key, after its secret was seen to be right: strangers cannot use up a key's share. Counted by this
/// process alone.
///
/// ```
/// use portcullis_apikey::RateLimit;
///
/// // Sixty at once, and then one a second.
/// let limit = RateLimit::per_minute(60)?;
/// // Ten at once, and then one a second.
/// let smoother = RateLimit::per_minute(60)?.burst(10)?;
/// # let _ = (limit, smoother);
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct RateLimit {
    quota: Quota,
    capacity: usize,
}

const CAPACITY: usize = 100_000;
const LONGEST_REFILL: Duration = Duration::from_secs(366 * 86_400);

impl RateLimit {
    /// So many requests a second.
    ///
    /// # Errors
    ///
    /// When it is none at all.
    pub fn per_second(requests: u32) -> Result<Self, ConfigError> {
        at_least_one(requests).map(|requests| Self::of(Quota::per_second(requests)))
    }

    /// So many requests a minute.
    ///
    /// # Errors
    ///
    /// When it is none at all.
    pub fn per_minute(requests: u32) -> Result<Self, ConfigError> {
        at_least_one(requests).map(|requests| Self::of(Quota::per_minute(requests)))
    }

    const fn of(quota: Quota) -> Self {
        Self {
            quota,
            capacity: CAPACITY,
        }
    }

    /// So many at once; by default as many as the period has.
    ///
    /// # Errors
    ///
    /// When it is none at all, or so many that they come back in more than a year.
    pub fn burst(mut self, requests: u32) -> Result<Self, ConfigError> {
        let burst = at_least_one(requests)?;
        // Governor multiplies both without a look at the bound of its numbers.
        let refilled = self.quota.replenish_interval().checked_mul(requests);
        if refilled.is_none_or(|refilled| refilled > LONGEST_REFILL) {
            return Err(ConfigError::new(
                "a burst of requests has to come back within a year",
            ));
        }
        self.quota = self.quota.allow_burst(burst);
        Ok(self)
    }

    /// Counts so many keys at a time; 100,000 unless called. A key for which there is no room, though all that
    /// have their full share again were dropped, is throttled. Those that are counted go on.
    pub const fn capacity(mut self, keys: usize) -> Self {
        self.capacity = keys;
        self
    }
}

fn at_least_one(requests: u32) -> Result<NonZeroU32, ConfigError> {
    NonZeroU32::new(requests).ok_or_else(|| ConfigError::new("a rate limit allows one request at least"))
}

/// Our clock as governor's.
#[derive(Clone, Debug)]
struct Ticks(Arc<dyn Clock>);

impl Ticking for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

type Buckets = RateLimiter<KeyId, Table, Ticks, NoOpMiddleware<Duration>>;

pub(crate) struct Limiter {
    buckets: Buckets,
    table: Table,
    ticks: Ticks,
    capacity: usize,
    /// When there was last no room, in milliseconds: making some costs a look at every key.
    cleared_at: AtomicU64,
}

/// How long a key waits for room.
const CROWDED: Duration = Duration::from_secs(1);

impl Limiter {
    pub(crate) fn new(limit: RateLimit, clock: Arc<dyn Clock>) -> Self {
        let (ticks, table) = (Ticks(clock), Table::default());
        Self {
            buckets: RateLimiter::new(limit.quota, table.clone(), ticks.clone()),
            table,
            ticks,
            capacity: limit.capacity,
            cleared_at: AtomicU64::new(u64::MAX),
        }
    }

    pub(crate) fn check(&self, id: &KeyId) -> Result<(), AuthError> {
        let has_place = || self.table.has_place_for(id, self.capacity);
        if !has_place() {
            self.make_room();
            if !has_place() {
                tracing::warn!(
                    reason = "rate_limit_full",
                    "more API keys are in use than rate limits are kept for"
                );
                return Err(AuthError::throttled(CROWDED));
            }
        }
        self.buckets
            .check_key(id)
            .map_err(|until| AuthError::throttled(until.wait_time_from(self.ticks.now())))
    }

    /// Drops the keys that have their full share again, once a second at most.
    fn make_room(&self) {
        let now = u64::try_from(self.ticks.now().as_millis()).unwrap_or(u64::MAX);
        let last = self.cleared_at.load(Ordering::Relaxed);
        let due = last == u64::MAX || now.saturating_sub(last) >= 1_000;
        let ours = || {
            self.cleared_at
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        };
        if due && ours() {
            self.buckets.retain_recent();
        }
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
