//! When a record came to be and when it ends.

use std::time::Duration;

use portcullis_core::Timestamp;

/// For how long a store remembers that an owner's records were revoked, and so how old the date of a new
/// record may be: 90 days, the absolute lifetime of the longest sessions.
pub const REMEMBERED: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// When a record came to be, when it ends unless it is touched, and when it ends however often it is touched.
///
/// In whole milliseconds, rounded down, so that every backend keeps the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    created_at: Timestamp,
    expires_at: Timestamp,
    limit: Timestamp,
}

impl Lifetime {
    /// A life from `created_at` to `expires_at`, which cannot be extended beyond `limit`. It ends at the limit
    /// where `expires_at` is later.
    #[must_use]
    pub fn new(created_at: Timestamp, expires_at: Timestamp, limit: Timestamp) -> Self {
        let limit = whole_millis(limit);
        Self {
            created_at: whole_millis(created_at),
            expires_at: whole_millis(expires_at).min(limit),
            limit,
        }
    }

    /// When it came to be.
    #[must_use]
    pub const fn created_at(self) -> Timestamp {
        self.created_at
    }

    /// The first instant at which it is dead, unless it is extended before.
    #[must_use]
    pub const fn expires_at(self) -> Timestamp {
        self.expires_at
    }

    /// How far it can be extended.
    #[must_use]
    pub const fn limit(self) -> Timestamp {
        self.limit
    }

    /// Whether it lasts at `now`. At its expiry it does not.
    #[must_use]
    pub fn lasts_at(self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// The same, extended to `expires_at` but not beyond the limit. Never shortened.
    #[must_use]
    pub fn extended_to(self, expires_at: Timestamp) -> Self {
        let expires_at = whole_millis(expires_at).min(self.limit).max(self.expires_at);
        Self { expires_at, ..self }
    }

    /// The same with a limit that is no later than `end`: nothing extends it beyond. Never lengthened.
    #[must_use]
    pub fn ending_by(self, end: Timestamp) -> Self {
        let limit = whole_millis(end).min(self.limit);
        Self {
            expires_at: self.expires_at.min(limit),
            limit,
            ..self
        }
    }
}

/// Rounded down: what was created within a revoked millisecond is revoked.
pub(crate) fn whole_millis(time: Timestamp) -> Timestamp {
    let fraction = time.since_epoch().subsec_nanos() % 1_000_000;
    time.saturating_sub(Duration::from_nanos(fraction.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn a_life_lasts_until_its_expiry_and_at_it_no_more() {
        let life = Lifetime::new(at(0), at(10), at(20));
        assert!(life.lasts_at(at(10).saturating_sub(Duration::from_nanos(1))));
        assert!(!life.lasts_at(at(10)));
    }

    #[test]
    fn a_life_is_extended_up_to_its_limit_and_never_shortened() {
        let life = Lifetime::new(at(0), at(10), at(20));
        assert_eq!(life.extended_to(at(15)).expires_at(), at(15));
        assert_eq!(life.extended_to(at(5)).expires_at(), at(10));
        assert_eq!(life.extended_to(at(99)).expires_at(), at(20));
        assert_eq!(Lifetime::new(at(0), at(99), at(20)).expires_at(), at(20));
    }

    #[test]
    fn an_earlier_end_cannot_be_extended_and_a_later_one_changes_nothing() {
        let life = Lifetime::new(at(0), at(10), at(20));
        assert_eq!(life.ending_by(at(5)).extended_to(at(15)).expires_at(), at(5));
        assert_eq!(life.ending_by(at(30)), life);
    }

    #[test]
    fn fractions_of_a_millisecond_are_dropped() {
        let fraction = at(1).saturating_add(Duration::from_nanos(5_999_999));
        assert_eq!(
            whole_millis(fraction),
            at(1).saturating_add(Duration::from_millis(5))
        );
    }
}
