//! How long sessions last.

use std::time::Duration;

use portcullis_core::ConfigError;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Browsers keep no cookie for longer (RFC 6265bis §5.5).
const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// How long a session lasts without a request, and at most. Both are kept by the server, whatever the browser does.
///
/// | preset | idle | absolute |
/// |---|---|---|
/// | [`standard`](Self::standard), the default | 24 h | 7 d |
/// | [`sensitive`](Self::sensitive), the default of anonymous sessions | 30 min | 12 h |
/// | [`long`](Self::long), the default of remembered ones | 14 d | 90 d |
///
/// For comparison, NIST SP 800-63B-4 asks for re-authentication after 30 days (AAL1), after 24 hours or an idle hour (AAL2),
/// and after 12 hours or 15 idle minutes (AAL3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Timeouts {
    idle: Duration,
    absolute: Duration,
}

impl Timeouts {
    /// 24 hours idle, 7 days at most.
    pub const fn standard() -> Self {
        Self {
            idle: DAY,
            absolute: Duration::from_secs(7 * 24 * 60 * 60),
        }
    }

    /// 30 minutes idle, 12 hours at most.
    pub const fn sensitive() -> Self {
        Self {
            idle: Duration::from_secs(30 * 60),
            absolute: Duration::from_secs(12 * 60 * 60),
        }
    }

    /// 14 days idle, 90 days at most.
    pub const fn long() -> Self {
        Self {
            idle: Duration::from_secs(14 * 24 * 60 * 60),
            absolute: Duration::from_secs(90 * 24 * 60 * 60),
        }
    }

    /// Times of your own.
    ///
    /// # Errors
    ///
    /// When one is shorter than a second, the idle time is longer than the absolute one, or that is longer than 400 days.
    pub fn new(idle: Duration, absolute: Duration) -> Result<Self, ConfigError> {
        if idle < Duration::from_secs(1) || idle > absolute || absolute > LONGEST {
            return Err(ConfigError::new(
                "a session's idle time is a second at least, and not above the absolute one, which is 400 days at most",
            ));
        }
        Ok(Self { idle, absolute })
    }

    /// How long it lasts without a request.
    #[must_use]
    pub const fn idle(self) -> Duration {
        self.idle
    }

    /// How long it lasts at most.
    #[must_use]
    pub const fn absolute(self) -> Duration {
        self.absolute
    }
}

/// How often a session that is used is written for that alone: once a minute, and ten times per idle time where that is
/// short. So a session lives for nine tenths of its idle time at least.
pub(crate) fn touch_interval(idle: Duration) -> Duration {
    MINUTE.min(idle / 10)
}

/// When a session gets another id without being asked to, and for how long the old one is good beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renewal {
    pub(crate) every: Duration,
    pub(crate) grace: Duration,
}

impl Renewal {
    pub(crate) const STANDARD: Self = Self {
        every: DAY,
        grace: Duration::from_secs(30),
    };

    pub(crate) fn new(every: Duration, grace: Duration) -> Result<Self, ConfigError> {
        if every < MINUTE || grace < Duration::from_secs(1) || grace > every.min(HOUR) {
            return Err(ConfigError::new(
                "ids are renewed every minute at most; the grace is a second at least, and not above an hour or the time between",
            ));
        }
        Ok(Self { every, grace })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_order_are_accepted_and_others_are_not() {
        let second = Duration::from_secs(1);
        assert!(Timeouts::new(second, second).is_ok());
        for (idle, absolute) in [
            (Duration::from_millis(999), DAY),
            (DAY, HOUR),
            (DAY, LONGEST + second),
        ] {
            assert!(Timeouts::new(idle, absolute).is_err());
        }
        assert!(Renewal::new(MINUTE, MINUTE).is_ok());
        assert!(Renewal::new(MINUTE, MINUTE + second).is_err());
        assert!(Renewal::new(Duration::ZERO, Duration::ZERO).is_err());
    }

    #[test]
    fn touches_are_rare_and_follow_short_idle_times() {
        assert_eq!(touch_interval(DAY), MINUTE);
        assert_eq!(touch_interval(Duration::from_secs(2)), Duration::from_millis(200));
    }
}
