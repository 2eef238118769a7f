//! Keys that stand in the configuration.

use std::collections::HashMap;
use std::convert::Infallible;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::{ConfigError, Principal, Scopes, Timestamp};

use crate::find::FindApiKey;
use crate::id::sha256_of_hex;
use crate::{KeyId, Network, StoredKey};

/// One key of a [constant set](crate::ApiKeys::fixed): its digest, and what it may do.
///
/// The digest is the SHA-256 of the whole key in hexadecimal, as `printf %s "$KEY" | sha256sum` prints it. It is no secret
/// that opens anything, and may stand in a configuration.
///
/// ```
/// use portcullis_apikey::{ApiKeyFormat, ApiKeys, FixedKey};
/// use portcullis_core::Scopes;
///
/// let keys = ApiKeys::fixed(
///     ApiKeyFormat::new("shop")?,
///     [
///         FixedKey::new("deploy", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")?
///             .scopes(Scopes::parse("releases:write")?),
///     ],
/// )?
/// .build()?;
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct FixedKey(StoredKey);

/// Who vouches for the owners of fixed keys: nobody but the configuration.
const ISSUER: &str = "urn:portcullis:fixed-api-keys";

impl FixedKey {
    /// A key that belongs to a principal of its own name, and has no scopes.
    ///
    /// # Errors
    ///
    /// When `sha256` is not 64 hexadecimal digits.
    pub fn new(name: &str, sha256: &str) -> Result<Self, ConfigError> {
        let digest = sha256_of_hex(sha256)
            .ok_or_else(|| ConfigError::new("the digest of an API key has 64 hexadecimal digits"))?;
        let owner = Principal::new(ISSUER, name);
        stored(digest, owner).map(|key| Self(key.name(name)))
    }

    /// What it may do.
    pub fn scopes(self, scopes: Scopes) -> Self {
        Self(self.0.scopes(scopes))
    }

    /// Whose it is.
    pub fn owned_by(self, owner: Principal) -> Self {
        Self(self.0.with(|key| key.owner = owner))
    }

    /// Where it may be used from.
    pub fn networks(self, networks: impl IntoIterator<Item = Network>) -> Self {
        Self(self.0.networks(networks))
    }

    /// The first instant at which it is not accepted any more.
    pub fn expires_at(self, end: Timestamp) -> Self {
        Self(self.0.expires_at(end))
    }

    pub(crate) fn finder(keys: impl IntoIterator<Item = Self>) -> Result<impl FindApiKey, ConfigError> {
        let mut set = HashMap::new();
        for Self(key) in keys {
            if set.insert(key.key().id(), key).is_some() {
                return Err(ConfigError::new("two fixed API keys have one digest"));
            }
        }
        if set.is_empty() {
            return Err(ConfigError::new("a set of fixed API keys has one at least"));
        }
        Ok(move |id: KeyId| std::future::ready(Ok::<_, Infallible>(set.get(&id).cloned())))
    }
}

/// A key that is known by its SHA-256.
pub(crate) fn stored(sha256: [u8; 32], owner: Principal) -> Result<StoredKey, ConfigError> {
    let text = format!("sha256:{}", URL_SAFE_NO_PAD.encode(sha256));
    let digest = text
        .parse()
        .map_err(|error| ConfigError::new("no digest").with_source(error))?;
    Ok(StoredKey::new(KeyId::foreign(sha256), digest, owner))
}
