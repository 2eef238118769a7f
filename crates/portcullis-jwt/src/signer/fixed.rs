//! Signing keys that somebody else keeps and exchanges.

use std::sync::Arc;

use super::{KeyRing, KeyRingError, SigningKeys, SigningKeysUnavailable};
use crate::SigningKey;

/// One signing key that stays while the program runs, and others that are only published: from a file, a vault, or
/// whatever exchanges them. Cheap to clone.
///
/// Nothing takes turns here. Whoever exchanges the key publishes the next one beside it for longer than verifiers
/// keep a key set, then lets it sign and publishes the old one until its last token has expired. Tokens may live
/// as long as the signer likes.
///
/// ```
/// use portcullis_jwt::{Algorithm, FixedSigningKeys, JwtSigner, SigningKey};
///
/// # let (current, next) = (SigningKey::generate(Algorithm::EdDsa)?, SigningKey::generate(Algorithm::EdDsa)?);
/// // In production: `SigningKey::from_pkcs8_pem(Algorithm::EdDsa, &Secret::from_file(path)?)?`.
/// let keys = FixedSigningKeys::new(current)?.also_publishing([next])?;
/// let signer = JwtSigner::builder("https://app.example", keys).build()?;
/// signer.access_token("alice", "https://api.example", "web").sign()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What this does not do
///
/// Withdraw: a key that is no longer secret is left out at the next start. Keep instances alike: see that all of them
/// are given the same keys.
#[derive(Clone, Debug)]
pub struct FixedSigningKeys(Arc<KeyRing>);

impl FixedSigningKeys {
    /// Signs with this key and publishes it.
    ///
    /// # Errors
    ///
    /// When its id is empty.
    pub fn new(key: SigningKey) -> Result<Self, KeyRingError> {
        Ok(Self(Arc::new(KeyRing::fixed([key])?)))
    }

    /// Publishes other keys too, which sign nothing here.
    ///
    /// # Errors
    ///
    /// When an id is empty or there already, or there are more than 64 keys.
    pub fn also_publishing(self, others: impl IntoIterator<Item = SigningKey>) -> Result<Self, KeyRingError> {
        let known = self.0.published().cloned().collect::<Vec<_>>();
        Ok(Self(Arc::new(KeyRing::fixed(known.into_iter().chain(others))?)))
    }
}

impl SigningKeys for FixedSigningKeys {
    fn current(&self) -> Result<Arc<KeyRing>, SigningKeysUnavailable> {
        Ok(Arc::clone(&self.0))
    }
}
