//! The keys of one issuer and whose turn it is: a state machine that is told the time.

mod document;
mod error;
mod jwk_set;

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{ConfigError, Timestamp};

pub use self::error::KeyRingError;
pub use self::jwk_set::JwkSet;
use super::{RotationSchedule, SigningKey};

/// More than any schedule leads to.
const MOST_KEYS: usize = 64;

/// The turn that does not come.
const NEVER: Timestamp = Timestamp::from_unix_seconds(u64::MAX);

/// How many keys that are no longer published are written down all the same.
const KEPT_RETIRED: usize = 2;

/// The keys of one issuer, each with its times, as they stand at one moment.
///
/// Pure: it is told the time and given new keys; nothing in it waits, draws or reads a clock. Cheap to
/// clone, for the keys are shared.
///
/// # Decision rules
///
/// 1. A key is published from the moment it is in the ring. It signs from `signs_from` until its
///    successor does; the [signing key](Self::signing_key) is always one of the published.
/// 2. The first key of an empty ring signs at once. Every other is published
///    [`publish_ahead`](RotationSchedule::publish_ahead) before it signs, counted from when it was added,
///    not from when it was due.
/// 3. A key that no longer signs stays published until the last token it can have signed has expired,
///    and [five minutes](RotationSchedule::SKEW) more. Then it is gone.
/// 4. A [withdrawn](Self::withdraw) key is gone at once. If it was the one that signs, its successor signs
///    at once; if there is none, a new key is due, and signs at once.
/// 5. The ring's time never goes back. It is to be fed with [`SteadyTime`](crate::SteadyTime), so that it
///    does not jump ahead either.
///
/// ```
/// use std::time::Duration;
/// use portcullis_core::Timestamp;
/// use portcullis_jwt::{Algorithm, KeyRing, RotationSchedule, SigningKey};
///
/// let start = Timestamp::from_unix_seconds(1_800_000_000);
/// let mut ring = KeyRing::new(RotationSchedule::new(), start)?;
/// ring.rotate_if_due(start, SigningKey::generate(Algorithm::Es256)?)?;
/// let first = ring.signing_key().map(|key| key.kid().to_owned());
///
/// let due = ring.rotation_due_at();
/// ring.rotate_if_due(due, SigningKey::generate(Algorithm::Es256)?)?;
/// assert_eq!(ring.published().count(), 2);
/// assert_eq!(ring.signing_key().map(|key| key.kid().to_owned()), first);
///
/// ring.advance_to(due.saturating_add(Duration::from_secs(2 * 60 * 60)));
/// assert_ne!(ring.signing_key().map(|key| key.kid().to_owned()), first);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeyRing {
    schedule: RotationSchedule,
    /// In the order of their turns.
    keys: Vec<RingKey>,
    /// The last keys whose time is over: written down, since it may be over by this clock only, and
    /// neither published nor signing.
    retired: Vec<RingKey>,
    as_of: Timestamp,
}

/// A key of a [`KeyRing`], with its times.
#[derive(Clone, Debug)]
pub struct RingKey {
    key: Arc<SigningKey>,
    published_at: Timestamp,
    signs_from: Timestamp,
    /// When its successor takes over; unknown while there is none.
    signs_until: Option<Timestamp>,
    /// The longest lifetime of any token it may have signed.
    longest_token: Duration,
}

impl RingKey {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Since when it is published.
    #[must_use]
    pub const fn published_at(&self) -> Timestamp {
        self.published_at
    }

    /// From when on it signs.
    #[must_use]
    pub const fn signs_from(&self) -> Timestamp {
        self.signs_from
    }

    /// From when on it no longer signs, once it has a successor.
    #[must_use]
    pub const fn signs_until(&self) -> Option<Timestamp> {
        self.signs_until
    }

    /// From when on it is no longer published, once it has a successor.
    #[must_use]
    pub fn retired_at(&self) -> Option<Timestamp> {
        let last_token = self.signs_until?.saturating_add(self.longest_token);
        Some(last_token.saturating_add(RotationSchedule::SKEW))
    }

    fn has_turn_at(&self, time: Timestamp) -> bool {
        self.signs_from <= time && !self.is_over_at(time)
    }

    fn is_over_at(&self, time: Timestamp) -> bool {
        self.signs_until.is_some_and(|until| until <= time)
    }
}

impl KeyRing {
    /// A ring without keys, at the time `now`.
    ///
    /// # Errors
    ///
    /// When the schedule is [out of its bounds](RotationSchedule::check).
    pub fn new(schedule: RotationSchedule, now: Timestamp) -> Result<Self, ConfigError> {
        schedule.check()?;
        Ok(Self {
            schedule,
            keys: Vec::new(),
            retired: Vec::new(),
            as_of: now,
        })
    }

    /// A ring whose first key signs for ever; the others wait for ever. Time means nothing to it.
    pub(super) fn fixed(keys: impl IntoIterator<Item = SigningKey>) -> Result<Self, KeyRingError> {
        let mut ring = Self {
            schedule: RotationSchedule::new(),
            keys: Vec::new(),
            retired: Vec::new(),
            as_of: Timestamp::EPOCH,
        };
        for key in keys {
            ring.check_new(&key)?;
            let is_first = ring.keys.is_empty();
            ring.keys.push(RingKey {
                key: Arc::new(key),
                published_at: Timestamp::EPOCH,
                signs_from: if is_first { Timestamp::EPOCH } else { NEVER },
                signs_until: None,
                longest_token: Duration::MAX,
            });
        }
        Ok(ring)
    }

    /// When keys take turns.
    #[must_use]
    pub const fn schedule(&self) -> &RotationSchedule {
        &self.schedule
    }

    /// The moment the ring shows.
    #[must_use]
    pub const fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The published keys with their times, in the order of their turns.
    pub fn keys(&self) -> impl Iterator<Item = &RingKey> {
        self.keys.iter()
    }

    /// The published keys, in the order of their turns.
    pub fn published(&self) -> impl Iterator<Item = &SigningKey> {
        self.keys.iter().map(RingKey::key)
    }

    /// The key that signs. `None` when there is none: the ring is new, or its last key was withdrawn.
    #[must_use]
    pub fn signing_key(&self) -> Option<&SigningKey> {
        self.signing().map(RingKey::key)
    }

    /// The longest lifetime that a token of the signing key may have.
    #[must_use]
    pub fn longest_token(&self) -> Duration {
        self.signing()
            .map_or_else(|| self.schedule.longest_token(), |signing| signing.longest_token)
    }

    fn signing(&self) -> Option<&RingKey> {
        let has_turn = |key: &&RingKey| key.has_turn_at(self.as_of);
        // Nobody's turn: the first key was added by an instance whose clock is a little ahead of this one.
        let is_next = |key: &&RingKey| !key.is_over_at(self.as_of);
        self.keys
            .iter()
            .rfind(has_turn)
            .or_else(|| self.keys.iter().find(is_next))
    }

    /// When the signing or the published keys change next by themselves, if they do.
    #[must_use]
    pub fn next_change(&self) -> Option<Timestamp> {
        let times = |key: &RingKey| [Some(key.signs_from), key.signs_until, key.retired_at()];
        self.keys
            .iter()
            .flat_map(times)
            .flatten()
            .filter(|time| *time > self.as_of)
            .min()
    }

    /// When a new key is to be added; a time in the past when that is overdue.
    #[must_use]
    pub fn rotation_due_at(&self) -> Timestamp {
        match self.keys.last() {
            None => Timestamp::EPOCH,
            // Its successor was withdrawn: as soon as nobody waits.
            Some(newest) if newest.signs_until.is_some() => newest.signs_from,
            Some(newest) => {
                let turn = newest.signs_from.saturating_add(self.schedule.sign_for());
                turn.saturating_sub(self.schedule.publish_ahead())
            }
        }
    }

    /// Whether a new key is to be added now.
    #[must_use]
    pub fn is_rotation_due(&self) -> bool {
        self.rotation_due_at() <= self.as_of
    }

    /// Lets time pass. Returns whether the signing or the published keys changed. An earlier time than
    /// [`as_of`](Self::as_of) changes nothing.
    pub fn advance_to(&mut self, now: Timestamp) -> bool {
        let before = (
            self.keys.len(),
            self.signing_key().map(SigningKey::kid).map(str::to_owned),
        );
        self.as_of = self.as_of.max(now);
        self.retire();
        let signing = self.signing_key().map(SigningKey::kid);
        (self.keys.len(), signing) != (before.0, before.1.as_deref())
    }

    /// Takes out what is no longer published, and keeps the last of it aside.
    fn retire(&mut self) {
        let as_of = self.as_of;
        let is_retired = |key: &mut RingKey| key.retired_at().is_some_and(|retired| retired <= as_of);
        self.retired.extend(self.keys.extract_if(.., is_retired));
        let surplus = self.retired.len().saturating_sub(KEPT_RETIRED);
        self.retired.drain(..surplus);
    }

    /// What is written down, in the order of turns. Keys of longer tokens may retire after their successors.
    fn kept(&self) -> Vec<&RingKey> {
        let mut kept: Vec<_> = self.retired.iter().chain(&self.keys).collect();
        kept.sort_by_key(|key| (key.signs_from, key.signs_until.is_none(), key.signs_until));
        kept
    }

    /// Advances, and adds `new_key` if one is due: published from now on, signing `publish_ahead` later, or
    /// at once where nobody else can. Returns whether it was added.
    ///
    /// # Errors
    ///
    /// When a key of this id is in the ring or was in it lately, the id is empty, or the ring is
    /// [full](KeyRingError::Full).
    pub fn rotate_if_due(&mut self, now: Timestamp, new_key: SigningKey) -> Result<bool, KeyRingError> {
        self.advance_to(now);
        if !self.is_rotation_due() {
            return Ok(false);
        }
        self.rotate(now, new_key).map(|()| true)
    }

    /// Advances, and adds `new_key` although none is due: a planned change, with the same notice.
    ///
    /// # Errors
    ///
    /// When a key waits for its turn already, a key of this id is in the ring or was in it lately, the id is
    /// empty, or the ring is [full](KeyRingError::Full).
    pub fn rotate(&mut self, now: Timestamp, new_key: SigningKey) -> Result<(), KeyRingError> {
        self.advance_to(now);
        let now = self.as_of;
        self.check_new(&new_key)?;
        let signs_from = match (self.signing(), self.keys.last()) {
            (Some(_), Some(newest)) if newest.signs_from > now => return Err(KeyRingError::TurnTaken),
            (Some(_), _) => now.saturating_add(self.schedule.publish_ahead()),
            (None, _) => now,
        };
        // Whether it had an end or not: the one it was to make room for may have been withdrawn.
        if let Some(newest) = self.keys.last_mut().filter(|newest| !newest.is_over_at(now)) {
            newest.signs_until = Some(signs_from);
        }
        self.keys.push(RingKey {
            key: Arc::new(new_key),
            published_at: now,
            signs_from,
            signs_until: None,
            longest_token: self.schedule.longest_token(),
        });
        Ok(())
    }

    fn check_new(&self, key: &SigningKey) -> Result<(), KeyRingError> {
        if key.kid().is_empty() || self.kept().iter().any(|known| known.key.kid() == key.kid()) {
            return Err(KeyRingError::KidTaken);
        }
        // One that is retired makes room.
        if self.keys.len() >= MOST_KEYS {
            return Err(KeyRingError::Full);
        }
        Ok(())
    }

    /// Advances, and takes a key out at once, because it is no longer secret. Every token it signed stops
    /// verifying with the next fetch of each verifier.
    ///
    /// If it signed, its successor does from now on, noticed by verifiers or not; if it has none, the
    /// ring [has no signing key](Self::signing_key) and a new one is due.
    ///
    /// # Errors
    ///
    /// When there is no such key.
    pub fn withdraw(&mut self, now: Timestamp, kid: &str) -> Result<(), KeyRingError> {
        self.advance_to(now);
        let now = self.as_of;
        let Some(index) = self.keys.iter().position(|key| key.key.kid() == kid) else {
            return self.withdraw_retired(kid);
        };
        let withdrawn = self.keys.remove(index);
        // Whoever was to make room for it goes on.
        for key in &mut self.keys {
            if key.signs_until == Some(withdrawn.signs_from) && withdrawn.signs_from > now {
                key.signs_until = withdrawn.signs_until;
            }
        }
        if !self.keys.iter().any(|key| key.has_turn_at(now))
            && let Some(next) = self.keys.iter_mut().find(|key| !key.is_over_at(now))
        {
            next.signs_from = now;
            next.published_at = next.published_at.min(now);
        }
        Ok(())
    }

    /// Nobody publishes it by this clock, and somebody may by another one.
    fn withdraw_retired(&mut self, kid: &str) -> Result<(), KeyRingError> {
        let before = self.retired.len();
        self.retired.retain(|key| key.key.kid() != kid);
        if self.retired.len() < before {
            Ok(())
        } else {
            Err(KeyRingError::UnknownKid)
        }
    }

    /// Makes every key stay published long enough for tokens as long as the schedule allows. Returns whether that
    /// changed anything; what it changed has to be written down before such tokens are signed.
    pub fn cover_longest_token(&mut self) -> bool {
        let longest = self.schedule.longest_token();
        let mut changed = false;
        for key in &mut self.keys {
            if key.longest_token < longest {
                key.longest_token = longest;
                changed = true;
            }
        }
        changed
    }

    /// Goes on with the keys of another ring.
    pub(super) fn take_up(&mut self, former: &Self) {
        self.keys = former.kept().into_iter().cloned().collect();
        self.cover_longest_token();
    }

    /// The published keys as a JWK set (RFC 7517 §5): public keys only, in the order of their turns. HMAC
    /// secrets are left out.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        JwkSet::of(self.published())
    }
}
