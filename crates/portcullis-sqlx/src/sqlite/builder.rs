use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Clock, SystemClock};
use portcullis_store::{StoreError, StoreErrorKind};
use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::{Inner, SqliteStore};
use crate::shared::Wake;

const DEFAULT_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
const DEFAULT_READERS: u32 = 4;
const DEFAULT_LOG_AGE: Duration = Duration::from_secs(3_600);
const DEFAULT_LOG_LENGTH: u64 = 100_000;

/// Builds a [`SqliteStore`]. Nothing is mandatory.
#[derive(Clone)]
#[must_use]
pub struct SqliteStoreBuilder {
    clock: Arc<dyn Clock>,
    wait_at_most: Duration,
    readers: u32,
    log_age: Duration,
    log_length: u64,
}

impl SqliteStoreBuilder {
    pub(super) fn new() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            wait_at_most: DEFAULT_WAIT,
            readers: DEFAULT_READERS,
            log_age: DEFAULT_LOG_AGE,
            log_length: DEFAULT_LOG_LENGTH,
        }
    }

    /// Takes the time from `clock`; the system's unless called. Processes that share a file need one time.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Waits so long for a connection, and so long for whoever else writes; 2 seconds unless called, and an hour at
    /// most. A call takes at most three times as long.
    pub fn wait_at_most(mut self, duration: Duration) -> Self {
        self.wait_at_most = duration.min(LONGEST_WAIT);
        self
    }

    /// Reads with up to so many connections, one at least; 4 unless called.
    pub const fn readers(mut self, connections: u32) -> Self {
        self.readers = if connections == 0 { 1 } else { connections };
        self
    }

    /// What a sweep leaves of the log of changes: those of the last `age`, and of these the latest `changes`. An hour
    /// and 100,000 unless called. Who reads on from before that is told that anything may have changed.
    pub const fn keep_changes(mut self, age: Duration, changes: u64) -> Self {
        self.log_age = age;
        self.log_length = changes;
        self
    }

    /// Opens the file at `path`, makes it where it is missing, readable and writable for its owner alone, and
    /// [migrates](SqliteStore::migrate). Write-ahead mode, and flushed to the disk with every change.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](StoreErrorKind::Unavailable) when it cannot be opened, made or migrated.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        make(path.as_ref())?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(self.wait_at_most)
            .disable_statement_logging();
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(self.wait_at_most)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .connect_lazy_with(options.clone())
        };
        let store = SqliteStore(Arc::new(self.inner(pool(1), pool(self.readers))));
        store.migrate().await?;
        Ok(store)
    }

    /// Uses the application's pool, with whatever it has configured: durability and waiting for the file are the
    /// pool's business then. Asks nothing yet and does not [migrate](SqliteStore::migrate). Not for a database in
    /// memory: a connection on which anything failed is closed, and its memory with it.
    #[must_use]
    pub fn over(self, pool: SqlitePool) -> SqliteStore {
        SqliteStore(Arc::new(self.inner(pool.clone(), pool)))
    }

    fn inner(&self, writer: SqlitePool, readers: SqlitePool) -> Inner {
        Inner {
            writer,
            readers,
            clock: Arc::clone(&self.clock),
            wait_at_most: self.wait_at_most,
            log_age: self.log_age,
            log_length: self.log_length,
            wake: Wake::default(),
        }
    }
}

/// Makes the file where it is missing. SQLite gives the files beside it the same permissions.
fn make(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            let message = format!("sqlite, open: the file cannot be made ({})", error.kind());
            Err(StoreError::new(StoreErrorKind::Unavailable, message))
        }
    }
}

impl fmt::Debug for SqliteStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStoreBuilder")
            .field("clock", &self.clock)
            .field("wait_at_most", &self.wait_at_most)
            .field("readers", &self.readers)
            .field("log_age", &self.log_age)
            .field("log_length", &self.log_length)
            .finish()
    }
}
