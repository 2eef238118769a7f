//! Keys that were looked up a moment ago, ready for use.

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::KeyId;
use crate::seeded::Seeded;

const SHARDS: usize = 16;
/// Keys that share a count keep each other's look-ups from being remembered.
const COUNTS: usize = 64;

/// A bounded look-aside cache by id. What is remembered was asked for less than `max_age` ago.
pub(crate) struct Cache<T> {
    hasher: Seeded,
    shards: [Mutex<Shard<T>>; SHARDS],
    per_shard: usize,
    max_age: Duration,
    bypassed: AtomicBool,
    /// How old the news may be, where somebody brings them, and as of when they are complete, in milliseconds and one
    /// more; zero for never.
    max_lag: Option<Duration>,
    caught_up: AtomicU64,
}

struct Shard<T> {
    /// How often entries were forgotten.
    counts: [u64; COUNTS],
    entries: HashMap<KeyId, Entry<T>, Seeded>,
}

struct Entry<T> {
    value: Arc<T>,
    asked_at: Duration,
}

pub(crate) enum Found<T> {
    Hit(Arc<T>),
    /// How often it was forgotten before.
    Miss(Generation),
}

#[derive(Clone, Copy)]
pub(crate) struct Generation(u64);

impl<T> Cache<T> {
    pub(crate) fn new(capacity: usize, max_age: Duration, max_lag: Option<Duration>) -> Self {
        let hasher = Seeded::default();
        Self {
            shards: std::array::from_fn(|_| {
                Mutex::new(Shard {
                    counts: [0; COUNTS],
                    entries: HashMap::with_hasher(hasher.clone()),
                })
            }),
            hasher,
            per_shard: capacity.div_ceil(SHARDS),
            max_age,
            bypassed: AtomicBool::new(false),
            max_lag,
            caught_up: AtomicU64::new(0),
        }
    }

    fn shard(&self, id: &KeyId) -> (MutexGuard<'_, Shard<T>>, usize) {
        let hash = usize::try_from(self.hasher.hash_one(id) >> 32).unwrap_or_default();
        let [first, ..] = &self.shards;
        let shard = self.shards.get(hash % SHARDS).unwrap_or(first);
        (
            shard.lock().unwrap_or_else(PoisonError::into_inner),
            hash / SHARDS % COUNTS,
        )
    }

    /// What is remembered at `now`, on the monotonic clock.
    pub(crate) fn find(&self, id: &KeyId, now: Duration) -> Found<T> {
        let (mut shard, count) = self.shard(id);
        if let Some(entry) = shard.entries.get(id) {
            let young = now.saturating_sub(entry.asked_at) < self.max_age;
            // Looked at after the entry: what it was filled with cannot have become old unnoticed in between.
            if young && !self.bypassed.load(Ordering::Acquire) && self.is_up_to_date(now) {
                return Found::Hit(Arc::clone(&entry.value));
            }
            shard.entries.remove(id);
        }
        Found::Miss(Generation(shard.counts.get(count).copied().unwrap_or_default()))
    }

    /// Remembers what was asked for at `asked_at`, unless it was forgotten since `before`.
    pub(crate) fn fill(&self, id: KeyId, before: Generation, value: &Arc<T>, asked_at: Duration) {
        let (mut shard, count) = self.shard(&id);
        let changed = shard.counts.get(count) != Some(&before.0);
        let younger = shard
            .entries
            .get(&id)
            .is_some_and(|known| known.asked_at > asked_at);
        if changed || younger || self.max_age.is_zero() || self.bypassed.load(Ordering::Acquire) {
            return;
        }
        if shard.entries.len() >= self.per_shard && !shard.entries.contains_key(&id) {
            shard.make_room(asked_at, self.max_age);
        }
        if shard.entries.len() < self.per_shard || shard.entries.contains_key(&id) {
            let value = Arc::clone(value);
            shard.entries.insert(id, Entry { value, asked_at });
        }
    }

    pub(crate) fn forget(&self, id: &KeyId) {
        let (mut shard, count) = self.shard(id);
        if let Some(count) = shard.counts.get_mut(count) {
            *count += 1;
        }
        shard.entries.remove(id);
    }

    /// Forgets what is `concerned`, and whatever is being looked up: nobody knows yet what that is.
    pub(crate) fn forget_where(&self, concerned: impl Fn(&T) -> bool) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.counts.iter_mut().for_each(|count| *count += 1);
            shard.entries.retain(|_, entry| !concerned(&entry.value));
        }
    }

    /// Whether what is remembered may be used.
    fn is_up_to_date(&self, now: Duration) -> bool {
        let Some(max_lag) = self.max_lag else { return true };
        let as_of = self.caught_up.load(Ordering::Acquire).checked_sub(1);
        as_of.is_some_and(|as_of| now.saturating_sub(Duration::from_millis(as_of)) <= max_lag)
    }

    /// Takes note that everything that was changed anywhere before `as_of` was forgotten.
    pub(crate) fn caught_up(&self, as_of: Duration, now: Duration) {
        // A reading of the future would hide what comes until then.
        let as_of = u64::try_from(as_of.min(now).as_millis()).unwrap_or(u64::MAX);
        self.caught_up
            .fetch_max(as_of.saturating_add(1), Ordering::AcqRel);
    }

    /// Remembers nothing and finds nothing from now on, or does again.
    pub(crate) fn bypass(&self, bypassed: bool) {
        self.bypassed.store(bypassed, Ordering::Release);
        self.forget_where(|_| true);
    }
}

impl<T> Shard<T> {
    /// Drops what is too old, or the oldest.
    fn make_room(&mut self, now: Duration, max_age: Duration) {
        let before = self.entries.len();
        self.entries
            .retain(|_, entry| now.saturating_sub(entry.asked_at) < max_age);
        if self.entries.len() < before {
            return;
        }
        let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.asked_at);
        if let Some(oldest) = oldest.map(|(id, _)| *id) {
            self.entries.remove(&oldest);
        }
    }
}

impl<T> fmt::Debug for Cache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("per_shard", &self.per_shard)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Duration = Duration::from_secs(10);

    fn id(number: u8) -> KeyId {
        KeyId::foreign([number; 32])
    }

    fn fill(cache: &Cache<u8>, number: u8, at: Duration) {
        if let Found::Miss(before) = cache.find(&id(number), at) {
            cache.fill(id(number), before, &Arc::new(number), at);
        }
    }

    fn knows(cache: &Cache<u8>, number: u8, at: Duration) -> bool {
        matches!(cache.find(&id(number), at), Found::Hit(value) if *value == number)
    }

    #[test]
    fn an_entry_is_found_until_it_is_as_old_as_allowed() {
        let cache = Cache::new(16, AGE, None);
        fill(&cache, 1, Duration::ZERO);
        assert!(knows(&cache, 1, AGE - Duration::from_nanos(1)));
        assert!(!knows(&cache, 1, AGE));
    }

    #[test]
    fn what_was_forgotten_meanwhile_is_not_filled() {
        for forget in [
            (|cache: &Cache<u8>| cache.forget(&id(1))) as fn(&Cache<u8>),
            |cache| cache.forget_where(|_| false),
            |cache| cache.bypass(true),
        ] {
            let cache = Cache::new(16, AGE, None);
            let Found::Miss(before) = cache.find(&id(1), Duration::ZERO) else {
                panic!("nothing was filled")
            };
            forget(&cache);
            cache.fill(id(1), before, &Arc::new(1), Duration::ZERO);
            assert!(!knows(&cache, 1, Duration::ZERO));
        }
    }

    #[test]
    fn while_it_is_bypassed_nothing_is_found_and_afterwards_nothing_old() {
        let cache = Cache::new(16, AGE, None);
        fill(&cache, 1, Duration::ZERO);
        cache.bypass(true);
        fill(&cache, 1, Duration::ZERO);
        assert!(!knows(&cache, 1, Duration::ZERO));
        cache.bypass(false);
        assert!(!knows(&cache, 1, Duration::ZERO));
        fill(&cache, 1, Duration::ZERO);
        assert!(knows(&cache, 1, Duration::ZERO));
    }

    #[test]
    fn there_is_a_bound_and_the_newest_are_kept() {
        let cache = Cache::new(SHARDS, AGE, None);
        for number in 0..=255 {
            fill(&cache, number, Duration::from_millis(number.into()));
        }
        let now = Duration::from_millis(255);
        assert!((0..=255).filter(|number| knows(&cache, *number, now)).count() <= SHARDS);
        assert!(knows(&cache, 255, now));
        let none = Cache::new(0, AGE, None);
        fill(&none, 1, Duration::ZERO);
        assert!(!knows(&none, 1, Duration::ZERO));
    }

    #[test]
    fn those_concerned_are_forgotten_and_others_stay() {
        let cache = Cache::new(64, AGE, None);
        fill(&cache, 1, Duration::ZERO);
        fill(&cache, 2, Duration::ZERO);
        cache.forget_where(|value| *value == 1);
        assert!(!knows(&cache, 1, Duration::ZERO) && knows(&cache, 2, Duration::ZERO));
    }

    #[test]
    fn one_that_is_followed_finds_nothing_before_the_first_news_and_after_old_ones() {
        let lag = Duration::from_secs(1);
        let cache = Cache::new(16, AGE, Some(lag));
        let start = Duration::from_secs(5);
        fill(&cache, 1, start);
        assert!(!knows(&cache, 1, start));
        // Nobody knows what comes.
        cache.caught_up(start + AGE, start);
        fill(&cache, 1, start);
        assert!(knows(&cache, 1, start + lag));
        assert!(!knows(&cache, 1, start + lag + Duration::from_millis(1)));
        cache.caught_up(start + lag * 2, start + lag * 2);
        fill(&cache, 1, start + lag * 2);
        assert!(knows(&cache, 1, start + lag * 3));
    }
}
