use std::fmt;

use crate::KeyError;

/// Why a ring did not do what it was asked, or could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyRingError {
    /// A key of this id is in the ring, or the id is empty.
    KidTaken,
    /// A key waits for its turn already.
    TurnTaken,
    /// The ring holds as many keys as it can: 64.
    Full,
    /// No key of this id is in the ring.
    UnknownKid,
    /// Not the document it should be.
    Malformed,
    /// A document of a version that is not known here.
    Version,
    /// Times that contradict each other, or that no ring can have.
    Implausible,
    /// A key that cannot be read, or written down.
    Key(KeyError),
}

impl fmt::Display for KeyRingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KidTaken => "the key id is empty or taken",
            Self::TurnTaken => "another key waits for its turn",
            Self::Full => "the ring holds as many keys as it can",
            Self::UnknownKid => "there is no such key",
            Self::Malformed => "the ring cannot be read",
            Self::Version => "the ring is of an unknown version",
            Self::Implausible => "the ring's times are implausible",
            Self::Key(_) => "a key of the ring is not sound",
        })
    }
}

impl std::error::Error for KeyRingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(error) => Some(error),
            _ => None,
        }
    }
}

impl From<KeyError> for KeyRingError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}
