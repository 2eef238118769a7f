//! New keys.

use portcullis_core::{AuthError, Authentication, ConfigError, Principal, Scopes, Timestamp};
use portcullis_store::NewRecord;

use super::{ApiKeyService, owner};
use crate::record::{self, owner_of};
use crate::{ApiKey, Expiry, KeyId, KeysError, Network, Networks, ShowOnce, StoredKey, format};

const LONGEST_NAME: usize = 100;

/// A key to be issued.
///
/// ```
/// use portcullis_apikey::{Expiry, NewKey};
/// use portcullis_core::Scopes;
///
/// let key = NewKey::new("deploy", Scopes::parse("releases:write")?, Expiry::in_days(90))
///     .networks(["192.0.2.0/24".parse()?]);
/// # let _ = key;
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct NewKey {
    name: String,
    scopes: Scopes,
    expiry: Expiry,
    environment: Option<String>,
    networks: Networks,
}

impl NewKey {
    /// A key that its owner will know by `name`, 1 to 100 characters without control characters.
    pub fn new(name: &str, scopes: Scopes, expiry: Expiry) -> Self {
        Self {
            name: name.to_owned(),
            scopes,
            expiry,
            environment: None,
            networks: Networks::any(),
        }
    }

    /// For this environment of the [format](crate::ApiKeyFormat::environments); for the first unless called.
    pub fn environment(mut self, environment: &str) -> Self {
        self.environment = Some(environment.to_owned());
        self
    }

    /// Limits it to these networks. None: any.
    pub fn networks(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.networks = networks.into_iter().collect();
        self
    }
}

/// A key that was just made, and what is known about it. The key in clear is nowhere else.
#[derive(Debug)]
pub struct IssuedKey {
    pub(super) key: ApiKey,
    pub(super) secret: ShowOnce,
}

impl IssuedKey {
    /// What is known about it.
    #[must_use]
    pub const fn key(&self) -> &ApiKey {
        &self.key
    }

    /// What is known about it, and the key in clear.
    pub fn into_parts(self) -> (ApiKey, ShowOnce) {
        (self.key, self.secret)
    }
}

impl ApiKeyService {
    /// Issues a key to the caller. Its scopes are among those of the caller's evidence: where people have none, and keys should
    /// have some, the method by which people sign in has to state them.
    ///
    /// # Errors
    ///
    /// When the caller calls with a key or lacks one of the scopes, has as many keys as allowed, when the key cannot be as asked
    /// for, or the store does not answer.
    pub async fn issue<P: 'static>(
        &self,
        caller: &Authentication<P>,
        new: NewKey,
    ) -> Result<IssuedKey, KeysError> {
        // What is revoked from here on is not issued.
        let now = self.now();
        let owner = owner(caller)?;
        check_scopes(caller.scopes(), &new.scopes)?;
        check_name(&new.name)?;
        if self.list_of(owner).await?.len() >= self.0.most_per_owner {
            return Err(KeysError::TooMany);
        }
        let (stored, secret) = self.make(owner, new, now)?;
        self.create(&stored, now).await?;
        let key = ApiKey::clone(stored.key());
        Ok(IssuedKey { key, secret })
    }

    fn make(
        &self,
        owner: &Principal,
        new: NewKey,
        now: Timestamp,
    ) -> Result<(StoredKey, ShowOnce), KeysError> {
        let inner = &self.0;
        let unknown = || ConfigError::new("there is no such environment of API keys");
        let prefix = inner
            .format
            .prefix_of(new.environment.as_deref())
            .ok_or_else(unknown)?;
        let expires_at = new.expiry.resolve(now, inner.longest_life, inner.may_last)?;
        let id = format::id(&*inner.randomness)?;
        let secret = format::generate(&prefix, &id, &*inner.randomness)?;
        let digest = inner.peppers.digest(secret.secret());
        let stored = StoredKey::new(KeyId::issued(id), digest, owner.clone()).with(|key| {
            key.environment = inner.format.environment_of(&prefix);
            key.prefix = prefix;
            key.last_four = secret.last_four().into();
            key.name = new.name.into();
            key.scopes = new.scopes;
            key.networks = new.networks;
            key.created_at = now;
            key.expires_at = expires_at;
        });
        Ok((stored, secret))
    }

    pub(super) async fn create(&self, stored: &StoredKey, now: Timestamp) -> Result<(), KeysError> {
        let key = stored.key();
        let new = NewRecord::new(
            key.id().record_key()?,
            record::payload(stored)?,
            key.expires_at().unwrap_or(NEVER),
        )
        // A rotation may give it another expiry.
        .limit(NEVER)
        .owned_by(owner_of(key.owner())?)
        .created_at(now);
        self.0.store.create(new).await?;
        Ok(())
    }
}

/// The last second of the year 9999: databases know no later one.
pub(super) const NEVER: Timestamp = Timestamp::from_unix_seconds(253_402_300_799);

/// A key does no more than its owner.
pub(super) fn check_scopes(held: &Scopes, asked: &Scopes) -> Result<(), AuthError> {
    let missing: Vec<&str> = asked.iter().filter(|scope| !held.contains(scope)).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(AuthError::insufficient_scope(missing.join(" ")))
    }
}

pub(super) fn check_name(name: &str) -> Result<(), ConfigError> {
    let length = name.chars().count();
    if (1..=LONGEST_NAME).contains(&length) && !name.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(ConfigError::new(
            "an API key's name has 1 to 100 characters and no control characters",
        ))
    }
}
