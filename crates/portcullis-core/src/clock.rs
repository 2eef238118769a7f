//! Time as a parameter: nothing in portcullis reads a clock that was not handed to it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A point in wall-clock time, counted from the Unix epoch (RFC 7519 §2 `NumericDate`, with
/// nanoseconds).
///
/// Arithmetic saturates, so an absurd value in a token can neither panic nor wrap around.
///
/// ```
/// use std::time::Duration;
/// use portcullis_core::Timestamp;
///
/// let expiry = Timestamp::from_unix_seconds(1_000);
/// assert!(expiry.saturating_add(Duration::MAX) > expiry);
/// assert_eq!(expiry.as_unix_seconds(), 1_000);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(Duration);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(Duration::ZERO);

    /// A timestamp from whole seconds since the epoch.
    #[must_use]
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// A timestamp from the time that has passed since the epoch.
    #[must_use]
    pub const fn from_unix(since_epoch: Duration) -> Self {
        Self(since_epoch)
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn as_unix_seconds(self) -> u64 {
        self.0.as_secs()
    }

    /// The time that has passed since the epoch.
    #[must_use]
    pub const fn since_epoch(self) -> Duration {
        self.0
    }

    /// This time plus `duration`, or the largest representable time.
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// This time minus `duration`, or the epoch.
    #[must_use]
    pub const fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration))
    }

    /// How long after `earlier` this is; zero when it is not later.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({}s)", self.0.as_secs_f64())
    }
}

impl From<SystemTime> for Timestamp {
    /// A time before the epoch becomes the epoch.
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

/// Where the time comes from.
///
/// Two readings, because they answer two questions: [`now`](Clock::now) is compared with times that
/// other machines wrote into tokens and may jump in either direction; [`monotonic`](Clock::monotonic)
/// measures how long ago something happened here and never goes back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no clock",
    note = "use `SystemClock`, or implement `Clock`; the test kit has `ManualClock`"
)]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The wall-clock time.
    fn now(&self) -> Timestamp;

    /// The time that has passed since an arbitrary fixed origin. Never decreases.
    fn monotonic(&self) -> Duration;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }
}

/// The operating system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic origin is this call.
    #[must_use]
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let late = Timestamp::from_unix_seconds(u64::MAX);
        assert!(late.saturating_add(Duration::MAX) >= late);
        assert_eq!(
            Timestamp::from_unix_seconds(5).saturating_sub(Duration::from_secs(9)),
            Timestamp::EPOCH
        );
        assert_eq!(Timestamp::EPOCH.saturating_since(late), Duration::ZERO);
    }

    #[test]
    fn a_time_before_the_epoch_becomes_the_epoch() {
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Timestamp::from(before), Timestamp::EPOCH);
    }
}
