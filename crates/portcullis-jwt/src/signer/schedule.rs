//! When keys take turns.

use std::time::Duration;

use portcullis_core::ConfigError;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a key signs, how long before that it is published, and how long it stays published after.
///
/// ```text
/// key 1   ──signs────────────────────────────┐ published until its last token is dead
/// key 2                    published ┤······ signs ──────────────────────────────────
///                                    publish_ahead
/// ```
///
/// | setting | default | bounds |
/// |---|---|---|
/// | [`sign_for`](Self::sign_for) | 30 days | at least `publish_ahead` and `longest_token` |
/// | [`publish_ahead`](Self::publish_ahead) | 2 hours | at least [65 minutes](Self::SHORTEST_PUBLISH_AHEAD) |
/// | [`longest_token`](Self::longest_token) | 1 hour | at least 1 second |
///
/// The bounds are checked by whoever takes a schedule, such as [`KeyRing::new`](crate::KeyRing::new).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationSchedule {
    sign_for: Duration,
    publish_ahead: Duration,
    longest_token: Duration,
}

impl RotationSchedule {
    /// The least time between a key's publication and its first signature: 65 minutes.
    ///
    /// A verifier that fetched the keys just before the new one was there goes on with what it has: up to
    /// an hour in portcullis (`RemoteKeySet` keeps no answer longer), ten minutes to an hour in most
    /// others. Five minutes are added for instances that publish a little later and clocks that differ.
    pub const SHORTEST_PUBLISH_AHEAD: Duration = Duration::from_secs(65 * 60);

    /// How much longer than its last token lives a key stays published, for verifiers whose clocks are
    /// late: 5 minutes, the most that [`Verifier`](crate::Verifier) grants.
    pub const SKEW: Duration = Duration::from_secs(5 * 60);

    /// 30 days of signing, 2 hours of notice, tokens of at most 1 hour.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sign_for: DAY.saturating_mul(30),
            publish_ahead: HOUR.saturating_mul(2),
            longest_token: HOUR,
        }
    }

    /// Lets a key sign this long. Shorter limits what a stolen key is worth; it costs one more key in the
    /// published set for a while, nothing else.
    #[must_use]
    pub const fn with_sign_for(mut self, sign_for: Duration) -> Self {
        self.sign_for = sign_for;
        self
    }

    /// Publishes a key this long before it signs: longer than any verifier caches key sets.
    #[must_use]
    pub const fn with_publish_ahead(mut self, publish_ahead: Duration) -> Self {
        self.publish_ahead = publish_ahead;
        self
    }

    /// Allows tokens of up to this lifetime. A key that signed one stays published that much longer.
    #[must_use]
    pub const fn with_longest_token(mut self, longest_token: Duration) -> Self {
        self.longest_token = longest_token;
        self
    }

    /// How long a key signs.
    #[must_use]
    pub const fn sign_for(&self) -> Duration {
        self.sign_for
    }

    /// How long before it signs a key is published.
    #[must_use]
    pub const fn publish_ahead(&self) -> Duration {
        self.publish_ahead
    }

    /// The longest lifetime of a token.
    #[must_use]
    pub const fn longest_token(&self) -> Duration {
        self.longest_token
    }

    /// Checks the bounds.
    ///
    /// # Errors
    ///
    /// When a setting is out of its bounds.
    pub fn check(&self) -> Result<(), ConfigError> {
        let message = if self.publish_ahead < Self::SHORTEST_PUBLISH_AHEAD {
            "a key is published at least 65 minutes before it signs: verifiers keep key sets for an hour"
        } else if self.longest_token < Duration::from_secs(1) {
            "a token lives at least a second"
        } else if self.sign_for < self.publish_ahead {
            "a key signs at least as long as its successor is published ahead"
        } else if self.sign_for < self.longest_token {
            "a key signs at least as long as its tokens live"
        } else if self.sign_for > DAY.saturating_mul(366) || self.publish_ahead > DAY.saturating_mul(30) {
            "a key signs for at most a year and is published at most 30 days ahead"
        } else {
            return Ok(());
        };
        Err(ConfigError::new(message))
    }
}

impl Default for RotationSchedule {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_and_each_bound_are_accepted_and_one_second_beyond_is_not() {
        let second = Duration::from_secs(1);
        let base = RotationSchedule::new();
        let shortest = RotationSchedule::SHORTEST_PUBLISH_AHEAD;
        assert!(base.check().is_ok());
        for (good, bad) in [
            (
                base.with_publish_ahead(shortest),
                base.with_publish_ahead(shortest - second),
            ),
            (
                base.with_sign_for(2 * HOUR),
                base.with_sign_for(2 * HOUR - second),
            ),
            (
                base.with_longest_token(30 * DAY),
                base.with_longest_token(30 * DAY + second),
            ),
            (
                base.with_longest_token(second),
                base.with_longest_token(second - Duration::from_millis(1)),
            ),
            (
                base.with_sign_for(366 * DAY),
                base.with_sign_for(366 * DAY + second),
            ),
            (
                base.with_publish_ahead(30 * DAY),
                base.with_sign_for(60 * DAY).with_publish_ahead(30 * DAY + second),
            ),
        ] {
            assert!(good.check().is_ok(), "{good:?}");
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
