//! When a key ends.

use std::time::Duration;

use portcullis_core::{ConfigError, Timestamp};

/// When a key ends. There is no default: whoever issues a key chooses. Ninety days are a good choice.
///
/// A policy bounds it: see [`longest_life`](crate::ApiKeyServiceBuilder::longest_life).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry(Choice);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    In(Duration),
    At(Timestamp),
    Never,
}

const DAY: u64 = 24 * 60 * 60;

impl Expiry {
    /// So many days from now.
    #[must_use]
    pub const fn in_days(days: u32) -> Self {
        Self(Choice::In(Duration::from_secs(days as u64 * DAY)))
    }

    /// At this time.
    #[must_use]
    pub const fn at(time: Timestamp) -> Self {
        Self(Choice::At(time))
    }

    /// Never: a key that leaks unnoticed works until somebody revokes it. Refused unless the service was built with
    /// [`dangerous_allow_keys_without_expiry`](crate::ApiKeyServiceBuilder::dangerous_allow_keys_without_expiry).
    #[must_use]
    pub const fn dangerous_never() -> Self {
        Self(Choice::Never)
    }

    /// The end of a key that begins at `now`.
    pub(crate) fn resolve(
        self,
        now: Timestamp,
        longest: Duration,
        may_last: bool,
    ) -> Result<Option<Timestamp>, ConfigError> {
        let end = match self.0 {
            Choice::Never if may_last => return Ok(None),
            Choice::Never => return Err(ConfigError::new("a key has to expire")),
            Choice::In(life) => now.saturating_add(life),
            Choice::At(end) => end,
        };
        if end <= now {
            return Err(ConfigError::new("a key's expiry has passed"));
        }
        if end.saturating_since(now) > longest {
            return Err(ConfigError::new("a key's expiry is further away than allowed"));
        }
        Ok(Some(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_000);
    const YEAR: Duration = Duration::from_secs(365 * DAY);

    #[test]
    fn an_expiry_within_the_bound_is_taken_and_one_beyond_or_past_is_refused() {
        let end = Expiry::in_days(365).resolve(NOW, YEAR, false).expect("allowed");
        assert_eq!(end, Some(NOW.saturating_add(YEAR)));
        let late = NOW.saturating_add(YEAR).saturating_add(Duration::from_nanos(1));
        for refused in [
            Expiry::in_days(366),
            Expiry::at(late),
            Expiry::at(NOW),
            Expiry::in_days(0),
        ] {
            assert!(refused.resolve(NOW, YEAR, true).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn a_key_without_expiry_needs_permission() {
        assert!(Expiry::dangerous_never().resolve(NOW, YEAR, false).is_err());
        assert_eq!(
            Expiry::dangerous_never()
                .resolve(NOW, YEAR, true)
                .expect("allowed"),
            None
        );
    }
}
