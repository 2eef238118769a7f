use crate::{Payload, StoreError, StoreErrorKind};

const TOKEN: u8 = b't';
const SUBJECT: u8 = b's';

/// What a revocation says. When it may be forgotten is the end of its record.
pub(super) enum Entry<'a> {
    Token {
        issuer: &'a str,
        id: &'a str,
    },
    Subject {
        issuer: &'a str,
        subject: &'a str,
        /// The last second whose tokens are refused.
        up_to: u64,
    },
}

impl<'a> Entry<'a> {
    /// The tag, the length of the issuer, the issuer, the name: no two things have one key.
    pub(super) fn key(&self) -> Result<Vec<u8>, StoreError> {
        let (tag, issuer, name) = self.parts();
        if name.is_empty() {
            let message = "what is to be revoked has no name";
            return Err(StoreError::new(StoreErrorKind::Malformed, message));
        }
        let length = (issuer.len() as u64).to_be_bytes();
        Ok([&[tag][..], &length, issuer.as_bytes(), name.as_bytes()].concat())
    }

    /// The second, then the key.
    pub(super) fn payload(&self) -> Result<Payload, StoreError> {
        let up_to = match self {
            Self::Token { .. } => 0,
            Self::Subject { up_to, .. } => *up_to,
        };
        Payload::new([&up_to.to_be_bytes()[..], &self.key()?].concat())
    }

    pub(super) fn read(payload: &'a Payload) -> Result<Self, StoreError> {
        let message = "a stored revocation cannot be read";
        Self::parse(payload.as_bytes()).ok_or_else(|| StoreError::new(StoreErrorKind::Unavailable, message))
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (up_to, rest) = bytes.split_first_chunk()?;
        let (tag, rest) = rest.split_first()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let (issuer, name) = rest.split_at_checked(length)?;
        let (issuer, name) = (std::str::from_utf8(issuer).ok()?, std::str::from_utf8(name).ok()?);
        match *tag {
            TOKEN => Some(Self::Token { issuer, id: name }),
            SUBJECT => Some(Self::Subject {
                issuer,
                subject: name,
                up_to: u64::from_be_bytes(*up_to),
            }),
            _ => None,
        }
    }

    /// The same, with the later of both seconds.
    pub(super) fn with(&self, known: &Entry<'_>) -> Self {
        match *self {
            Self::Token { issuer, id } => Self::Token { issuer, id },
            Self::Subject {
                issuer,
                subject,
                up_to,
            } => Self::Subject {
                issuer,
                subject,
                up_to: match known {
                    Entry::Subject { up_to: known, .. } => up_to.max(*known),
                    Entry::Token { .. } => up_to,
                },
            },
        }
    }

    const fn parts(&self) -> (u8, &'a str, &'a str) {
        match self {
            Self::Token { issuer, id } => (TOKEN, issuer, id),
            Self::Subject { issuer, subject, .. } => (SUBJECT, issuer, subject),
        }
    }
}
