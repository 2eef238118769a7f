//! Sets of keys, and where they come from.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::ConfigError;
use serde::de::MapAccess;
use serde_json::value::RawValue;

use crate::json::{Object, read_object, skip_value};
use crate::key::{JwkRejected, read_jwk};
use crate::{Algorithm, JwtError, VerifyingKey};

/// Keys that were loaded together.
///
/// Immutable: a new set replaces the old one whole, so that a key that is no longer published stops
/// verifying (RFC 7517 says nothing of revocation; this is it).
#[derive(Clone, Debug)]
pub struct Keys {
    keys: Vec<VerifyingKey>,
    skipped: SkippedKeys,
}

/// How many keys of a JWK set cannot be used as they are, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKeys {
    /// Not readable as a JWK.
    pub malformed: usize,
    /// Of a type, curve or algorithm that is not supported.
    pub unsupported: usize,
    /// For something else than verifying signatures.
    pub other_use: usize,
    /// Private or symmetric: these should never have been published.
    pub private: usize,
    /// Too weak, too large or not sound.
    pub unsound: usize,
    /// Told apart from another key neither by id nor by algorithm. Such keys stay in the set, so that a
    /// token that names them is ambiguous instead of unknown.
    pub conflicting: usize,
}

impl SkippedKeys {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.malformed + self.unsupported + self.other_use + self.private + self.unsound + self.conflicting
    }

    const fn count(&mut self, rejected: JwkRejected) {
        *match rejected {
            JwkRejected::Malformed => &mut self.malformed,
            JwkRejected::Unsupported => &mut self.unsupported,
            JwkRejected::OtherUse => &mut self.other_use,
            JwkRejected::Private => &mut self.private,
            JwkRejected::Unsound => &mut self.unsound,
        } += 1;
    }
}

/// Bounds on a JWK set.
#[derive(Clone, Copy, Debug)]
pub struct JwksLimits {
    max_keys: usize,
}

impl JwksLimits {
    /// The default bounds: 100 keys.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_keys: 100 }
    }

    /// Takes sets of up to `max_keys` entries; a longer one is refused whole.
    #[must_use]
    pub const fn with_max_keys(mut self, max_keys: usize) -> Self {
        self.max_keys = max_keys;
        self
    }
}

impl Default for JwksLimits {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a JWK set was refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwksError {
    /// Not a JSON object with one array `keys`.
    Malformed,
    /// More keys than allowed.
    TooManyKeys,
    /// No key that could verify anything.
    NoUsableKeys,
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a JWK set",
            Self::TooManyKeys => "the JWK set holds too many keys",
            Self::NoUsableKeys => "the JWK set holds no usable key",
        })
    }
}

impl std::error::Error for JwksError {}

#[derive(Default)]
struct Set<'a>(Option<Vec<&'a RawValue>>);

impl<'de> Object<'de> for Set<'de> {
    fn member<M: MapAccess<'de>>(&mut self, name: &str, map: &mut M) -> Result<(), M::Error> {
        if name == "keys" {
            self.0 = Some(map.next_value()?);
            Ok(())
        } else {
            skip_value(map)
        }
    }
}

impl Keys {
    /// Reads a JWK set (RFC 7517 §5), key by key: one that is unusable spoils nothing and is
    /// [counted](Self::skipped). Private keys and `oct` secrets are never used.
    ///
    /// # Errors
    ///
    /// When it is no JWK set, has too many entries, or not one usable key.
    pub fn from_jwks(json: &[u8], limits: &JwksLimits) -> Result<Self, JwksError> {
        let json = std::str::from_utf8(json).map_err(|_| JwksError::Malformed)?;
        let mut set = Set::default();
        read_object(json, &mut set).map_err(|_| JwksError::Malformed)?;
        let entries = set.0.ok_or(JwksError::Malformed)?;
        if entries.len() > limits.max_keys {
            return Err(JwksError::TooManyKeys);
        }
        let mut keys = Self {
            keys: Vec::with_capacity(entries.len()),
            skipped: SkippedKeys::default(),
        };
        for entry in entries {
            match read_jwk(entry.get()) {
                Ok(key) => keys.insert(key),
                Err(rejected) => keys.skipped.count(rejected),
            }
        }
        if keys.keys.is_empty() {
            return Err(JwksError::NoUsableKeys);
        }
        Ok(keys)
    }

    fn insert(&mut self, key: VerifyingKey) {
        let same_name =
            |known: &VerifyingKey| known.kid() == key.kid() && known.algorithms().eq(key.algorithms());
        if self
            .keys
            .iter()
            .any(|known| same_name(known) && known.is_same_key(&key))
        {
            return;
        }
        if key.kid().is_some() && self.keys.iter().any(same_name) {
            self.skipped.conflicting += 1;
        }
        self.keys.push(key);
    }

    /// How many keys there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// How many keys of the document were left out.
    #[must_use]
    pub const fn skipped(&self) -> &SkippedKeys {
        &self.skipped
    }

    /// Whether a token with this `kid` and algorithm would find at least one key.
    #[must_use]
    pub fn knows(&self, kid: Option<&str>, algorithm: Algorithm) -> bool {
        self.candidates(kid, algorithm).next().is_some()
    }

    fn candidates<'k>(
        &'k self,
        kid: Option<&'k str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = (usize, &'k VerifyingKey)> {
        self.keys
            .iter()
            .enumerate()
            .filter(move |(_, key)| key.answers_to(kid) && key.serves(algorithm))
    }

    /// The key at a place that [`select`](Self::select) found.
    pub(crate) fn at(&self, place: usize) -> Option<&VerifyingKey> {
        self.keys.get(place)
    }

    /// Whether this very key is among them, under whatever name.
    pub(crate) fn holds(&self, key: &VerifyingKey) -> bool {
        self.keys.iter().any(|held| held.is_same_key(key))
    }

    /// The one key that a token means, and its place. Never tries several.
    pub(crate) fn select<'k>(
        &'k self,
        kid: Option<&'k str>,
        algorithm: Algorithm,
    ) -> Result<(usize, &'k VerifyingKey), JwtError> {
        let mut candidates = self.candidates(kid, algorithm);
        let (place, first) = candidates.next().ok_or(JwtError::UnknownKey)?;
        // One key that is published twice, with and without `alg`, is still one key.
        if candidates.all(|(_, other)| other.is_same_key(first)) {
            Ok((place, first))
        } else {
            Err(JwtError::AmbiguousKey)
        }
    }
}

/// A source of one issuer's keys.
///
/// [`StaticKeySet`] for keys that are configured; `RemoteKeySet` of `portcullis-jwks` for keys that the
/// issuer publishes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no source of keys",
    note = "use `StaticKeySet` for configured keys or `RemoteKeySet` for those an issuer publishes"
)]
pub trait KeySet: fmt::Debug + Send + Sync + 'static {
    /// The keys as they stand. Never waits; may start work in the background.
    ///
    /// # Errors
    ///
    /// When there are none, or they are too old to be trusted.
    fn current(&self) -> Result<Arc<Keys>, KeysUnavailable>;

    /// Waits, briefly, for newer keys than [`current`](Self::current) gave. `None` when that is
    /// pointless now: the caller decides with what it has.
    fn refresh(&self, reason: RefreshReason) -> Option<Refresh> {
        let _ = reason;
        None
    }
}

/// Newer keys, when they come.
pub type Refresh = Pin<Box<dyn Future<Output = Result<Arc<Keys>, KeysUnavailable>> + Send>>;

/// Why newer keys are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshReason {
    /// There are no keys at all.
    NoKeys,
    /// A token names a key that is not among them.
    UnknownKey,
}

/// The issuer's keys cannot be had: nothing can be decided, and the answer is 503.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeysUnavailable {
    retry_after: Option<Duration>,
}

impl KeysUnavailable {
    /// Keys that cannot be had; worth another try after `retry_after`, if anyone knows.
    #[must_use]
    pub const fn new(retry_after: Option<Duration>) -> Self {
        Self { retry_after }
    }

    /// When it is worth trying again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for KeysUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the issuer's keys are not available")
    }
}

impl std::error::Error for KeysUnavailable {}

impl From<KeysUnavailable> for JwtError {
    fn from(unavailable: KeysUnavailable) -> Self {
        Self::KeysUnavailable {
            retry_after: unavailable.retry_after,
        }
    }
}

impl<K: KeySet + ?Sized> KeySet for Arc<K> {
    fn current(&self) -> Result<Arc<Keys>, KeysUnavailable> {
        (**self).current()
    }

    fn refresh(&self, reason: RefreshReason) -> Option<Refresh> {
        (**self).refresh(reason)
    }
}

/// Keys that never change while the program runs.
///
/// ```
/// use portcullis_core::Secret;
/// use portcullis_jwt::{Algorithm, StaticKeySet, VerifyingKey};
///
/// let secret = Secret::new(vec![7; 32]); // from `Secret::from_file` or `Secret::from_env`
/// let keys = StaticKeySet::new([VerifyingKey::hmac(Algorithm::Hs256, &secret)?])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct StaticKeySet(Arc<Keys>);

impl StaticKeySet {
    /// A set of configured keys.
    ///
    /// # Errors
    ///
    /// When there are none, or two of them can be told apart neither by id nor by algorithm.
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Result<Self, ConfigError> {
        let keys: Vec<_> = keys.into_iter().collect();
        if keys.is_empty() {
            return Err(ConfigError::new("a key set needs at least one key"));
        }
        for (index, key) in keys.iter().enumerate() {
            let clashes = |other: &VerifyingKey| {
                let same_name = match (key.kid(), other.kid()) {
                    (Some(one), Some(two)) => one == two,
                    _ => true,
                };
                same_name && key.algorithms().any(|algorithm| other.serves(algorithm))
            };
            if keys.iter().skip(index + 1).any(clashes) {
                return Err(ConfigError::new(
                    "two keys serve the same algorithm: name both with `with_kid`, differently",
                ));
            }
        }
        Ok(Self(Arc::new(Keys {
            keys,
            skipped: SkippedKeys::default(),
        })))
    }

    /// The keys of a JWK set document, such as a file; bounded as [`JwksLimits::new`].
    ///
    /// # Errors
    ///
    /// As [`Keys::from_jwks`].
    pub fn from_jwks(json: &[u8]) -> Result<Self, JwksError> {
        Keys::from_jwks(json, &JwksLimits::new()).map(Arc::new).map(Self)
    }
}

impl KeySet for StaticKeySet {
    fn current(&self) -> Result<Arc<Keys>, KeysUnavailable> {
        Ok(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests;
