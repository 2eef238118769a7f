//! What a store keeps of a secret.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::Secret;
use zeroize::{Zeroize, Zeroizing};

use crate::mac::{MAC_LEN, into_custody};
use crate::pepper::Peppers;

/// The digest of a secret, to be stored in its place: SHA-256, or HMAC-SHA-256 with a pepper of a named
/// version.
///
/// For secrets with at least 112 bits of randomness: tokens, keys of an API, session ids, recovery codes.
/// **Not for passwords**, which can be guessed as fast as this is computed.
///
/// | text | what |
/// |---|---|
/// | `sha256:` and 43 characters | SHA-256 of the secret, base64url without padding |
/// | `hmac1:7:` and 43 characters | HMAC-SHA-256 of the secret with a key derived from pepper 7 |
///
/// Any other text is no digest; no prefix has a meaning by itself.
///
/// There is no `PartialEq`, since digests are compared in constant time by
/// [`matches`](Self::matches). `Debug` shows the kind only, and the digest is wiped on drop: it names a
/// record of the store.
///
/// ```
/// use portcullis_core::Secret;
/// use portcullis_seal::{Pepper, Peppers, SecretDigest};
///
/// # let pepper: [u8; 32] = std::array::from_fn(|n| n as u8);
/// let peppers = Peppers::builder().current(Pepper::new(1, &Secret::new(pepper))?).build()?;
/// let issued = Secret::new("k7Qw…".to_owned());
/// let stored = peppers.digest(&issued).to_text();
///
/// let digest: SecretDigest = stored.parse()?;
/// assert!(digest.matches(&issued, &peppers));
/// assert!(!digest.matches(&Secret::new("k7Qx…".to_owned()), &peppers));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SecretDigest {
    kind: Kind,
    bytes: Secret<[u8; MAC_LEN]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sha256,
    Hmac { version: u32 },
}

const SHA256: &str = "sha256:";
const HMAC: &str = "hmac1:";

impl SecretDigest {
    /// SHA-256, without a pepper (FIPS 180-4). What [`Peppers::none`] makes.
    #[must_use]
    pub fn sha256<T: Zeroize + AsRef<[u8]>>(secret: &Secret<T>) -> Self {
        Self::new(Kind::Sha256, sha256(secret.expose().as_ref()))
    }

    pub(crate) const fn new(kind: Kind, bytes: Secret<[u8; MAC_LEN]>) -> Self {
        Self { kind, bytes }
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether this is the digest of the secret. Computes the same kind with the same version of the pepper, and
    /// compares in constant time.
    ///
    /// Never where the version is unknown to `peppers`, nor for a digest without a pepper where peppers are
    /// configured: whoever can write to the store could otherwise put the digest of any secret there. See
    /// [`dangerous_accept_unpeppered`](crate::PeppersBuilder::dangerous_accept_unpeppered).
    ///
    /// Does not check where the digest was stored: one that was copied from another record matches its own secret
    /// there too.
    #[must_use]
    pub fn matches<T: Zeroize + AsRef<[u8]>>(&self, secret: &Secret<T>, peppers: &Peppers) -> bool {
        peppers
            .compute(self.kind, secret.expose().as_ref())
            .is_some_and(|computed| computed.ct_eq(self.bytes.expose()))
    }

    /// The 32 bytes alone, to be looked up by where the kind is known: digests of two kinds are never the same.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; MAC_LEN] {
        self.bytes.expose()
    }

    /// The text to be stored, and to be looked up by.
    #[must_use]
    pub fn to_text(&self) -> String {
        let bytes = URL_SAFE_NO_PAD.encode(self.bytes.expose());
        match self.kind {
            Kind::Sha256 => format!("{SHA256}{bytes}"),
            Kind::Hmac { version } => format!("{HMAC}{version}:{bytes}"),
        }
    }
}

pub(crate) fn sha256(message: &[u8]) -> Secret<[u8; MAC_LEN]> {
    into_custody(digest::digest(&digest::SHA256, message).as_ref())
}

impl FromStr for SecretDigest {
    type Err = MalformedDigest;

    /// Reads what [`to_text`](Self::to_text) wrote, and nothing else.
    fn from_str(text: &str) -> Result<Self, MalformedDigest> {
        let (kind, encoded) = if let Some(encoded) = text.strip_prefix(SHA256) {
            (Kind::Sha256, encoded)
        } else {
            let rest = text.strip_prefix(HMAC).ok_or(MalformedDigest)?;
            let (version, encoded) = rest.split_once(':').ok_or(MalformedDigest)?;
            (
                Kind::Hmac {
                    version: number(version)?,
                },
                encoded,
            )
        };
        let mut room = Zeroizing::new([0; MAC_LEN + 1]);
        let length = URL_SAFE_NO_PAD
            .decode_slice(encoded, &mut *room)
            .map_err(|_| MalformedDigest)?;
        let bytes = room.get(..length).ok_or(MalformedDigest)?;
        let bytes: &[u8; MAC_LEN] = bytes.try_into().map_err(|_| MalformedDigest)?;
        Ok(Self::new(kind, Secret::new(*bytes)))
    }
}

/// Digits only, and without leading zeros: one number has one text.
fn number(text: &str) -> Result<u32, MalformedDigest> {
    let number: u32 = text.parse().map_err(|_| MalformedDigest)?;
    if number.to_string() == text {
        Ok(number)
    } else {
        Err(MalformedDigest)
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Sha256 => f.write_str("SecretDigest(sha256:..)"),
            Kind::Hmac { version } => write!(f, "SecretDigest(hmac1:{version}:..)"),
        }
    }
}

/// A text is no [`SecretDigest`]. Does not say what it is, since it may be a secret in the wrong place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MalformedDigest;

impl fmt::Display for MalformedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is no digest of a secret")
    }
}

impl std::error::Error for MalformedDigest {}

#[cfg(test)]
mod tests;
