//! A revocation list in this process's memory.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::changes::Changes;
use super::{RevocationList, TokenId, Unavailable};
use crate::{Clock, SystemClock, Timestamp};

const SHARDS: usize = 16;
const DEFAULT_CAPACITY: usize = 100_000;
/// How much longer than its token an entry is kept: the largest clock skew that a verifier tolerates.
const MARGIN: Duration = Duration::from_secs(300);
/// Between two searches for entries that can be dropped, when there is no room.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Revoked tokens in memory. A clone is the same list.
///
/// Enough for one instance. For many, the local copy that something feeds: see
/// [`max_lag`](MemoryRevocationsBuilder::max_lag).
///
/// Bounded. An entry is dropped only when room is needed *and* its token has expired; when none can be
/// dropped, a revocation is refused with [`RevocationsFull`] rather than another one forgotten.
///
/// ```
/// use portcullis_core::{MemoryRevocations, RevocationList, Timestamp, TokenId};
///
/// let list = MemoryRevocations::new();
/// let issued = Timestamp::from_unix_seconds(1_000);
/// let token = TokenId::new("https://issuer.example", "token-1", Some("alice"), issued);
/// assert_eq!(list.is_revoked(&token), Ok(false));
///
/// list.revoke("https://issuer.example", "token-1", Timestamp::from_unix_seconds(4_600))?;
/// assert_eq!(list.is_revoked(&token), Ok(true));
/// # Ok::<(), portcullis_core::RevocationsFull>(())
/// ```
#[derive(Clone)]
pub struct MemoryRevocations(Arc<Inner>);

/// Builds a [`MemoryRevocations`]. Nothing is mandatory.
#[derive(Clone, Debug)]
#[must_use]
pub struct MemoryRevocationsBuilder {
    capacity: usize,
    longest_token: Option<Duration>,
    max_lag: Option<Duration>,
    clock: Arc<dyn Clock>,
}

struct Inner {
    settings: MemoryRevocationsBuilder,
    hasher: RandomState,
    shards: [RwLock<Shard>; SHARDS],
    /// How many entries there are. An entry counts before it can be found.
    count: AtomicUsize,
    /// As of when the copy is known to be complete, on the monotonic clock.
    confirmed: Mark,
    /// When entries were last searched for some to drop.
    swept: Mark,
    changes: Changes,
}

/// The latest of some readings of the monotonic clock, in milliseconds plus one; zero for none.
#[derive(Default)]
struct Mark(AtomicU64);

impl Mark {
    fn set(&self, reading: Duration) {
        let millis = u64::try_from(reading.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_max(millis.saturating_add(1), Ordering::AcqRel);
    }

    /// How long ago it was set.
    fn age(&self, now: Duration) -> Option<Duration> {
        let millis = self.0.load(Ordering::Acquire).checked_sub(1)?;
        Some(now.saturating_sub(Duration::from_millis(millis)))
    }
}

/// Entries by issuer.
type Shard = HashMap<Box<str>, OfIssuer>;

#[derive(Default)]
struct OfIssuer {
    /// Revoked tokens, and when each expires.
    tokens: HashMap<Box<str>, Timestamp>,
    /// Subjects, and the last `iat` that is refused.
    subjects: HashMap<Box<str>, Timestamp>,
}

impl OfIssuer {
    fn len(&self) -> usize {
        self.tokens.len() + self.subjects.len()
    }

    fn of(&mut self, what: What) -> &mut HashMap<Box<str>, Timestamp> {
        match what {
            What::Token => &mut self.tokens,
            What::Subject => &mut self.subjects,
        }
    }
}

#[derive(Clone, Copy)]
enum What {
    Token,
    Subject,
}

/// No room for another revocation: what was to be revoked stays valid, and the caller must be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationsFull;

impl fmt::Display for RevocationsFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the revocation list is full")
    }
}

impl std::error::Error for RevocationsFull {}

impl MemoryRevocationsBuilder {
    /// Holds this many entries; 100,000 unless called.
    pub const fn capacity(mut self, entries: usize) -> Self {
        self.capacity = entries;
        self
    }

    /// Lets a subject's entry go once every token it concerns has expired: `lifetime` is that of the
    /// longest-lived token. Make the verifier refuse longer ones (`max_lifetime`). Unless called, subjects
    /// are kept for ever.
    pub const fn longest_token(mut self, lifetime: Duration) -> Self {
        self.longest_token = Some(lifetime);
        self
    }

    /// Makes the list the copy of another: undecidable until it is
    /// [confirmed](MemoryRevocations::confirm), and again when the last confirmation is older than this.
    /// Unless called, the list is complete by itself.
    pub const fn max_lag(mut self, max_lag: Duration) -> Self {
        self.max_lag = Some(max_lag);
        self
    }

    /// Takes the time from `clock`; the system's unless called.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// An empty list.
    #[must_use]
    pub fn build(self) -> MemoryRevocations {
        MemoryRevocations(Arc::new(Inner {
            settings: self,
            hasher: RandomState::new(),
            shards: Default::default(),
            count: AtomicUsize::new(0),
            confirmed: Mark::default(),
            swept: Mark::default(),
            changes: Changes::default(),
        }))
    }
}

impl MemoryRevocations {
    /// An empty list with the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts a configuration.
    pub fn builder() -> MemoryRevocationsBuilder {
        MemoryRevocationsBuilder {
            capacity: DEFAULT_CAPACITY,
            longest_token: None,
            max_lag: None,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Revokes one token, by its issuer and id. `expires_at` is its `exp`: from then on it is refused
    /// anyway.
    ///
    /// # Errors
    ///
    /// When there is no room. The token is not revoked.
    pub fn revoke(&self, issuer: &str, id: &str, expires_at: Timestamp) -> Result<(), RevocationsFull> {
        self.0.enter(What::Token, issuer, id, expires_at)
    }

    /// Revokes every token of `subject` that was issued up to `instant`, that second included. An earlier
    /// instant than one revoked before changes nothing.
    ///
    /// # Errors
    ///
    /// When there is no room. Nothing is revoked.
    pub fn revoke_before(
        &self,
        issuer: &str,
        subject: &str,
        instant: Timestamp,
    ) -> Result<(), RevocationsFull> {
        self.0.enter(What::Subject, issuer, subject, instant)
    }

    /// Says that everything revoked anywhere before `as_of` is in this copy. `as_of` is a
    /// [monotonic](Clock::monotonic) reading of the list's clock, taken before the feed was asked.
    pub fn confirm(&self, as_of: Duration) {
        self.0.confirmed.set(as_of);
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.count.load(Ordering::Acquire)
    }

    /// Whether nothing is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for MemoryRevocations {
    fn default() -> Self {
        Self::new()
    }
}

impl Inner {
    fn shard(&self, name: &str) -> &RwLock<Shard> {
        let [first, ..] = &self.shards;
        let index = usize::try_from(self.hasher.hash_one(name)).unwrap_or_default() % SHARDS;
        self.shards.get(index).unwrap_or(first)
    }

    fn enter(&self, what: What, issuer: &str, name: &str, value: Timestamp) -> Result<(), RevocationsFull> {
        if !self.add(what, issuer, name, value) {
            self.drop_expired();
            if !self.add(what, issuer, name, value) {
                return Err(RevocationsFull);
            }
        }
        self.changes.announce();
        Ok(())
    }

    /// Adds or renews an entry; `false` when there is no room for a new one.
    fn add(&self, what: What, issuer: &str, name: &str, value: Timestamp) -> bool {
        let mut shard = self.shard(name).write().unwrap_or_else(PoisonError::into_inner);
        let entries = shard.entry(issuer.into()).or_default().of(what);
        if let Some(known) = entries.get_mut(name) {
            *known = (*known).max(value);
            return true;
        }
        let capacity = self.settings.capacity;
        let place = self
            .count
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
                (count < capacity).then_some(count + 1)
            });
        if place.is_ok() {
            entries.insert(name.into(), value);
        }
        place.is_ok()
    }

    fn drop_expired(&self) {
        let monotonic = self.settings.clock.monotonic();
        if self.swept.age(monotonic).is_some_and(|age| age < SWEEP_INTERVAL) {
            return;
        }
        self.swept.set(monotonic);
        let now = self.settings.clock.now();
        let lives = |end: Timestamp| end.saturating_add(MARGIN) > now;
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            let before: usize = shard.values().map(OfIssuer::len).sum();
            for of_issuer in shard.values_mut() {
                of_issuer.tokens.retain(|_, expires_at| lives(*expires_at));
                if let Some(longest) = self.settings.longest_token {
                    let subjects = &mut of_issuer.subjects;
                    subjects.retain(|_, instant| lives(instant.saturating_add(longest)));
                }
            }
            shard.retain(|_, of_issuer| of_issuer.len() > 0);
            let after: usize = shard.values().map(OfIssuer::len).sum();
            self.count.fetch_sub(before - after, Ordering::AcqRel);
        }
    }

    fn holds(&self, token: &TokenId<'_>) -> bool {
        if self.count.load(Ordering::Acquire) == 0 {
            return false;
        }
        let read = |name| self.shard(name).read().unwrap_or_else(PoisonError::into_inner);
        let by_id = read(token.id)
            .get(token.issuer)
            .is_some_and(|of_issuer| of_issuer.tokens.contains_key(token.id));
        by_id
            || token.subject.is_some_and(|subject| {
                let shard = read(subject);
                let last = shard
                    .get(token.issuer)
                    .and_then(|of_issuer| of_issuer.subjects.get(subject));
                last.is_some_and(|last| token.issued_at <= *last)
            })
    }

    /// Whether everything that was revoked is in here.
    fn is_complete(&self) -> bool {
        let Some(max_lag) = self.settings.max_lag else {
            return true;
        };
        let age = self.confirmed.age(self.settings.clock.monotonic());
        age.is_some_and(|age| age <= max_lag)
    }
}

impl RevocationList for MemoryRevocations {
    /// What is known to be revoked is, however old the copy.
    fn is_revoked(&self, token: &TokenId<'_>) -> Result<bool, Unavailable> {
        if self.0.holds(token) {
            Ok(true)
        } else if self.0.is_complete() {
            Ok(false)
        } else {
            Err(Unavailable::new(None))
        }
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.0.changes.next())
    }
}

impl fmt::Debug for MemoryRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRevocations")
            .field("entries", &self.len())
            .field("complete", &self.0.is_complete())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
