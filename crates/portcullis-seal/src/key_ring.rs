//! The keys of an application and whose turn it is; sealing and opening with them.

mod builder;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Clock, ConfigError, Secret, Timestamp};

pub use self::builder::SealingRingBuilder;
use crate::cipher::NONCE_LEN;
use crate::envelope::{self, Envelope};
use crate::error::Refusal;
use crate::key::KeyId;
use crate::randomness::Randomness;
use crate::sealed::{Context, Purpose, Sealed};
use crate::{CannotSeal, SealError, SealingKey};

/// What a key in a ring is there for. Each of them opens what it sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyRole {
    /// Published ahead of its turn: another instance may seal with it already, this one does not yet.
    Publishing,
    /// The one that seals.
    Current,
    /// Sealed before, and opens until it is retired.
    Old,
}

/// Keys that seal and open: one that seals now, one at most that waits for its turn, and old ones.
///
/// A value: it does not change while it is used, and [`rotate`](Self::rotate), [`publish`](Self::publish)
/// and [`retire`](Self::retire) make the next one. Cheap to clone, for keys are shared.
///
/// # Decision rules
///
/// 1. The current key seals, and no other. Every value names the key that sealed it.
/// 2. A value is opened with the key it names, if that is in the ring, in whatever role; no second key is
///    tried. A key that is not there, or no longer, opens nothing.
/// 3. Only the form described in the crate's docs is read. There is no older one, and a value that is not
///    sealed is not taken for one that is.
/// 4. Purpose and context have to be those it was sealed for, to the byte.
/// 5. It is opened before its expiry, by the ring's clock, and not at it or later.
/// 6. What is longer than a value can be is refused before it is decoded.
///
/// # Changing keys
///
/// | step | ring | when |
/// |---|---|---|
/// | start | current A | |
/// | publish | publishing B, current A | on all instances, before the next step on any; two days are a good notice |
/// | rotate | current B, old A | |
/// | retire | current B | [`longest_life`](SealingRingBuilder::longest_life) after the last instance rotated |
///
/// Neighbouring rows understand each other, so instances may be restarted one by one. A key that is no longer
/// secret is not retired but left out at once, on every instance: build a ring without it, and what it sealed is
/// refused.
///
/// ```
/// use portcullis_seal::{SealingKey, SealingRing};
///
/// let (a, b) = (SealingKey::generate()?, SealingKey::generate()?);
/// let ring = SealingRing::builder().current(a.clone()).build()?;
/// let ring = ring.publish(b.clone())?.rotate()?;
/// assert_eq!(ring.current().id(), b.id());
/// let ring = ring.retire(a.id())?;
/// assert!(ring.rotate().is_err()); // Nobody has published a successor.
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SealingRing {
    publishing: Option<SealingKey>,
    current: SealingKey,
    old: Vec<SealingKey>,
    settings: Settings,
}

/// What stays the same when keys change.
#[derive(Clone, Debug)]
struct Settings {
    max_plaintext: usize,
    longest_life: Duration,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

impl SealingRing {
    /// How many keys a ring may have.
    pub const MOST_KEYS: usize = 16;

    /// A ring with nothing in it yet. It cannot be built without a current key.
    pub fn builder() -> SealingRingBuilder {
        SealingRingBuilder::new()
    }

    /// The length of the text that a plaintext of this length is sealed into. Browsers keep cookies whose name
    /// and value have 4,096 bytes together, so about 3,000 bytes of plaintext fit into one.
    #[must_use]
    pub const fn text_len(plaintext: usize) -> usize {
        envelope::text_len(plaintext)
    }

    /// The key that seals.
    #[must_use]
    pub const fn current(&self) -> &SealingKey {
        &self.current
    }

    /// All keys with their roles: the one that waits, the one that seals, the old ones.
    pub fn keys(&self) -> impl Iterator<Item = (KeyRole, &SealingKey)> {
        let publishing = self.publishing.iter().map(|key| (KeyRole::Publishing, key));
        let old = self.old.iter().map(|key| (KeyRole::Old, key));
        publishing.chain([(KeyRole::Current, &self.current)]).chain(old)
    }

    /// Seals a value for the purpose `P`, bound to `context`, until `expires_at` (whole seconds, rounded down).
    ///
    /// # Errors
    ///
    /// When the plaintext is [too long](SealingRingBuilder::max_plaintext), the value would be expired
    /// already or live [too long](SealingRingBuilder::longest_life), or there is no randomness.
    pub fn seal<P: Purpose>(
        &self,
        context: &Context,
        expires_at: Timestamp,
        plaintext: &[u8],
    ) -> Result<Sealed<P>, CannotSeal> {
        self.check(expires_at, plaintext)?;
        let mut nonce = [0; NONCE_LEN];
        self.settings
            .randomness
            .fill(&mut nonce)
            .map_err(|_| CannotSeal::Cryptography)?;
        envelope::seal::<P>(&self.current, nonce, context, expires_at, plaintext).map(Sealed::from_text)
    }

    fn check(&self, expires_at: Timestamp, plaintext: &[u8]) -> Result<(), CannotSeal> {
        let now = self.settings.clock.now();
        if plaintext.len() > self.settings.max_plaintext {
            Err(CannotSeal::TooLong)
        } else if Timestamp::from_unix_seconds(expires_at.as_unix_seconds()) <= now {
            Err(CannotSeal::AlreadyExpired)
        } else if expires_at > now.saturating_add(self.settings.longest_life) {
            Err(CannotSeal::LivesTooLong)
        } else {
            Ok(())
        }
    }

    /// Opens a value that was sealed for this purpose and bound to this context.
    ///
    /// # Errors
    ///
    /// One refusal for everything, [`SealError`].
    pub fn open<P: Purpose>(&self, context: &Context, sealed: &Sealed<P>) -> Result<Opened, SealError> {
        self.open_text::<P>(context, sealed.as_str())
            .map_err(SealError::new)
    }

    fn open_text<P: Purpose>(&self, context: &Context, text: &str) -> Result<Opened, Refusal> {
        if text.len() > envelope::text_len(self.settings.max_plaintext) {
            return Err(Refusal::Malformed);
        }
        let envelope = Envelope::read(text).ok_or(Refusal::Malformed)?;
        let key = self.key(envelope.key).ok_or(Refusal::UnknownKey)?;
        let contents = envelope.open::<P>(key, context).ok_or(Refusal::NotAuthentic)?;
        if contents.expires_at <= self.settings.clock.now() {
            return Err(Refusal::Expired);
        }
        Ok(Opened {
            plaintext: contents.plaintext,
            expires_at: contents.expires_at,
            key: key.id(),
            is_current: key.id() == self.current.id(),
        })
    }

    fn key(&self, id: KeyId) -> Option<&SealingKey> {
        self.keys().map(|(_, key)| key).find(|key| key.id() == id)
    }

    /// The ring with one more key, which opens and does not seal yet.
    ///
    /// # Errors
    ///
    /// When another key waits already, this one is in the ring, or the ring is full.
    pub fn publish(self, key: SealingKey) -> Result<Self, ConfigError> {
        if self.publishing.is_some() {
            return Err(builder::one_at_a_time("publishing"));
        }
        Self {
            publishing: Some(key),
            ..self
        }
        .checked()
    }

    /// The ring in which the key that waited seals, and the one that sealed is old.
    ///
    /// # Errors
    ///
    /// When none waits: a key is published before it seals, or other instances refuse what it sealed.
    pub fn rotate(mut self) -> Result<Self, ConfigError> {
        let next = self
            .publishing
            .take()
            .ok_or_else(|| ConfigError::new("no key waits for its turn: publish it before it seals"))?;
        let former = std::mem::replace(&mut self.current, next);
        self.old.insert(0, former);
        Ok(self)
    }

    /// The ring without an old key. What it sealed is refused from now on.
    ///
    /// # Errors
    ///
    /// When there is no such old key. The current key is not retired, nor is one that waits.
    pub fn retire(mut self, id: KeyId) -> Result<Self, ConfigError> {
        let before = self.old.len();
        self.old.retain(|key| key.id() != id);
        if self.old.len() == before {
            return Err(ConfigError::new(format!("no old key of this ring is named {id}")));
        }
        Ok(self)
    }

    /// Two keys of one name would make the second one useless, and are most likely one key twice.
    fn checked(self) -> Result<Self, ConfigError> {
        let mut ids: Vec<KeyId> = self.keys().map(|(_, key)| key.id()).collect();
        if ids.len() > Self::MOST_KEYS {
            return Err(ConfigError::new("a ring has at most 16 keys: retire old ones"));
        }
        ids.sort_unstable();
        let repeated = ids.windows(2).find_map(|pair| match pair {
            [one, two] if one == two => Some(one),
            _ => None,
        });
        match repeated {
            Some(id) => Err(ConfigError::new(format!("the key {id} is in the ring twice"))),
            None => Ok(self),
        }
    }
}

/// What was sealed: authentic, for this purpose and context, and not expired when it was opened.
///
/// `Debug` does not show the plaintext, which is wiped on drop.
#[derive(Clone)]
pub struct Opened {
    plaintext: Secret<Vec<u8>>,
    expires_at: Timestamp,
    key: KeyId,
    is_current: bool,
}

impl Opened {
    /// The plaintext.
    #[must_use]
    pub fn plaintext(&self) -> &[u8] {
        self.plaintext.expose()
    }

    /// The plaintext, still in custody.
    #[must_use]
    pub fn into_plaintext(self) -> Secret<Vec<u8>> {
        self.plaintext
    }

    /// When it expires.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The key that sealed it.
    #[must_use]
    pub const fn key(&self) -> KeyId {
        self.key
    }

    /// Whether the current key sealed it. If not, a value that is to live on may be sealed again.
    #[must_use]
    pub const fn is_of_current_key(&self) -> bool {
        self.is_current
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("expires_at", &self.expires_at)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
