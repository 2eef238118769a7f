//! Changes of keys that there are.

use portcullis_core::{AuditKind, Authentication, Principal};
use portcullis_store::{Record, Replacement, StoreError, StoreErrorKind};

use super::issue::check_scopes;
use super::{ApiKeyService, IssuedKey, owner};
use crate::forget::Over;
use crate::id::{API_KEYS, FOREIGN_API_KEYS};
use crate::record::{self, owner_of};
use crate::stored::Previous;
use crate::{ApiKey, KeyId, KeysError, Rotation, StoredKey, format};

/// More often than that a record is not changed by others within one call.
const ATTEMPTS: usize = 8;

impl ApiKeyService {
    /// Gives a key of the caller a new secret under the same id. The old one is accepted for the overlap; the one before that,
    /// if it is still accepted, ends now.
    ///
    /// # Errors
    ///
    /// [`NotFound`](KeysError::NotFound); [`Changed`](KeysError::Changed) when somebody else rotated it meanwhile;
    /// [`Invalid`](KeysError::Invalid) for an imported key, whose text is not ours to make, and for an expiry beyond the
    /// policy; when the caller calls with a key or lacks one of the scopes of this one; when the store does not answer.
    pub async fn rotate<P: 'static>(
        &self,
        caller: &Authentication<P>,
        id: &KeyId,
        rotation: Rotation,
    ) -> Result<IssuedKey, KeysError> {
        let owner = owner(caller)?;
        if id.is_foreign() {
            let message = "an imported API key is not rotated: issue a new one and revoke it";
            return Err(portcullis_core::ConfigError::new(message).into());
        }
        let (_, before) = self.load(owner, id).await?;
        check_scopes(caller.scopes(), before.key().scopes())?;
        let secret = format::generate(before.key().prefix(), id.as_bytes(), &*self.0.randomness)?;
        let now = self.now();
        let expires_at = match rotation.expiry {
            Some(expiry) => expiry.resolve(now, self.0.longest_life, self.0.may_last)?,
            None => before.key().expires_at(),
        };
        let seen = before.digest.to_text();
        let rotated = self
            .change(owner, id, |stored| {
                if stored.digest.to_text() != seen {
                    return Err(KeysError::Changed);
                }
                let ends_at = now.saturating_add(rotation.overlap);
                let digest = std::mem::replace(&mut stored.digest, self.0.peppers.digest(secret.secret()));
                stored.previous = (!rotation.overlap.is_zero()).then_some(Previous { digest, ends_at });
                let key = std::sync::Arc::make_mut(&mut stored.key);
                key.rotation_ends_at = stored.previous.as_ref().map(|previous| previous.ends_at);
                key.last_four = secret.last_four().into();
                key.expires_at = expires_at;
                Ok(())
            })
            .await?;
        self.tell(AuditKind::Rotated, "api_key_rotated", caller, id);
        let key = ApiKey::clone(rotated.key());
        Ok(IssuedKey { key, secret })
    }

    /// Switches a key of the caller off. It is refused from now on, and can be switched on again.
    ///
    /// # Errors
    ///
    /// [`NotFound`](KeysError::NotFound); when the caller calls with a key; when the store does not answer.
    pub async fn disable<P: 'static>(
        &self,
        caller: &Authentication<P>,
        id: &KeyId,
    ) -> Result<ApiKey, KeysError> {
        self.switch(caller, id, true).await
    }

    /// Switches a key of the caller on again.
    ///
    /// # Errors
    ///
    /// As [`disable`](Self::disable), and when the caller lacks one of the key's scopes.
    pub async fn enable<P: 'static>(
        &self,
        caller: &Authentication<P>,
        id: &KeyId,
    ) -> Result<ApiKey, KeysError> {
        self.switch(caller, id, false).await
    }

    async fn switch<P: 'static>(
        &self,
        caller: &Authentication<P>,
        id: &KeyId,
        disabled: bool,
    ) -> Result<ApiKey, KeysError> {
        let change = |stored: &mut StoredKey| {
            if !disabled {
                check_scopes(caller.scopes(), stored.key().scopes())?;
            }
            std::sync::Arc::make_mut(&mut stored.key).disabled = disabled;
            Ok(())
        };
        let stored = self.change(owner(caller)?, id, change).await?;
        if disabled {
            self.tell(AuditKind::Revoked, "api_key_disabled", caller, id);
        }
        Ok(ApiKey::clone(stored.key()))
    }

    /// Revokes a key of the caller, for good.
    ///
    /// # Errors
    ///
    /// As [`disable`](Self::disable).
    pub async fn revoke<P: 'static>(&self, caller: &Authentication<P>, id: &KeyId) -> Result<(), KeysError> {
        // Its owner never changes, so that nothing can come between the look and the deletion.
        let (record, _) = self.load(owner(caller)?, id).await?;
        let _over = Over(|| self.0.caches.forget(id));
        if !self.0.store.delete(record.key()).await? {
            return Err(KeysError::NotFound);
        }
        self.tell(AuditKind::Revoked, "api_key_revoked", caller, id);
        Ok(())
    }

    /// Revokes every key of the caller, those included that are being issued, and says how many there were.
    ///
    /// # Errors
    ///
    /// When the caller calls with a key, or nobody knows what was revoked.
    pub async fn revoke_all<P: 'static>(&self, caller: &Authentication<P>) -> Result<u64, KeysError> {
        self.revoke_owned_by(owner(caller)?).await
    }

    /// Revokes every key of `owner`, whoever calls: for an account that is closed. Asks nobody for permission.
    ///
    /// # Errors
    ///
    /// When nobody knows what was revoked.
    pub async fn revoke_owned_by(&self, owner: &Principal) -> Result<u64, KeysError> {
        let name = owner_of(owner)?;
        let now = self.now();
        let _over = Over(|| self.0.caches.forget_owned_by(owner));
        let mut revoked = 0;
        for kind in [API_KEYS, FOREIGN_API_KEYS] {
            revoked += self.0.store.revoke_before(kind, &name, now).await?;
        }
        self.tell_of(AuditKind::Revoked, "api_keys_revoked", owner, None);
        Ok(revoked)
    }

    /// The owner's key of that id, as it is now.
    pub(super) async fn load(&self, owner: &Principal, id: &KeyId) -> Result<(Record, StoredKey), KeysError> {
        let record = self
            .0
            .store
            .load(&id.record_key()?)
            .await?
            .ok_or(KeysError::NotFound)?;
        let stored = record::read(&record).map_err(StoreError::from)?;
        let lives = stored.key().expires_at().is_none_or(|end| self.now() < end);
        if stored.key().owner() != owner || !lives {
            return Err(KeysError::NotFound);
        }
        Ok((record, stored))
    }

    /// Changes a key, from what it is: again when somebody else was faster.
    async fn change(
        &self,
        owner: &Principal,
        id: &KeyId,
        change: impl Fn(&mut StoredKey) -> Result<(), KeysError>,
    ) -> Result<StoredKey, KeysError> {
        for _ in 0..ATTEMPTS {
            let (record, mut stored) = self.load(owner, id).await?;
            change(&mut stored)?;
            // Not before: whoever may not change a key must not make it forgotten.
            let _over = Over(|| self.0.caches.forget(id));
            let end = stored.key().expires_at().unwrap_or(super::issue::NEVER);
            let with = Replacement::new(record::payload(&stored)?).extend_to(end);
            match self.0.store.replace(record.key(), record.version(), with).await {
                Ok(_) => return Ok(stored),
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(KeysError::Unavailable(StoreErrorKind::Conflict.into()))
    }
}
