//! A store in a file.

mod builder;
mod link;
mod log;
mod migrate;
mod records;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::Clock;
use portcullis_store::StoreError;
use sqlx::SqlitePool;

pub use self::builder::SqliteStoreBuilder;
use crate::shared::Wake;

/// Records in a SQLite file. A clone is the same store.
///
/// One process writes at a time and waits for the others up to the [bound](SqliteStoreBuilder::wait_at_most); any
/// number read. Expiry goes by the clock of the process. It is a
/// [`ChangeLog`](portcullis_store::changes::ChangeLog) too: changes made through this store wake who waits at once,
/// those of other processes are found by whoever reads again.
///
/// ```
/// # use portcullis_sqlx::SqliteStore;
/// # async fn example() -> Result<(), portcullis_store::StoreError> {
/// let store = SqliteStore::open("/var/lib/example/records.db").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    /// One connection, where the pools are our own: writers wait here and not for the file.
    writer: SqlitePool,
    readers: SqlitePool,
    clock: Arc<dyn Clock>,
    wait_at_most: Duration,
    log_age: Duration,
    log_length: u64,
    wake: Wake,
}

impl SqliteStore {
    /// The store in the file at `path`, with the defaults. See [`SqliteStoreBuilder::open`].
    ///
    /// # Errors
    ///
    /// [`Unavailable`](portcullis_store::StoreErrorKind::Unavailable) when the file cannot be opened, made or migrated.
    pub async fn open(path: impl AsRef<std::path::Path>) -> Result<Self, StoreError> {
        Self::builder().open(path).await
    }

    /// Starts a configuration.
    pub fn builder() -> SqliteStoreBuilder {
        SqliteStoreBuilder::new()
    }

    /// Makes the tables, or brings them up to date. Does nothing where they are, and may be called by several
    /// processes at once. Tables of a later version are left as they are.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](portcullis_store::StoreErrorKind::Unavailable). The tables are as they were then.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migrate::migrate(self).await
    }

    /// Closes the connections and waits for them. Every later call is
    /// [`Unavailable`](portcullis_store::StoreErrorKind::Unavailable), on clones as well.
    pub async fn close(&self) {
        self.0.readers.close().await;
        self.0.writer.close().await;
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}
