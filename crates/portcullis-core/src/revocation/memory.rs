//! A revocation list in this process's memory.

mod builder;

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

pub use self::builder::MemoryRevocationsBuilder;
use super::changes::Changes;
use super::{RevocationList, TokenId, Unavailable};
use crate::{AuditEvent, AuditKind, Clock, Timestamp};

const SHARDS: usize = 16;
/// How much longer than its token an entry is kept: the largest clock skew that a verifier tolerates.
const MARGIN: u64 = 300;
/// Between two searches for entries that can be dropped, when there is no room.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Revoked tokens in memory. A clone is the same list.
///
/// Enough for one instance. For many, the local copy that something feeds: see
/// [`max_lag`](MemoryRevocationsBuilder::max_lag).
///
/// Bounded in entries; one takes some hundred bytes and the names it is about. An entry is dropped only when
/// room is needed *and* its token has expired; when none can be dropped, a revocation is refused with
/// [`RevocationsFull`] rather than another one forgotten.
///
/// Give it the clock of the verifiers. A clock that was ahead while room was made, and is right again, has
/// made the list forget tokens that live: it is undecided then until they have expired.
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

struct Inner {
    settings: MemoryRevocationsBuilder,
    hasher: RandomState,
    shards: [RwLock<Shard>; SHARDS],
    /// How many entries there are. An entry counts before it can be found.
    count: AtomicUsize,
    /// As of when the copy is known to be complete, on the monotonic clock.
    confirmed: Mark,
    /// When entries were last searched for some to drop. Whoever searches holds it.
    swept: Mutex<Option<Duration>>,
    /// Until when the last of what was dropped could have been of use, on the wall clock.
    forgotten: AtomicU64,
    changes: Changes,
}

/// The latest of some readings of the monotonic clock, in milliseconds plus one; zero for none.
#[derive(Default)]
struct Mark(AtomicU64);

/// Whole seconds since the epoch.
type Seconds = u64;

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
    /// Revoked tokens, and when each has expired.
    tokens: HashMap<Box<str>, Seconds>,
    /// Subjects, and the last second whose tokens are refused.
    subjects: HashMap<Box<str>, Seconds>,
}

impl OfIssuer {
    fn len(&self) -> usize {
        self.tokens.len() + self.subjects.len()
    }

    fn of(&mut self, what: What) -> &mut HashMap<Box<str>, Seconds> {
        match what {
            What::Token => &mut self.tokens,
            What::Subject => &mut self.subjects,
        }
    }

    /// Keeps the entries that `lives` takes the end of.
    fn retain(&mut self, longest_token: Option<Seconds>, mut lives: impl FnMut(Seconds) -> bool) {
        self.tokens.retain(|_, end| lives(*end));
        if let Some(longest) = longest_token {
            // A token of the last second was issued before the next one.
            let end = |last: Seconds| last.saturating_add(1).saturating_add(longest);
            self.subjects.retain(|_, last| lives(end(*last)));
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

impl MemoryRevocations {
    /// An empty list with the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    fn of(settings: MemoryRevocationsBuilder) -> Self {
        Self(Arc::new(Inner {
            settings,
            hasher: RandomState::new(),
            shards: Default::default(),
            count: AtomicUsize::new(0),
            confirmed: Mark::default(),
            swept: Mutex::default(),
            forgotten: AtomicU64::new(0),
            changes: Changes::default(),
        }))
    }

    /// Starts a configuration.
    pub fn builder() -> MemoryRevocationsBuilder {
        MemoryRevocationsBuilder::new()
    }

    /// Revokes one token, by its issuer and id. `expires_at` is its `exp`: from then on it is refused
    /// anyway. When in doubt, a later time: an entry with an earlier one may go while the token lives.
    ///
    /// # Errors
    ///
    /// When there is no room. The token is not revoked.
    pub fn revoke(&self, issuer: &str, id: &str, expires_at: Timestamp) -> Result<(), RevocationsFull> {
        self.0
            .enter(What::Token, issuer, id, rounded_up(expires_at.since_epoch()))?;
        self.0.tell("token_revoked", issuer, None);
        Ok(())
    }

    /// Revokes every token of `subject` that was issued up to `instant`, the whole of that second included:
    /// most issuers write no fractions. An earlier instant than one revoked before changes nothing.
    ///
    /// An issuer whose clock is ahead dates its tokens later: add that to `instant`, up to the skew that the
    /// verifier tolerates.
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
        self.0
            .enter(What::Subject, issuer, subject, instant.as_unix_seconds())?;
        self.0.tell("subject_revoked", issuer, Some(subject));
        Ok(())
    }

    /// A [monotonic](Clock::monotonic) reading of the list's clock, to be taken before the feed is asked and
    /// [confirmed](Self::confirm) afterwards. Another clock's reading would have another origin.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.0.settings.clock.monotonic()
    }

    /// Says that everything revoked anywhere before `as_of` is in this copy: a reading that
    /// [`monotonic`](Self::monotonic) gave before the feed was asked. The future cannot be confirmed: a later reading
    /// counts as now.
    pub fn confirm(&self, as_of: Duration) {
        self.0.confirmed.set(as_of.min(self.monotonic()));
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
    fn tell(&self, reason: &'static str, issuer: &str, subject: Option<&str>) {
        if let Some(sink) = &self.settings.audit {
            let event = AuditEvent::new(AuditKind::Revoked).with_reason(Some(reason));
            sink.record(&event.with_account(issuer, subject));
        }
    }

    fn shard(&self, name: &str) -> &RwLock<Shard> {
        let [first, ..] = &self.shards;
        let index = usize::try_from(self.hasher.hash_one(name)).unwrap_or_default() % SHARDS;
        self.shards.get(index).unwrap_or(first)
    }

    fn enter(&self, what: What, issuer: &str, name: &str, value: Seconds) -> Result<(), RevocationsFull> {
        if !self.add(what, issuer, name, value) {
            self.make_room();
            if !self.add(what, issuer, name, value) {
                return Err(RevocationsFull);
            }
        }
        self.changes.announce();
        Ok(())
    }

    /// Adds or renews an entry; `false` when there is no room for a new one.
    fn add(&self, what: What, issuer: &str, name: &str, value: Seconds) -> bool {
        let mut shard = self.shard(name).write().unwrap_or_else(PoisonError::into_inner);
        let known = shard
            .get_mut(issuer)
            .and_then(|of_issuer| of_issuer.of(what).get_mut(name));
        if let Some(known) = known {
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
            let of_issuer = shard.entry(issuer.into()).or_default();
            of_issuer.of(what).insert(name.into(), value);
        }
        place.is_ok()
    }

    /// Drops what has expired, unless that was done a moment ago. Whoever comes while somebody does it waits.
    fn make_room(&self) {
        let clock = &self.settings.clock;
        let (monotonic, now) = (clock.monotonic(), clock.now().as_unix_seconds());
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if swept.is_some_and(|last| monotonic.saturating_sub(last) < SWEEP_INTERVAL) {
            return;
        }
        *swept = Some(monotonic);
        self.shards.iter().for_each(|shard| self.drop_expired(shard, now));
    }

    fn drop_expired(&self, shard: &RwLock<Shard>, now: Seconds) {
        let lives = |end: Seconds| {
            let useless = end.saturating_add(MARGIN);
            if useless <= now {
                self.forgotten.fetch_max(useless, Ordering::AcqRel);
            }
            useless > now
        };
        let longest_token = self.settings.longest_token.map(rounded_up);
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        let before: usize = shard.values().map(OfIssuer::len).sum();
        shard.retain(|_, of_issuer| {
            of_issuer.retain(longest_token, lives);
            of_issuer.len() > 0
        });
        let after: usize = shard.values().map(OfIssuer::len).sum();
        self.count.fetch_sub(before - after, Ordering::AcqRel);
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
                last.is_some_and(|last| token.issued_at.as_unix_seconds() <= *last)
            })
    }

    /// Whether everything that was revoked is in here, except what has expired.
    fn is_complete(&self) -> bool {
        let forgotten = self.forgotten.load(Ordering::Acquire);
        if forgotten > 0 && self.settings.clock.now().as_unix_seconds() < forgotten {
            return false;
        }
        let Some(max_lag) = self.settings.max_lag else {
            return true;
        };
        let age = self.confirmed.age(self.settings.clock.monotonic());
        age.is_some_and(|age| age <= max_lag)
    }
}

fn rounded_up(duration: Duration) -> Seconds {
    let fraction = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(fraction)
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
