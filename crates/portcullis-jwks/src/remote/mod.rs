//! The state machine with a clock, a client and a task around it.

mod builder;
mod report;
mod shared;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_jwt::{KeySet, Keys, KeysUnavailable, Refresh, RefreshReason};
use tokio::runtime::Handle;

pub use self::builder::RemoteKeySetBuilder;
pub(crate) use self::builder::shown;
use self::shared::Shared;
use crate::cache::Wish;
use crate::{KeySnapshot, Status};

/// How long a request waits for keys.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The keys an issuer publishes. Clones are handles on the same keys; when the last one is dropped, a
/// fetch that is under way ends. See the [decision rules](crate#decision-rules).
///
/// Lazy: nothing is fetched before the first token needs it, or [`warm`](Self::warm) is called. Needs a
/// tokio runtime with time enabled; without one it serves what it has and fetches nothing.
///
/// ```no_run
/// # fn example(fetch: impl portcullis_fetch::Fetch) -> Result<(), portcullis_core::ConfigError> {
/// use portcullis_jwks::RemoteKeySet;
///
/// let keys = RemoteKeySet::discover("https://issuer.example").fetch(fetch).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RemoteKeySet(Arc<Owner>);

/// Ends the background work with the last handle. Tasks and waiting requests hold [`Shared`] only.
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl RemoteKeySet {
    /// Finds the keys through the issuer's metadata: OpenID Connect Discovery first, then RFC 8414. The
    /// document counts only if its `issuer` is `issuer`, byte for byte.
    pub fn discover(issuer: impl Into<Arc<str>>) -> RemoteKeySetBuilder {
        RemoteKeySetBuilder::discover(issuer.into())
    }

    /// Takes the keys from a configured address.
    pub fn at(jwks_url: impl Into<String>) -> RemoteKeySetBuilder {
        RemoteKeySetBuilder::at(jwks_url.into())
    }

    /// Fetches keys now unless there are usable ones, for services that want to fail at start. Waits as a
    /// request would.
    ///
    /// # Errors
    ///
    /// When no keys came in time. The attempt may still succeed later.
    pub async fn warm(&self) -> Result<(), KeysUnavailable> {
        if self.current().is_ok() {
            return Ok(());
        }
        match self.refresh(RefreshReason::NoKeys) {
            Some(refresh) => refresh.await.map(drop),
            None => self.current().map(drop),
        }
    }

    /// The keys as they were fetched, to be [imported](RemoteKeySetBuilder::import) by the next process;
    /// none when there are none, or dead ones. An imported set that no fetch has replaced yet is as old
    /// here as it was there.
    ///
    /// ```no_run
    /// # fn example(fetch: impl portcullis_fetch::Fetch) -> Result<(), Box<dyn std::error::Error>> {
    /// use portcullis_jwks::{KeySnapshot, RemoteKeySet};
    ///
    /// let mut keys = RemoteKeySet::discover("https://issuer.example").fetch(fetch);
    /// // Only the service and its operator may write there.
    /// let path = "/var/lib/invoices/keys.json";
    /// match std::fs::read(path).map(|bytes| KeySnapshot::from_bytes(&bytes)) {
    ///     Ok(Ok(snapshot)) => keys = keys.import(snapshot),
    ///     Ok(Err(damaged)) => eprintln!("{path}: {damaged}"),
    ///     Err(_) => {} // The first start.
    /// }
    /// let keys = keys.build()?;
    ///
    /// // Every few minutes, and at the end.
    /// if let Some(snapshot) = keys.export() {
    ///     let new = format!("{path}.new");
    ///     std::fs::write(&new, snapshot.to_bytes())?;
    ///     std::fs::rename(new, path)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn export(&self) -> Option<KeySnapshot> {
        self.0.0.export()
    }

    /// How the keys are doing.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.0.status()
    }
}

impl KeySet for RemoteKeySet {
    fn current(&self) -> Result<Arc<Keys>, KeysUnavailable> {
        self.0.0.current()
    }

    fn refresh(&self, reason: RefreshReason) -> Option<Refresh> {
        let unavailable = |wait| -> Option<Refresh> {
            self.0.0.count_unavailable();
            Some(Box::pin(std::future::ready(Err(KeysUnavailable::new(wait)))))
        };
        if Handle::try_current().is_err() {
            return unavailable(None);
        }
        match self.0.0.wish(reason) {
            (Wish::Start | Wish::Join, waiting) => Some(Box::pin(waiting.keys())),
            (Wish::Pointless, _) => None,
            (Wish::Unavailable(wait), _) => unavailable(Some(wait)),
        }
    }
}

impl fmt::Debug for RemoteKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeySet")
            .field("source", &self.0.0.name())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
