//! Where keys are looked up.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use portcullis_store::RecordStore;

use crate::{KeyId, StoredKey, record};

/// Why a look-up did not come to an answer, for the log.
pub type FindError = Box<dyn Error + Send + Sync>;

/// Looks keys up, for applications that own the table. Closures do.
///
/// ```
/// use std::convert::Infallible;
/// use portcullis_apikey::{ApiKeyFormat, ApiKeys, KeyId, StoredKey};
///
/// let keys = ApiKeys::find(ApiKeyFormat::new("sk_live")?, |id: KeyId| async move {
///     // A database would be asked here.
///     Ok::<Option<StoredKey>, Infallible>(None)
/// });
/// # let _ = keys;
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not look up API keys",
    note = "write a closure `|id: KeyId| async move {{ … }}` that answers `Result<Option<StoredKey>, E>`, or implement `FindApiKey`"
)]
pub trait FindApiKey: Send + Sync + 'static {
    /// The key of that id, whether or not it has expired or is switched off. `None` when there is none.
    ///
    /// Asked only for ids out of texts with the form and checksum of a key, and about once in
    /// [ten seconds](crate::ApiKeysBuilder::max_age) for each that is used. No time limit is set here; give the
    /// table's client one.
    ///
    /// # Errors
    ///
    /// When it cannot be said: 503. Never `Ok(None)` then, which is 401.
    async fn find_api_key(&self, id: KeyId) -> Result<Option<StoredKey>, FindError>;
}

#[async_trait]
impl<F, L, E> FindApiKey for F
where
    F: Fn(KeyId) -> L + Send + Sync + 'static,
    L: Future<Output = Result<Option<StoredKey>, E>> + Send + 'static,
    E: Into<FindError>,
{
    async fn find_api_key(&self, id: KeyId) -> Result<Option<StoredKey>, FindError> {
        self(id).await.map_err(Into::into)
    }
}

#[async_trait]
impl<T: FindApiKey + ?Sized> FindApiKey for Arc<T> {
    async fn find_api_key(&self, id: KeyId) -> Result<Option<StoredKey>, FindError> {
        (**self).find_api_key(id).await
    }
}

/// The keys of a store.
#[derive(Clone)]
pub(crate) struct InStore(pub(crate) Arc<dyn RecordStore>);

#[async_trait]
impl FindApiKey for InStore {
    async fn find_api_key(&self, id: KeyId) -> Result<Option<StoredKey>, FindError> {
        let Some(found) = self.0.load(&id.record_key()?).await? else {
            return Ok(None);
        };
        Ok(Some(record::read(&found)?))
    }
}

impl fmt::Debug for InStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
