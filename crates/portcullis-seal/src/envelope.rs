//! The form of a sealed value.
//!
//! ```text
//! text      = base64url without padding, of
//! bytes     = version (1) ‖ key id (8) ‖ nonce (12) ‖ encrypted ‖ tag (16)
//! encrypted = expiry in Unix seconds, big-endian (8) ‖ plaintext
//! aad       = label ‖ version (1) ‖ key id (8) ‖ purpose ‖ context…   each part with its length before it
//! ```
//!
//! The nonce is authenticated by the algorithm itself, the expiry because it is encrypted.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::{Secret, Timestamp};
use zeroize::Zeroizing;

use crate::cipher::{NONCE_LEN, TAG_LEN};
use crate::key::{KEY_ID_LEN, KeyId};
use crate::sealed::{Context, Purpose, append_part};
use crate::{CannotSeal, SealingKey};

/// The only one there is.
const VERSION: u8 = 1;

const LABEL: &[u8] = b"portcullis-seal";
const EXPIRY_LEN: usize = 8;

/// What sealing adds to a plaintext, before base64.
const OVERHEAD: usize = 1 + KEY_ID_LEN + NONCE_LEN + EXPIRY_LEN + TAG_LEN;

/// The length of the text that `plaintext` bytes become.
pub(crate) const fn text_len(plaintext: usize) -> usize {
    plaintext.saturating_add(OVERHEAD).saturating_mul(4).div_ceil(3)
}

/// An envelope that was read and not opened: nothing in it is authentic.
pub(crate) struct Envelope {
    pub(crate) key: KeyId,
    nonce: [u8; NONCE_LEN],
    /// Decrypted in place, therefore wiped.
    body: Zeroizing<Vec<u8>>,
}

/// What was in an envelope, and until when it holds.
pub(crate) struct Contents {
    pub(crate) expires_at: Timestamp,
    pub(crate) plaintext: Secret<Vec<u8>>,
}

impl Envelope {
    /// Reads the only form there is. `None` for everything else: no older version, no value without
    /// encryption, no other alphabet.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (key, rest) = rest.split_first_chunk()?;
        let (nonce, body) = rest.split_first_chunk()?;
        if *version != VERSION || body.len() < EXPIRY_LEN + TAG_LEN {
            return None;
        }
        Some(Self {
            key: KeyId::from_bytes(*key),
            nonce: *nonce,
            body: Zeroizing::new(body.to_vec()),
        })
    }

    /// Opens with the key that the envelope names. `None` if any bit is not what was sealed.
    pub(crate) fn open<P: Purpose>(mut self, key: &SealingKey, context: &Context) -> Option<Contents> {
        let authenticated = authenticated::<P>(key.id(), context);
        let opened = key
            .cipher()
            .open(self.nonce, &authenticated, &mut self.body)
            .ok()?;
        let (expiry, plaintext) = opened.split_first_chunk()?;
        Some(Contents {
            expires_at: Timestamp::from_unix_seconds(u64::from_be_bytes(*expiry)),
            plaintext: Secret::new(plaintext.to_vec()),
        })
    }
}

/// Seals, as text.
pub(crate) fn seal<P: Purpose>(
    key: &SealingKey,
    nonce: [u8; NONCE_LEN],
    context: &Context,
    expires_at: Timestamp,
    plaintext: &[u8],
) -> Result<String, CannotSeal> {
    // As long as it gets, so that no copy is left behind when it grows.
    let mut body = Zeroizing::new(Vec::with_capacity(EXPIRY_LEN + plaintext.len()));
    body.extend_from_slice(&expires_at.as_unix_seconds().to_be_bytes());
    body.extend_from_slice(plaintext);
    let tag = key
        .cipher()
        .seal(nonce, &authenticated::<P>(key.id(), context), &mut body)
        .map_err(|_| CannotSeal::Cryptography)?;
    let id = key.id();
    let parts: [&[u8]; 5] = [&[VERSION], id.as_bytes(), &nonce, &body, tag.as_ref()];
    Ok(URL_SAFE_NO_PAD.encode(parts.concat()))
}

/// What the tag covers besides the nonce and what is encrypted.
fn authenticated<P: Purpose>(key: KeyId, context: &Context) -> Vec<u8> {
    const { assert!(!P::NAME.is_empty(), "a purpose has a name") };
    let parts: [&[u8]; 3] = [LABEL, &[VERSION], key.as_bytes()];
    let mut bytes = parts.concat();
    append_part(&mut bytes, P::NAME.as_bytes());
    bytes.extend_from_slice(context.as_bytes());
    bytes
}
