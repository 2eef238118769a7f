//! A clock that stands still until told otherwise.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portcullis_core::{Clock, Timestamp};

/// A [`Clock`] that moves only when a test moves it. A clone is the same clock.
///
/// ```
/// use std::time::Duration;
/// use portcullis_core::Clock;
/// use portcullis_test::ManualClock;
///
/// let clock = ManualClock::at(1_000);
/// let the_same = clock.clone();
/// the_same.advance(Duration::from_secs(30));
/// assert_eq!(clock.now().as_unix_seconds(), 1_030);
/// assert_eq!(clock.monotonic(), Duration::from_secs(30));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Readings>>);

#[derive(Clone, Copy, Debug)]
struct Readings {
    wall: Timestamp,
    monotonic: Duration,
}

impl ManualClock {
    /// A clock whose wall shows `unix_seconds` and whose monotonic reading is zero.
    #[must_use]
    pub fn at(unix_seconds: u64) -> Self {
        Self(Arc::new(Mutex::new(Readings {
            wall: Timestamp::from_unix_seconds(unix_seconds),
            monotonic: Duration::ZERO,
        })))
    }

    /// Lets time pass: both readings move.
    pub fn advance(&self, duration: Duration) {
        self.update(|readings| {
            readings.wall = readings.wall.saturating_add(duration);
            readings.monotonic = readings.monotonic.saturating_add(duration);
        });
    }

    /// Sets the wall clock, forward or back, as an operator or a time server may; the monotonic
    /// reading does not move.
    ///
    /// ```
    /// use std::time::Duration;
    /// use portcullis_core::Clock;
    /// use portcullis_test::ManualClock;
    ///
    /// let clock = ManualClock::at(1_000);
    /// clock.set_wall(10);
    /// assert_eq!(clock.now().as_unix_seconds(), 10);
    /// assert_eq!(clock.monotonic(), Duration::ZERO);
    /// ```
    pub fn set_wall(&self, unix_seconds: u64) {
        self.update(|readings| readings.wall = Timestamp::from_unix_seconds(unix_seconds));
    }

    fn update(&self, change: impl FnOnce(&mut Readings)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn readings(&self) -> Readings {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    /// 2027-01-15T08:00:00Z.
    fn default() -> Self {
        Self::at(1_800_000_000)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.readings().wall
    }

    fn monotonic(&self) -> Duration {
        self.readings().monotonic
    }
}
