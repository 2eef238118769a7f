//! An issuer's own keys, for verifying without HTTP.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::{KeyRing, SigningKeys};
use crate::{KeySet, Keys, KeysUnavailable, SigningKey, StaticKeySet};

/// A [`KeySet`] of the keys that this application signs with itself. Cheap to clone.
///
/// Holds exactly what the ring publishes, HMAC keys included: a withdrawn key stops verifying with the next
/// token. The set is rebuilt only when the ring changed.
///
/// ```
/// use portcullis_jwt::{Algorithm, JwtSigner, LocalKeySet, MemorySigningKeys, TrustedIssuer, Verifier};
///
/// let keys = MemorySigningKeys::new(Algorithm::Es256)?;
/// let signer = JwtSigner::builder("https://app.example", keys.clone()).build()?;
/// let ourselves = TrustedIssuer::new("https://app.example", LocalKeySet::new(keys));
/// let verifier = Verifier::builder()
///     .issuer(ourselves.algorithms([Algorithm::Es256]))
///     .audience("https://api.example")
///     .build()?;
///
/// let token = signer.access_token("alice", "https://api.example", "web").sign()?;
/// assert!(verifier.verify_now(token.token().expose()).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LocalKeySet(Arc<Local>);

#[derive(Debug)]
struct Local {
    source: Arc<dyn SigningKeys>,
    built: ArcSwapOption<Built>,
}

/// What was built, and of which ring. Holding the ring keeps its address from being used again.
#[derive(Debug)]
struct Built {
    ring: Arc<KeyRing>,
    keys: Arc<Keys>,
}

impl LocalKeySet {
    /// The keys that `source` publishes.
    pub fn new(source: impl SigningKeys) -> Self {
        Self(Arc::new(Local {
            source: Arc::new(source),
            built: ArcSwapOption::empty(),
        }))
    }
}

impl KeySet for LocalKeySet {
    /// # Errors
    ///
    /// When the ring is unavailable or holds no key.
    fn current(&self) -> Result<Arc<Keys>, KeysUnavailable> {
        let ring = self
            .0
            .source
            .current()
            .map_err(|unavailable| KeysUnavailable::new(unavailable.retry_after()))?;
        if let Some(built) = &*self.0.built.load()
            && Arc::ptr_eq(&built.ring, &ring)
        {
            return Ok(Arc::clone(&built.keys));
        }
        let verifying = ring.published().map(SigningKey::verifying_key).cloned();
        // Ids are distinct in a ring; what is left to refuse is an empty one.
        let keys = StaticKeySet::new(verifying).map_err(|_| KeysUnavailable::new(None))?;
        let keys = keys.current()?;
        self.0.built.store(Some(Arc::new(Built {
            ring,
            keys: Arc::clone(&keys),
        })));
        Ok(keys)
    }
}
