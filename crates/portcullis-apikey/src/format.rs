//! The form of keys: `prefix_`, 16 characters of id, 32 of secret, 6 of checksum.

use std::fmt;
use std::sync::Arc;

use portcullis_core::{ConfigError, SharedStr};
use portcullis_seal::{NoRandomness, Randomness};
use zeroize::{Zeroize, Zeroizing};

use crate::checksum::{self, Crc32, checksum, digit};
use crate::{KeyId, ShowOnce};

/// The characters of an id.
pub(crate) const ID_LEN: usize = 16;
const SECRET_LEN: usize = 32;
/// What follows the prefix and its underscore.
const TAIL_LEN: usize = BODY_LEN + checksum::LEN;
const BODY_LEN: usize = ID_LEN + SECRET_LEN;
const MAX_PREFIX: usize = 32;
/// The longest key.
pub(crate) const MAX_LEN: usize = MAX_PREFIX + 1 + TAIL_LEN;

/// The form of an application's keys: `sk_live_` and 54 letters and digits.
///
/// | part | characters | what |
/// |---|---|---|
/// | prefix | 1 to 32 | the application's, so that people and scanners know the key; one for each environment |
/// | `_` | 1 | |
/// | id | 16 base62 | public; what the key is looked up by, 95 bits |
/// | secret | 32 base62 | 190 bits from [`Randomness`] |
/// | checksum | 6 base62 | CRC-32 of all that stands before it: a mistyped key costs no look-up |
///
/// The checksum keeps out mistakes, not attackers: anybody can compute it.
///
/// ```
/// use portcullis_apikey::{ApiKeyFormat, ParseKeyError};
/// use portcullis_seal::SystemRandomness;
///
/// let format = ApiKeyFormat::new("sk_live")?;
/// let key = format.generate(&SystemRandomness::new())?.reveal();
/// assert!(format.parse(key.expose().as_bytes()).is_ok());
///
/// let mistyped = key.expose().to_lowercase();
/// assert!(format.parse(mistyped.as_bytes()).is_err());
/// assert!(ApiKeyFormat::new("SK-Live").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ApiKeyFormat {
    prefixes: Arc<[Prefix]>,
}

#[derive(Clone, Debug)]
struct Prefix {
    text: SharedStr,
    environment: Option<SharedStr>,
    /// Of the prefix and its underscore, which need not be read again for each key.
    checksum: Crc32,
}

/// A text that has the form of a key, and the right checksum. Nothing is known about whether it is one.
///
/// `Debug` shows the id only.
#[derive(Clone, Copy)]
pub struct ParsedKey<'k> {
    id: KeyId,
    prefix: &'k Prefix,
}

/// Why a text is no key of ours. Says nothing about its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseKeyError {
    /// It starts with none of the prefixes.
    Foreign,
    /// It starts as a key, and does not go on as one.
    Malformed,
    /// It has the form of a key, and another checksum.
    Checksum,
}

impl fmt::Display for ParseKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Foreign => "the text has no prefix of an API key",
            Self::Malformed => "the text has not the form of an API key",
            Self::Checksum => "the API key has the wrong checksum",
        })
    }
}

impl std::error::Error for ParseKeyError {}

impl ApiKeyFormat {
    /// Keys with one prefix, such as `sk`, and without environments.
    ///
    /// # Errors
    ///
    /// When the prefix is empty, longer than 32 characters, starts or ends with `_`, or holds anything but
    /// `a`-`z`, `0`-`9` and `_`.
    pub fn new(prefix: &str) -> Result<Self, ConfigError> {
        let prefixes = [Prefix::new(prefix, None)?].into();
        Ok(Self { prefixes })
    }

    /// Keys with a prefix for each environment: `[("live", "sk_live"), ("test", "sk_test")]`. New keys are of the
    /// first unless they [say otherwise](crate::NewKey::environment).
    ///
    /// Where keys of one environment must not be accepted, use a format without its prefix.
    ///
    /// # Errors
    ///
    /// When there is none, a name or a prefix occurs twice, or a prefix is none; see [`new`](Self::new).
    pub fn environments<'t>(
        environments: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) -> Result<Self, ConfigError> {
        let mut prefixes = Vec::<Prefix>::new();
        for (name, text) in environments {
            let prefix = Prefix::new(text, Some(name))?;
            let known = |known: &Prefix| known.text == prefix.text || known.environment == prefix.environment;
            if prefixes.iter().any(known) {
                return Err(ConfigError::new(
                    "two environments of API keys have one name or one prefix",
                ));
            }
            prefixes.push(prefix);
        }
        if prefixes.is_empty() {
            return Err(ConfigError::new("API keys need a prefix"));
        }
        Ok(Self {
            prefixes: prefixes.into(),
        })
    }

    /// The prefixes.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        self.prefixes.iter().map(|prefix| prefix.text.as_str())
    }

    /// Whether a text starts as a key does. What follows is not looked at.
    #[must_use]
    pub fn recognises(&self, text: &[u8]) -> bool {
        self.prefixes.iter().any(|prefix| prefix.begins(text))
    }

    /// Reads a key. Allocates nothing, and there is one spelling.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn parse(&self, text: &[u8]) -> Result<ParsedKey<'_>, ParseKeyError> {
        let Some((prefix, body, expected)) = self.split(text) else {
            return Err(if self.recognises(text) {
                ParseKeyError::Malformed
            } else {
                ParseKeyError::Foreign
            });
        };
        if !is_base62(body) {
            return Err(ParseKeyError::Malformed);
        }
        if prefix.checksum.and(body).digits() != *expected {
            return Err(if is_base62(expected) {
                ParseKeyError::Checksum
            } else {
                ParseKeyError::Malformed
            });
        }
        let id = body.first_chunk().ok_or(ParseKeyError::Malformed)?;
        Ok(ParsedKey {
            id: KeyId::issued(*id),
            prefix,
        })
    }

    /// By the lengths of its parts: one of the prefixes, id and secret, and the checksum.
    fn split<'t>(&self, text: &'t [u8]) -> Option<(&Prefix, &'t [u8; BODY_LEN], &'t [u8; checksum::LEN])> {
        let (head, checksum) = text.split_last_chunk()?;
        let (head, body) = head.split_last_chunk()?;
        let head = head.strip_suffix(b"_")?;
        let own = |prefix: &&Prefix| prefix.text.as_bytes() == head;
        Some((self.prefixes.iter().find(own)?, body, checksum))
    }

    /// A new key of the first environment, which nobody knows.
    ///
    /// # Errors
    ///
    /// When there is no randomness.
    pub fn generate(&self, randomness: &dyn Randomness) -> Result<ShowOnce, NoRandomness> {
        let first = self.prefixes.first().map(|prefix| prefix.text.as_str());
        generate(first.unwrap_or_default(), &id(randomness)?, randomness)
    }

    /// The prefix of an environment; of the first one, where none is named.
    pub(crate) fn prefix_of(&self, environment: Option<&str>) -> Option<SharedStr> {
        let named = |prefix: &&Prefix| environment.is_none() || prefix.environment.as_deref() == environment;
        self.prefixes.iter().find(named).map(|prefix| prefix.text.clone())
    }

    pub(crate) fn environment_of(&self, prefix: &str) -> Option<SharedStr> {
        let named = self.prefixes.iter().find(|known| known.text.as_str() == prefix)?;
        named.environment.clone()
    }

    /// A regular expression for secret scanners that finds these keys: no look-around, understood by RE2, Hyperscan and
    /// PCRE alike.
    ///
    /// ```
    /// use portcullis_apikey::ApiKeyFormat;
    ///
    /// let format = ApiKeyFormat::environments([("live", "sk_live"), ("test", "sk_test")])?;
    /// assert_eq!(format.regex(), r"\b(?:sk_live|sk_test)_[0-9A-Za-z]{54}\b");
    /// # Ok::<(), portcullis_core::ConfigError>(())
    /// ```
    #[must_use]
    pub fn regex(&self) -> String {
        let prefixes: Vec<&str> = self.prefixes().collect();
        match *prefixes {
            [only] => format!(r"\b{only}_[0-9A-Za-z]{{{TAIL_LEN}}}\b"),
            _ => format!(r"\b(?:{})_[0-9A-Za-z]{{{TAIL_LEN}}}\b", prefixes.join("|")),
        }
    }
}

/// All of them are looked at, which takes less time than to stop at the first.
fn is_base62(text: &[u8]) -> bool {
    text.iter()
        .fold(true, |all, byte| all & byte.is_ascii_alphanumeric())
}

impl Prefix {
    fn new(text: &str, environment: Option<&str>) -> Result<Self, ConfigError> {
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let bounded = !text.is_empty() && text.len() <= MAX_PREFIX && environment != Some("");
        if !bounded || !text.bytes().all(plain) || text.starts_with('_') || text.ends_with('_') {
            return Err(ConfigError::new(
                "an API key's prefix has 1 to 32 characters of a-z, 0-9 and _, and no _ at either end",
            ));
        }
        Ok(Self {
            text: text.into(),
            environment: environment.map(SharedStr::from),
            checksum: Crc32::new().and(text.as_bytes()).and(b"_"),
        })
    }

    fn begins(&self, text: &[u8]) -> bool {
        let rest = text.strip_prefix(self.text.as_bytes());
        rest.is_some_and(|rest| rest.first() == Some(&b'_'))
    }
}

impl<'k> ParsedKey<'k> {
    /// The id in it.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Its prefix.
    #[must_use]
    pub fn prefix(&self) -> &'k str {
        self.prefix.text.as_str()
    }

    /// The environment of its prefix.
    #[must_use]
    pub fn environment(&self) -> Option<&'k str> {
        self.prefix.environment.as_deref()
    }
}

impl fmt::Debug for ParsedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A new id.
pub(crate) fn id(randomness: &dyn Randomness) -> Result<[u8; ID_LEN], NoRandomness> {
    let mut id = [0; ID_LEN];
    fill_base62(randomness, &mut id)?;
    Ok(id)
}

/// A key with a new secret.
pub(crate) fn generate(
    prefix: &str,
    id: &[u8],
    randomness: &dyn Randomness,
) -> Result<ShowOnce, NoRandomness> {
    let mut secret = Zeroizing::new([0; SECRET_LEN]);
    fill_base62(randomness, &mut *secret)?;
    // All of it at once: a buffer that grows leaves copies behind.
    let mut bytes = Vec::with_capacity(prefix.len() + 1 + TAIL_LEN);
    bytes.extend_from_slice(prefix.as_bytes());
    bytes.push(b'_');
    bytes.extend_from_slice(id);
    bytes.extend_from_slice(&*secret);
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    String::from_utf8(bytes).map(ShowOnce::new).map_err(|error| {
        error.into_bytes().zeroize();
        NoRandomness::new()
    })
}

/// Uniform digits: bytes from 248 on are thrown away, since 256 is no multiple of 62.
fn fill_base62(randomness: &dyn Randomness, digits: &mut [u8]) -> Result<(), NoRandomness> {
    const FAIR: u8 = 248;
    // A source that gives nothing but high bytes is none.
    const DRAWS: usize = 64;
    let mut drawn = Zeroizing::new([0; 64]);
    let mut filled = 0;
    for _ in 0..DRAWS {
        randomness.fill(&mut *drawn)?;
        let fair = drawn.iter().filter(|byte| **byte < FAIR);
        for (place, byte) in digits.iter_mut().skip(filled).zip(fair) {
            *place = digit(byte % 62);
            filled += 1;
        }
        if filled == digits.len() {
            return Ok(());
        }
    }
    Err(NoRandomness::new())
}

#[cfg(test)]
mod tests;
