//! A store on a server.

mod builder;
mod link;
mod listen;
mod log;
mod migrate;
mod records;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_store::StoreError;
use sqlx::PgPool;

pub use self::builder::PostgresStoreBuilder;
use self::link::Doubt;
use self::listen::Listening;

/// Records on a PostgreSQL server, 13 or later, its primary. A clone is the same store.
///
/// Expiry goes by the server's clock, so instances need not agree on the time. It is a
/// [`ChangeLog`](portcullis_store::changes::ChangeLog) too, and `NOTIFY` wakes who waits for changes, on whatever
/// instance; a connection of its own listens from the first wait on.
///
/// # What this does not check
///
/// A pooler between here and the server has to keep sessions together: with one that does so for a transaction
/// only, prepared statements and `LISTEN` fail.
///
/// ```no_run
/// # use portcullis_sqlx::PostgresStore;
/// # async fn example() -> Result<(), portcullis_store::StoreError> {
/// let store = PostgresStore::connect("postgres://app@db.example.com/app?sslmode=verify-full").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    pool: PgPool,
    schema: Option<Box<str>>,
    wait_at_most: Duration,
    log_age: Duration,
    log_length: u64,
    doubt: Arc<Doubt>,
    listening: Listening,
}

impl PostgresStore {
    /// The store on the server of `url`, with the defaults. See [`PostgresStoreBuilder::connect`].
    ///
    /// # Errors
    ///
    /// [`Unavailable`](portcullis_store::StoreErrorKind::Unavailable) when the URL is none, or the server cannot be
    /// reached or migrated. The message does not repeat the URL.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::builder().connect(url).await
    }

    /// Starts a configuration.
    pub fn builder() -> PostgresStoreBuilder {
        PostgresStoreBuilder::new()
    }

    /// Makes the tables, or brings them up to date. Does nothing where they are, needs no right to make tables then,
    /// and may be called by several instances at once. Tables of a later version are left as they are.
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
        self.0.listening.close().await;
        self.0.pool.close().await;
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}
