//! Wall-clock time without jumps.

use std::time::Duration;

use portcullis_core::{Clock, Timestamp};

/// The wall-clock time of a key ring: read once, then carried on by the monotonic clock.
///
/// A ring's times are those of the wall clock, because several instances have to agree on them and they
/// outlive a process. But a wall clock that is set forward must not make a key sign that verifiers have
/// not seen yet, nor drop one whose tokens live; and set back, it must not bring an old key back. So a
/// ring runs on this time, which moves only as fast as time does.
///
/// # Decision rules
///
/// 1. [`at`](Self::at) is the wall-clock time at the anchor plus what has passed on the monotonic clock.
/// 2. [`follow`](Self::follow) moves the anchor when the wall clock differs by at most a minute: clocks
///    drift and are corrected.
/// 3. A larger difference is a step. It is believed when it has lasted for the patience given: then this
///    machine was suspended, or its clock was wrong before.
#[derive(Clone, Copy, Debug)]
pub struct SteadyTime {
    wall: Timestamp,
    monotonic: Duration,
    patience: Duration,
    suspect: Option<Suspect>,
}

/// A step that is not believed yet.
#[derive(Clone, Copy, Debug)]
struct Suspect {
    since: Duration,
    step: Step,
}

/// How far the wall clock is from where it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Ahead(Duration),
    Behind(Duration),
}

impl Step {
    const fn size(self) -> Duration {
        match self {
            Self::Ahead(size) | Self::Behind(size) => size,
        }
    }

    fn is_about(self, other: Self) -> bool {
        match (self, other) {
            (Self::Ahead(one), Self::Ahead(two)) | (Self::Behind(one), Self::Behind(two)) => {
                one.abs_diff(two) <= SteadyTime::TOLERANCE
            }
            (Self::Ahead(one), Self::Behind(two)) | (Self::Behind(one), Self::Ahead(two)) => {
                one.saturating_add(two) <= SteadyTime::TOLERANCE
            }
        }
    }
}

impl SteadyTime {
    /// What counts as drift and not as a step: a minute.
    pub const TOLERANCE: Duration = Duration::from_secs(60);

    /// Starts at what `clock` shows. A step is believed after `patience`; [`Duration::MAX`] for never.
    #[must_use]
    pub fn start(clock: &dyn Clock, patience: Duration) -> Self {
        Self {
            wall: clock.now(),
            monotonic: clock.monotonic(),
            patience,
            suspect: None,
        }
    }

    /// The time at a reading of the monotonic clock.
    #[must_use]
    pub const fn at(&self, monotonic: Duration) -> Timestamp {
        self.wall.saturating_add(monotonic.saturating_sub(self.monotonic))
    }

    /// How far `wall` is ahead at a reading of the monotonic clock, if that is more than drift.
    #[must_use]
    pub fn doubtful_lead(&self, wall: Timestamp, monotonic: Duration) -> Option<Duration> {
        let lead = wall.saturating_since(self.at(monotonic));
        (lead > Self::TOLERANCE).then_some(lead)
    }

    /// Compares with the wall clock. Returns whether a step was believed.
    pub fn follow(&mut self, wall: Timestamp, monotonic: Duration) -> bool {
        let steady = self.at(monotonic);
        let step = if wall >= steady {
            Step::Ahead(wall.saturating_since(steady))
        } else {
            Step::Behind(steady.saturating_since(wall))
        };
        if step.size() <= Self::TOLERANCE {
            (self.wall, self.monotonic, self.suspect) = (wall, monotonic, None);
            return false;
        }
        let suspect = self.suspect.filter(|suspect| suspect.step.is_about(step));
        let since = suspect.map_or(monotonic, |suspect| suspect.since);
        if monotonic.saturating_sub(since) < self.patience {
            self.suspect = Some(Suspect { since, step });
            return false;
        }
        (self.wall, self.monotonic, self.suspect) = (wall, monotonic, None);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct At(u64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_seconds(self.0)
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn unix(seconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    /// T-SIGN-3
    #[test]
    fn drift_is_followed_and_a_step_is_not() {
        let mut time = SteadyTime::start(&At(1_000_000), s(3_600));
        assert_eq!(time.at(s(10)), unix(1_000_010));
        for drifted in [1_000_160, 1_000_040] {
            let mut time = time;
            assert_eq!(time.doubtful_lead(unix(drifted), s(100)), None);
            assert!(!time.follow(unix(drifted), s(100)));
            assert_eq!(time.at(s(101)), unix(drifted + 1), "drift of a minute");
        }
        for stepped in [1_000_161, 1_000_039, 9_000_000, 0] {
            assert!(!time.follow(unix(stepped), s(100)));
            assert_eq!(time.at(s(101)), unix(1_000_101), "a step to {stepped}");
            let lead = stepped.checked_sub(1_000_100).map(s);
            let doubtful = time.doubtful_lead(unix(stepped), s(100));
            assert_eq!(doubtful, lead, "a step to {stepped}");
        }
    }

    #[test]
    fn a_step_that_lasts_is_believed_and_one_that_is_undone_is_not() {
        let mut time = SteadyTime::start(&At(1_000_000), s(3_600));
        assert!(!time.follow(unix(5_000_100), s(100)));
        assert!(!time.follow(unix(5_003_699), s(3_699)));
        let mut undone = time;
        assert!(!undone.follow(unix(1_003_700), s(3_700)));
        assert!(!undone.follow(unix(5_003_701), s(3_701)), "it starts anew");
        assert!(
            !undone.follow(unix(7_007_000), s(7_000)),
            "another step starts anew"
        );
        assert!(!undone.follow(unix(7_007_400), s(7_400)));
        assert_eq!(undone.at(s(7_400)), unix(1_007_400));
        assert!(time.follow(unix(5_003_700), s(3_700)), "it lasted");
        assert_eq!(time.at(s(3_700)), unix(5_003_700));
    }
}
