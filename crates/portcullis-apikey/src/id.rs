//! What a key is called.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use portcullis_core::ConfigError;
use portcullis_store::{Kind, RecordKey, StoreError};

use crate::format::ID_LEN;

/// The records of keys that were issued here, by their ids.
pub const API_KEYS: Kind = Kind::new("api-key");
/// The records of imported keys, by their digests.
pub const FOREIGN_API_KEYS: Kind = Kind::new("api-key-foreign");

/// What a key is called: the id that stands in it, or the SHA-256 of one that was
/// [imported](crate::ApiKeyService::import). Public, and the same before and after a rotation.
///
/// `Display` and `FromStr` use the 16 characters of the id, or 64 hexadecimal digits.
///
/// ```
/// use portcullis_apikey::KeyId;
///
/// let id: KeyId = "0123456789abcdEF".parse()?;
/// assert_eq!(id.to_string(), "0123456789abcdEF");
/// assert!("0123456789abcd-F".parse::<KeyId>().is_err());
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(Repr);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Repr {
    Issued([u8; ID_LEN]),
    Foreign([u8; 32]),
}

impl KeyId {
    /// Of bytes that were seen to be base62.
    pub(crate) const fn issued(id: [u8; ID_LEN]) -> Self {
        Self(Repr::Issued(id))
    }

    /// The id of an imported key: the SHA-256 of its whole text.
    #[must_use]
    pub const fn foreign(sha256: [u8; 32]) -> Self {
        Self(Repr::Foreign(sha256))
    }

    /// Whether the key was imported.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        matches!(self.0, Repr::Foreign(_))
    }

    /// The bytes it is known by: characters of the id, or the digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Issued(id) => id,
            Repr::Foreign(digest) => digest,
        }
    }

    /// The record that the [service](crate::ApiKeyService) keeps of it.
    ///
    /// # Errors
    ///
    /// None: an id is as short as a store asks for.
    pub fn record_key(&self) -> Result<RecordKey, StoreError> {
        let kind = if self.is_foreign() {
            FOREIGN_API_KEYS
        } else {
            API_KEYS
        };
        RecordKey::new(kind, self.as_bytes())
    }

    /// The id that a record is of, if it is a key's.
    #[must_use]
    pub fn of_record(key: &RecordKey) -> Option<Self> {
        if key.kind() == API_KEYS {
            let id: [u8; ID_LEN] = key.id().try_into().ok()?;
            return id
                .iter()
                .all(u8::is_ascii_alphanumeric)
                .then_some(Self::issued(id));
        }
        let digest = (key.kind() == FOREIGN_API_KEYS).then(|| key.id().try_into().ok());
        digest.flatten().map(Self::foreign)
    }
}

/// Of random bytes, the ends say enough: hashing is on the way of every request. Both are handed on as they are, so that a hasher
/// with a seed tells apart what clients make up.
impl Hash for KeyId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let bytes = self.as_bytes();
        let ends = (bytes.first_chunk(), bytes.last_chunk());
        state.write_u64(ends.0.map_or(0, |end| u64::from_le_bytes(*end)));
        state.write_u64(ends.1.map_or(0, |end| u64::from_le_bytes(*end)));
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Issued(id) => f.write_str(std::str::from_utf8(id).unwrap_or_default()),
            Repr::Foreign(digest) => digest.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let unknown = || ConfigError::new("a key's id has 16 letters and digits, or 64 hexadecimal digits");
        if let Ok(id) = <[u8; ID_LEN]>::try_from(text.as_bytes()) {
            return id
                .iter()
                .all(u8::is_ascii_alphanumeric)
                .then_some(Self::issued(id))
                .ok_or_else(unknown);
        }
        sha256_of_hex(text).map(Self::foreign).ok_or_else(unknown)
    }
}

/// 64 hexadecimal digits, in either case.
pub(crate) fn sha256_of_hex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = *pair else { return None };
        let value = |digit: u8| {
            char::from(digit)
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        };
        *byte = value(high)? << 4 | value(low)?;
    }
    Some(digest)
}
