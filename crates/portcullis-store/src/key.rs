//! What records are called, and whose they are.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::{StoreError, StoreErrorKind};

/// What a record is for: `session`, `api-key`. Keys and owners of different kinds never meet, so one store
/// serves all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(&'static str);

impl Kind {
    /// A kind of this name: lower-case ASCII letters, digits and hyphens, so that every backend can use it as
    /// part of a key. This is not checked: the name is the program's own.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// What a record is found by: a kind, and bytes or text.
///
/// **Never a secret itself.** Whoever reads the store, its backups or its log reads the keys: what a client
/// presents is hashed first. Look-ups take a time that depends on the key, which tells about digests nothing
/// of use. `Debug` shows the kind alone. A clone is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    kind: Kind,
    id: Id,
}

impl RecordKey {
    /// The longest id, in bytes.
    pub const MAX_LEN: usize = 512;

    /// The key of `id` among the records of `kind`.
    ///
    /// # Errors
    ///
    /// [`Malformed`](StoreErrorKind::Malformed) when `id` is empty or longer than [`MAX_LEN`](Self::MAX_LEN).
    pub fn new(kind: Kind, id: impl AsRef<[u8]>) -> Result<Self, StoreError> {
        bounded(id.as_ref(), Self::MAX_LEN, "a record's id is empty or too long")?;
        let id = Id::new(id.as_ref());
        Ok(Self { kind, id })
    }

    /// What the record is for.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What it is called among its kind.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        self.id.as_bytes()
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordKey({}, ..)", self.kind.as_str())
    }
}

/// A digest is copied without an allocation; what is longer is shared.
#[derive(Clone)]
enum Id {
    Short([u8; SHORT], u8),
    Long(Arc<[u8]>),
}

const SHORT: usize = 32;

impl Id {
    fn new(bytes: &[u8]) -> Self {
        let mut short = [0; SHORT];
        match (short.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(bytes);
                Self::Short(short, length)
            }
            _ => Self::Long(bytes.into()),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short(bytes, length) => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Id {}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// Whose a record is: what the application calls a user, as bytes or text.
///
/// Two users must never have one name: where there are several issuers, the issuer is part of it. An owner's
/// records of one kind can be listed, deleted and revoked together. `Debug` shows nothing. A clone is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(Arc<[u8]>);

impl Owner {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 512;

    /// The owner of this name.
    ///
    /// # Errors
    ///
    /// [`Malformed`](StoreErrorKind::Malformed) when `name` is empty or longer than
    /// [`MAX_LEN`](Self::MAX_LEN).
    pub fn new(name: impl AsRef<[u8]>) -> Result<Self, StoreError> {
        bounded(
            name.as_ref(),
            Self::MAX_LEN,
            "an owner's name is empty or too long",
        )?;
        Ok(Self(name.as_ref().into()))
    }

    /// The name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owner(..)")
    }
}

fn bounded(bytes: &[u8], longest: usize, message: &'static str) -> Result<(), StoreError> {
    if bytes.is_empty() || bytes.len() > longest {
        return Err(StoreError::new(StoreErrorKind::Malformed, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind::new("session");

    #[test]
    fn an_id_of_the_greatest_length_is_a_key_and_a_longer_or_an_empty_one_is_not() {
        assert!(RecordKey::new(KIND, [7; RecordKey::MAX_LEN]).is_ok());
        for id in [vec![7; RecordKey::MAX_LEN + 1], Vec::new()] {
            let refused = RecordKey::new(KIND, id).expect_err("out of bounds");
            assert_eq!(refused.kind(), StoreErrorKind::Malformed);
        }
    }

    #[test]
    fn ids_are_compared_by_their_bytes_however_long_they_are() {
        let ids: Vec<Vec<u8>> = [1, 2, 31, 32, 33, 64].map(|length| vec![7; length]).into();
        for (one, id) in ids.iter().enumerate() {
            let key = RecordKey::new(KIND, id).expect("a key");
            assert_eq!(key.id(), &id[..]);
            for (other, with) in ids.iter().enumerate() {
                let with = RecordKey::new(KIND, with).expect("a key");
                assert_eq!(key.cmp(&with), one.cmp(&other));
                assert_eq!(key == with, one == other);
            }
        }
        let zeros = RecordKey::new(KIND, [7, 0]).expect("a key");
        assert_ne!(
            zeros,
            RecordKey::new(KIND, [7]).expect("a key"),
            "padding is no part of it"
        );
    }

    #[test]
    fn an_owner_of_the_greatest_length_is_one_and_a_longer_or_an_empty_one_is_not() {
        assert!(Owner::new([7; Owner::MAX_LEN]).is_ok());
        for name in [vec![7; Owner::MAX_LEN + 1], Vec::new()] {
            let refused = Owner::new(name).expect_err("out of bounds");
            assert_eq!(refused.kind(), StoreErrorKind::Malformed);
        }
    }

    #[test]
    fn neither_ids_nor_owners_are_shown() {
        let key = RecordKey::new(KIND, "hunter2").expect("a key");
        let owner = Owner::new("alice").expect("an owner");
        assert_eq!(format!("{key:?} {owner:?}"), "RecordKey(session, ..) Owner(..)");
    }
}
