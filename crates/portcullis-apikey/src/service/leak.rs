//! Keys that were found where they should not be.

use portcullis_core::AuditKind;
use portcullis_seal::Peppers;
use portcullis_store::StoreError;

use super::ApiKeyService;
use crate::forget::Over;
use crate::stored::{LONGEST, Text};
use crate::{KeyId, KeysError, record};

/// What a leaked text was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // Either a key of ours, or not.
pub enum Leak {
    /// A key of ours that was accepted until now. It is revoked.
    Revoked,
    /// Nothing that opens anything here: never a key, or not any more.
    Harmless,
}

impl ApiKeyService {
    /// Revokes a key that leaked. Whoever calls has to show the key itself: an id alone revokes nothing.
    ///
    /// The old secret of a rotation counts, as long as it is accepted.
    ///
    /// # Errors
    ///
    /// When the store does not answer. Report it again then.
    pub async fn report_leaked(&self, text: &[u8]) -> Result<Leak, KeysError> {
        let (id, peppers) = match self.0.format.parse(text) {
            Ok(parsed) => (parsed.id(), &self.0.peppers),
            Err(_) if text.len() <= LONGEST => {
                (KeyId::foreign(crate::verify::sha256(text)), &Peppers::none())
            }
            Err(_) => return Ok(Leak::Harmless),
        };
        let Some(found) = self.0.store.load(&id.record_key()?).await? else {
            return Ok(Leak::Harmless);
        };
        let stored = record::read(&found).map_err(StoreError::from)?;
        if stored
            .matches(&Text::custody(text), peppers, self.now())
            .is_none()
        {
            return Ok(Leak::Harmless);
        }
        let _over = Over(|| self.0.caches.forget(&id));
        if !self.0.store.delete(found.key()).await? {
            return Ok(Leak::Harmless);
        }
        self.tell_of(
            AuditKind::Revoked,
            "api_key_leaked",
            stored.key().owner(),
            Some(&id),
        );
        Ok(Leak::Revoked)
    }
}
