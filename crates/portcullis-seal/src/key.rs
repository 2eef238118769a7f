//! A key that seals, named by itself.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use portcullis_core::{ConfigError, Secret};
use zeroize::Zeroizing;

use crate::cipher::{Cipher, KEY_LEN};
use crate::mac::derive;
use crate::material;
use crate::randomness::{Randomness, SystemRandomness};

/// What the encryption key and the name are derived with. Another format gets other labels.
const KEY_LABEL: &str = "portcullis-seal 1: the key that encrypts";
const ID_LABEL: &str = "portcullis-seal 1: the name of this key";

/// How many bytes a name has.
pub(crate) const KEY_ID_LEN: usize = 8;

/// The name of a [`SealingKey`], as it stands in every value the key sealed. No secret.
///
/// Derived from the key with HMAC-SHA-256, so that instances with the same secret give it the same name,
/// and so that the name helps nobody to guess the secret. `Display` and `Debug` are 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; KEY_ID_LEN]);

impl KeyId {
    pub(crate) const fn from_bytes(bytes: [u8; KEY_ID_LEN]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; KEY_ID_LEN] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A 256-bit secret that seals and opens with AES-256-GCM-SIV (RFC 8452).
///
/// Cheap to clone: clones share the key. `Debug` shows its name only. The secret itself encrypts nothing:
/// key and name are derived from it, each with a label of its own.
///
/// # How many values one key may seal
///
/// Nonces are random, 96 bits. After 2³² values the odds that any two share a nonce are one in 2³³, and
/// with GCM-SIV even that tells no more than whether two values with one nonce are the same (RFC 8452 §9). At a
/// thousand values a second that is 49 days; exchange the key by then, or more seldom if you seal less. Nothing
/// counts.
///
/// ```
/// use portcullis_core::Secret;
/// use portcullis_seal::SealingKey;
///
/// // As `openssl rand -hex 32` prints it. In an application, `SealingKey::from_file`.
/// let text = b"3b1f6d0c9a5e4f7283910ad4c6e8b2f75d1c0e9f8a7b6c5d4e3f2a1b0c9d8e7f";
/// let key = SealingKey::from_text(&Secret::new(text.to_vec()))?;
/// let the_same = SealingKey::from_text(&Secret::new(text.to_vec()))?;
/// assert_eq!(key.id(), the_same.id());
/// assert!(SealingKey::from_text(&Secret::new(b"correct horse battery staple".to_vec())).is_err());
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct SealingKey {
    id: KeyId,
    cipher: Arc<Cipher>,
}

impl SealingKey {
    /// Takes a secret. It has to be random: a password is no key.
    ///
    /// # Errors
    ///
    /// When all bytes are the same, which is a placeholder.
    pub fn new(secret: &Secret<[u8; KEY_LEN]>) -> Result<Self, ConfigError> {
        material::check(secret)?;
        let cipher = Cipher::new(derive(secret, KEY_LABEL).expose())
            .map_err(|_| ConfigError::new("the library refuses the key"))?;
        let name = derive(secret, ID_LABEL);
        let (id, _) = name
            .expose()
            .split_first_chunk()
            .ok_or_else(|| ConfigError::new("the key has no name"))?;
        Ok(Self {
            id: KeyId(*id),
            cipher: Arc::new(cipher),
        })
    }

    /// Reads 32 bytes in hexadecimal or base64 (either alphabet, with or without `=`), such as
    /// `openssl rand -base64 32` prints them. With
    /// [`Secret::from_env`](portcullis_core::Secret::from_env) the text may stand in a variable.
    ///
    /// # Errors
    ///
    /// When the text is anything else. 32 characters are not taken for 32 bytes: they would be a password.
    pub fn from_text(text: &Secret<Vec<u8>>) -> Result<Self, ConfigError> {
        Self::new(&material::from_text(text.expose())?)
    }

    /// Reads a file with such a [text](Self::from_text): a mounted secret. One line ending at its end is
    /// ignored.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or holds anything else.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let text = Secret::from_file(path)
            .map_err(|error| ConfigError::new("the file with the key cannot be read").with_source(error))?;
        Self::from_text(&text)
    }

    /// A new key that is written down nowhere: what it seals ends with the process, and no other instance
    /// opens it.
    ///
    /// # Errors
    ///
    /// When there is no randomness.
    pub fn generate() -> Result<Self, ConfigError> {
        Self::generate_with(&SystemRandomness)
    }

    /// As [`generate`](Self::generate), with randomness of one's own.
    ///
    /// # Errors
    ///
    /// When there is no randomness, or it gives the same byte over and over.
    pub fn generate_with(randomness: &dyn Randomness) -> Result<Self, ConfigError> {
        let mut secret = Zeroizing::new([0; KEY_LEN]);
        randomness
            .fill(&mut *secret)
            .map_err(|error| ConfigError::new("a key cannot be made").with_source(error))?;
        Self::new(&Secret::new(*secret))
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn cipher(&self) -> &Cipher {
        &self.cipher
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NoneLeft, Scripted};

    fn secret(last: u8) -> Secret<[u8; KEY_LEN]> {
        let mut bytes = [7; KEY_LEN];
        bytes[KEY_LEN - 1] = last;
        Secret::new(bytes)
    }

    #[test]
    fn the_same_secret_has_the_same_name_and_another_has_another() {
        let id = |last| SealingKey::new(&secret(last)).expect("a key").id();
        assert_eq!(id(1), id(1));
        assert_ne!(id(1), id(2));
        assert_eq!(id(1).to_string().len(), 16);
    }

    /// Computed with another HMAC: instances of two versions of this crate agree on it.
    #[test]
    fn a_name_is_derived_as_documented_and_tells_nothing_of_the_key_that_encrypts() {
        let key = SealingKey::new(&secret(1)).expect("a key");
        assert_eq!(key.id().to_string(), "2aca5923499432a9");
        let encrypts = derive(&secret(1), KEY_LABEL);
        assert_ne!(encrypts.expose()[..KEY_ID_LEN], key.id().as_bytes()[..]);
    }

    #[test]
    fn a_placeholder_is_no_key() {
        assert!(SealingKey::new(&secret(7)).is_err(), "all bytes are 7");
        assert!(SealingKey::new(&secret(8)).is_ok());
    }

    #[test]
    fn a_name_is_no_part_of_the_secret_and_debug_shows_nothing_else() {
        let key = SealingKey::new(&secret(1)).expect("a key");
        assert_ne!(key.id().as_bytes(), &[7; KEY_ID_LEN]);
        assert_eq!(
            format!("{key:?}"),
            format!("SealingKey {{ id: KeyId({}), .. }}", key.id())
        );
    }

    #[test]
    fn a_file_holds_a_key_as_text_and_a_password_is_refused() {
        let path = std::env::temp_dir().join(format!("portcullis-seal-{}", std::process::id()));
        let read = |content: &str| {
            std::fs::write(&path, content).expect("written");
            SealingKey::from_file(&path)
        };
        let hex = format!("{}01", "07".repeat(KEY_LEN - 1));
        let key = read(&format!("{hex}\n"));
        let refused = read("correct horse battery staple\n");
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(
            key.expect("a key").id(),
            SealingKey::new(&secret(1)).expect("a key").id()
        );
        let refused = refused.expect_err("a password");
        assert!(!format!("{refused} {refused:?}").contains("horse"));
        assert!(SealingKey::from_file(&path).is_err(), "it is gone");
    }

    #[test]
    fn a_key_is_made_of_randomness_or_not_at_all() {
        let one = SealingKey::generate_with(&Scripted::new()).expect("a key");
        assert_eq!(
            one.id(),
            SealingKey::generate_with(&Scripted::new()).expect("a key").id()
        );
        assert!(SealingKey::generate_with(&NoneLeft).is_err());
        let (two, three) = (SealingKey::generate(), SealingKey::generate());
        assert_ne!(two.expect("a key").id(), three.expect("a key").id());
    }
}
