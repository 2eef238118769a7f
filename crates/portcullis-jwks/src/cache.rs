//! The key-source algorithm as a pure state machine: no clock, no socket, no task.
//!
//! Times are readings of a monotonic clock, so that a wall clock that jumps changes nothing. Jitter is
//! a number in `0.0..1.0` that the caller draws.

use std::time::Duration;

use http::{HeaderValue, Uri};

use crate::{JwksFetchErrorKind, KeyState};

const SHORTEST: Duration = Duration::from_secs(5 * 60);
const LONGEST: Duration = Duration::from_secs(60 * 60);
const UNSAID: Duration = Duration::from_secs(10 * 60);
/// How long the last good set is used beyond its time.
const LAST_KNOWN_GOOD: Duration = Duration::from_secs(60 * 60);
/// Between two attempts that unknown key ids cause.
const COOL_DOWN: Duration = Duration::from_secs(30);
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(5 * 60);

/// What to ask with, instead of for everything again: good at the address it came from only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Validator {
    pub(crate) address: Uri,
    pub(crate) etag: HeaderValue,
}

/// What is held, and what is known about fetching it.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    held: Option<Held<T>>,
    in_flight: bool,
    last_attempt: Option<Duration>,
    failures: u32,
    last_error: Option<JwksFetchErrorKind>,
    not_before: Duration,
}

#[derive(Debug)]
struct Held<T> {
    value: T,
    validator: Option<Validator>,
    /// When it was taken in, and how long before that it had been confirmed.
    taken_at: Duration,
    age_then: Duration,
    fresh_for: Duration,
    due_at: Duration,
    stale_at: Duration,
    dead_at: Duration,
}

/// What becomes of a request that would like newer keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Start an attempt, and wait for it.
    Start,
    /// Wait for the attempt that is under way.
    Join,
    /// It would not help: decide with what is there.
    Pointless,
    /// It cannot be decided; worth another try after this long.
    Unavailable(Duration),
}

impl<T> Cache<T> {
    pub(crate) const fn new() -> Self {
        Self {
            held: None,
            in_flight: false,
            last_attempt: None,
            failures: 0,
            last_error: None,
            not_before: Duration::ZERO,
        }
    }

    pub(crate) fn state(&self, now: Duration) -> KeyState {
        match &self.held {
            None => KeyState::Empty,
            Some(held) if now < held.due_at => KeyState::Fresh,
            Some(held) if now < held.stale_at => KeyState::Due,
            Some(held) if now < held.dead_at => KeyState::Stale,
            Some(_) => KeyState::Dead,
        }
    }

    /// The value, unless it is dead.
    pub(crate) fn usable(&self, now: Duration) -> Option<&T> {
        let held = self.held.as_ref()?;
        (now < held.dead_at).then_some(&held.value)
    }

    /// When the value becomes due, and when it dies.
    pub(crate) fn horizon(&self) -> Option<(Duration, Duration)> {
        self.held.as_ref().map(|held| (held.due_at, held.dead_at))
    }

    /// Whether a due, stale, dead or empty state may start an attempt now.
    pub(crate) fn may_attempt(&self, now: Duration) -> bool {
        !self.in_flight && now >= self.not_before
    }

    /// Whether an attempt is to be started in the background.
    pub(crate) fn wants_refresh(&self, now: Duration) -> bool {
        self.state(now) != KeyState::Fresh && self.may_attempt(now)
    }

    /// A request found no keys at all.
    pub(crate) fn wish_for_any(&self, now: Duration) -> Wish {
        if self.usable(now).is_some() {
            Wish::Pointless
        } else if self.in_flight {
            Wish::Join
        } else if self.may_attempt(now) {
            Wish::Start
        } else {
            Wish::Unavailable(self.held_back(now))
        }
    }

    /// A request named a key that is not there.
    pub(crate) fn wish_for_newer(&self, now: Duration) -> Wish {
        if self.usable(now).is_none() {
            return self.wish_for_any(now);
        }
        let cooled = self
            .last_attempt
            .is_none_or(|started| now.saturating_sub(started) >= COOL_DOWN);
        if self.in_flight {
            Wish::Join
        } else if cooled && self.may_attempt(now) {
            Wish::Start
        } else if self.failures > 0 {
            let since = self
                .last_attempt
                .map_or(Duration::ZERO, |started| now.saturating_sub(started));
            Wish::Unavailable(self.held_back(now).max(COOL_DOWN.saturating_sub(since)))
        } else {
            Wish::Pointless
        }
    }

    /// How long attempts are held back.
    pub(crate) const fn held_back(&self, now: Duration) -> Duration {
        self.not_before.saturating_sub(now)
    }

    /// An attempt starts. It counts from now on, whatever comes of it.
    pub(crate) const fn start(&mut self, now: Duration) {
        self.in_flight = true;
        self.last_attempt = Some(now);
    }

    /// An attempt brought a new value, which replaces everything.
    pub(crate) fn replace(
        &mut self,
        now: Duration,
        value: T,
        validator: Option<Validator>,
        max_age: Option<Duration>,
        jitter: f64,
    ) {
        let fresh_for = max_age.unwrap_or(UNSAID).clamp(SHORTEST, LONGEST);
        let stale_at = now.saturating_add(fresh_for);
        self.held = Some(Held {
            value,
            validator,
            taken_at: now,
            age_then: Duration::ZERO,
            fresh_for,
            due_at: now.saturating_add(due_after(fresh_for, jitter)),
            stale_at,
            dead_at: stale_at.saturating_add(LAST_KNOWN_GOOD),
        });
        self.settle();
    }

    /// Takes in a value that another process confirmed `age` ago. Stale from the start, it dies when it
    /// would have died there, and nothing confirms it: it has no validator. Returns whether it still lives.
    pub(crate) fn import(&mut self, now: Duration, value: T, age: Duration, fresh_for: Duration) -> bool {
        let fresh_for = fresh_for.min(LONGEST);
        let left = fresh_for.saturating_add(LAST_KNOWN_GOOD).saturating_sub(age);
        if left.is_zero() {
            return false;
        }
        self.held = Some(Held {
            value,
            validator: None,
            taken_at: now,
            age_then: age,
            fresh_for,
            due_at: now,
            stale_at: now,
            dead_at: now.saturating_add(left),
        });
        true
    }

    /// The value, unless it is dead, how long ago it was confirmed, and for how long that makes it fresh.
    pub(crate) fn export(&self, now: Duration) -> Option<(&T, Duration, Duration)> {
        let held = self.held.as_ref().filter(|held| now < held.dead_at)?;
        Some((&held.value, held.age(now), held.fresh_for))
    }

    /// An attempt learned that the value is still the published one. Ignored when nothing is held.
    pub(crate) fn confirm(&mut self, now: Duration, max_age: Option<Duration>, jitter: f64) {
        if let Some(held) = self.held.take() {
            self.replace(now, held.value, held.validator, max_age, jitter);
        }
        self.settle();
    }

    const fn settle(&mut self) {
        self.in_flight = false;
        self.failures = 0;
        self.last_error = None;
        self.not_before = Duration::ZERO;
    }

    /// An attempt failed. What is held stays.
    pub(crate) fn fail(
        &mut self,
        now: Duration,
        error: JwksFetchErrorKind,
        retry_after: Option<Duration>,
        jitter: f64,
    ) {
        let ceiling = FIRST_BACK_OFF
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(LONGEST_BACK_OFF);
        let back_off = ceiling.mul_f64(fraction(jitter)).max(FIRST_BACK_OFF);
        let asked = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
        self.in_flight = false;
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(error);
        self.not_before = now.saturating_add(back_off.max(asked));
    }

    /// What the held value can be confirmed with.
    pub(crate) fn validator(&self) -> Option<&Validator> {
        self.held.as_ref()?.validator.as_ref()
    }

    pub(crate) const fn is_in_flight(&self) -> bool {
        self.in_flight
    }

    /// When an attempt under way should have ended, if none takes longer than `longest`.
    pub(crate) fn lost_at(&self, longest: Duration) -> Option<Duration> {
        let started = self.last_attempt.filter(|_| self.in_flight)?;
        Some(started.saturating_add(longest))
    }

    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) const fn last_error(&self) -> Option<JwksFetchErrorKind> {
        self.last_error
    }

    /// How long ago the value was confirmed.
    pub(crate) fn age(&self, now: Duration) -> Option<Duration> {
        self.held.as_ref().map(|held| held.age(now))
    }
}

impl<T> Held<T> {
    const fn age(&self, now: Duration) -> Duration {
        self.age_then.saturating_add(now.saturating_sub(self.taken_at))
    }
}

/// How far into its time a set becomes due, and how much earlier at most, so that many instances do not
/// ask at once.
const DUE: f64 = 0.8;
const JITTER: f64 = 0.1;

fn due_after(fresh_for: Duration, jitter: f64) -> Duration {
    fresh_for.mul_f64(JITTER.mul_add(-fraction(jitter), DUE))
}

/// A jitter source that does not keep its promise must not make a duration panic.
fn fraction(jitter: f64) -> f64 {
    if jitter.is_finite() {
        jitter.clamp(0.0, 1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests;
