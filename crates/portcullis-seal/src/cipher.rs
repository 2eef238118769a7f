//! AES-256-GCM-SIV (RFC 8452), and nothing else: there is no second algorithm to be talked down to.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, Tag, UnboundKey};

/// 256 bits.
pub(crate) const KEY_LEN: usize = 32;

/// RFC 8452 §4.
pub(crate) const NONCE_LEN: usize = 12;

/// RFC 8452 §4.
pub(crate) const TAG_LEN: usize = 16;

/// The library would not seal, or the value is not authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CipherFailed;

/// An AEAD key, expanded. The library wipes it when it is dropped.
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY_LEN]) -> Result<Self, CipherFailed> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, key).map_err(|_| CipherFailed)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Encrypts in place and returns the tag.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE_LEN],
        authenticated: &[u8],
        in_out: &mut [u8],
    ) -> Result<Tag, CipherFailed> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0
            .seal_in_place_separate_tag(nonce, Aad::from(authenticated), in_out)
            .map_err(|_| CipherFailed)
    }

    /// Checks the tag at the end, decrypts in place and returns what is before it.
    pub(crate) fn open<'b>(
        &self,
        nonce: [u8; NONCE_LEN],
        authenticated: &[u8],
        in_out: &'b mut [u8],
    ) -> Result<&'b [u8], CipherFailed> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0
            .open_in_place(nonce, Aad::from(authenticated), in_out)
            .map(|plaintext| &*plaintext)
            .map_err(|_| CipherFailed)
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(..)")
    }
}

#[cfg(test)]
mod tests;
