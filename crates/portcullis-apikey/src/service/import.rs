//! Keys that another system issued.

use portcullis_core::{ConfigError, Principal, Scopes};

use super::ApiKeyService;
use super::issue::check_name;
use crate::id::sha256_of_hex;
use crate::{ApiKey, Expiry, KeysError, Network, Networks, fixed};

/// A key that another system issued, to be accepted by its digest: nobody has to know it.
///
/// ```
/// use portcullis_apikey::{Expiry, ForeignKey};
/// use portcullis_core::{Principal, Scopes};
///
/// let owner = Principal::new("https://login.example.com", "alice");
/// let sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// let key = ForeignKey::new(sha256, owner, "old deploy key", Scopes::none(), Expiry::in_days(90));
/// # let _ = key;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ForeignKey {
    sha256: String,
    owner: Principal,
    name: String,
    scopes: Scopes,
    expiry: Expiry,
    prefix: String,
    last_four: String,
    networks: Networks,
}

impl ForeignKey {
    /// The key whose whole text has this SHA-256, in hexadecimal. It needs 112 bits of randomness: shorter ones are guessed from
    /// a copy of the store.
    pub fn new(sha256: &str, owner: Principal, name: &str, scopes: Scopes, expiry: Expiry) -> Self {
        Self {
            sha256: sha256.to_owned(),
            owner,
            name: name.to_owned(),
            scopes,
            expiry,
            prefix: String::new(),
            last_four: String::new(),
            networks: Networks::any(),
        }
    }

    /// By what people know it: what it starts with, and its last four characters.
    pub fn known_as(mut self, prefix: &str, last_four: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        last_four.clone_into(&mut self.last_four);
        self
    }

    /// Limits it to these networks. None: any.
    pub fn networks(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.networks = networks.into_iter().collect();
        self
    }
}

impl ApiKeyService {
    /// Imports a key. Asks nobody for permission: for a migration, not for callers. Methods find it where they look for
    /// [foreign keys](crate::ApiKeysBuilder::foreign).
    ///
    /// # Errors
    ///
    /// [`Invalid`](KeysError::Invalid) when `sha256` is not 64 hexadecimal digits, or it is there already; when it cannot be as
    /// asked for; when the store does not answer.
    pub async fn import(&self, foreign: ForeignKey) -> Result<ApiKey, KeysError> {
        let invalid = || ConfigError::new("the digest of an API key has 64 hexadecimal digits");
        let sha256 = sha256_of_hex(&foreign.sha256).ok_or_else(invalid)?;
        check_name(&foreign.name)?;
        if foreign.prefix.len() + foreign.last_four.len() > 64 {
            return Err(ConfigError::new("what an imported API key is known by is too long").into());
        }
        let now = self.now();
        let expires_at = foreign
            .expiry
            .resolve(now, self.0.longest_life, self.0.may_last)?;
        let stored = fixed::stored(sha256, foreign.owner)?.with(|key| {
            key.name = foreign.name.into();
            key.scopes = foreign.scopes;
            key.prefix = foreign.prefix.into();
            key.last_four = foreign.last_four.into();
            key.networks = foreign.networks;
            key.created_at = now;
            key.expires_at = expires_at;
        });
        match self.create(&stored, now).await {
            Err(KeysError::Unavailable(error))
                if error.kind() == portcullis_store::StoreErrorKind::Present =>
            {
                Err(ConfigError::new("the API key was imported already").into())
            }
            created => created.map(|()| ApiKey::clone(stored.key())),
        }
    }
}
