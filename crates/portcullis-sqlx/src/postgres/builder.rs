use std::sync::Arc;
use std::time::Duration;

use portcullis_store::{StoreError, StoreErrorKind};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::link::{Doubt, place};
use super::listen::Listening;
use super::{Inner, PostgresStore};
use crate::shared::Fault;

const DEFAULT_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
const DEFAULT_CONNECTIONS: u32 = 10;
const DEFAULT_LOG_AGE: Duration = Duration::from_secs(3_600);
const DEFAULT_LOG_LENGTH: u64 = 100_000;
/// A connection that was idle for longer is asked whether it is there before it is used: no server restarts faster,
/// and under load it costs nothing.
const FRESH: Duration = Duration::from_millis(100);

/// Builds a [`PostgresStore`]. Nothing is mandatory.
#[derive(Clone, Debug)]
#[must_use]
pub struct PostgresStoreBuilder {
    schema: Option<Box<str>>,
    connections: u32,
    wait_at_most: Duration,
    log_age: Duration,
    log_length: u64,
}

impl PostgresStoreBuilder {
    pub(super) const fn new() -> Self {
        Self {
            schema: None,
            connections: DEFAULT_CONNECTIONS,
            wait_at_most: DEFAULT_WAIT,
            log_age: DEFAULT_LOG_AGE,
            log_length: DEFAULT_LOG_LENGTH,
        }
    }

    /// Keeps the tables in this schema, which is made where it is missing; in the role's own default unless called.
    /// For [`connect`](Self::connect).
    pub fn schema(mut self, name: impl Into<Box<str>>) -> Self {
        self.schema = Some(name.into());
        self
    }

    /// Opens up to so many connections, one at least; 10 unless called. For [`connect`](Self::connect).
    pub const fn connections(mut self, connections: u32) -> Self {
        self.connections = if connections == 0 { 1 } else { connections };
        self
    }

    /// Waits so long for a connection, and lets a statement take so long; 2 seconds unless called, and an hour at
    /// most. A call takes at most twice as long and a second; where it is safe to call again after a deadlock or a
    /// lost connection, three times that.
    pub fn wait_at_most(mut self, duration: Duration) -> Self {
        self.wait_at_most = duration.min(LONGEST_WAIT);
        self
    }

    /// What a sweep leaves of the log of changes: those of the last `age`, and of these the latest `changes`. An hour
    /// and 100,000 unless called. Who reads on from before that is told that anything may have changed.
    pub const fn keep_changes(mut self, age: Duration, changes: u64) -> Self {
        self.log_age = age;
        self.log_length = changes;
        self
    }

    /// Connects to the server of `url` and [migrates](PostgresStore::migrate).
    ///
    /// TLS goes by the URL's `sslmode`: the default is `prefer`, which a server in the middle can talk out of it. Over
    /// a network say `sslmode=verify-full`.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](StoreErrorKind::Unavailable) when the URL or the schema's name is none, or the server cannot be
    /// reached or migrated, or is a standby. The message does not repeat the URL.
    pub async fn connect(self, url: &str) -> Result<PostgresStore, StoreError> {
        if !self.schema.as_deref().is_none_or(is_name) {
            let message =
                "postgresql, connect: a schema's name is lower-case letters, digits and underscores";
            return Err(StoreError::new(StoreErrorKind::Unavailable, message));
        }
        let options: PgConnectOptions = url
            .parse()
            .map_err(|error| Fault::Failed(error).at(place("connect")))?;
        let doubt = Arc::new(Doubt::default());
        let pool = self.pool(self.configured(options), &doubt);
        let store = self.store(pool, doubt);
        store.migrate().await?;
        Ok(store)
    }

    /// Uses the application's pool, with whatever it has configured: the bounds of statements, by its `search_path` the
    /// schema, and which server: **a standby is not noticed**, and what it says about records was true some time ago.
    /// Asks nothing yet and does not [migrate](PostgresStore::migrate).
    #[must_use]
    pub fn over(self, pool: PgPool) -> PostgresStore {
        let plain = Self { schema: None, ..self };
        plain.store(pool, Arc::new(Doubt::default()))
    }

    fn configured(&self, options: PgConnectOptions) -> PgConnectOptions {
        let limit = self.wait_at_most.as_millis().max(1);
        let mut settings = vec![
            ("statement_timeout", limit.to_string()),
            // Locks of a client that went away in the middle.
            ("idle_in_transaction_session_timeout", (limit * 2).to_string()),
        ];
        if let Some(schema) = &self.schema {
            settings.push(("search_path", schema.to_string()));
        }
        options.options(settings).disable_statement_logging()
    }

    fn pool(&self, options: PgConnectOptions, doubt: &Arc<Doubt>) -> PgPool {
        let doubt = Arc::clone(doubt);
        PgPoolOptions::new()
            .max_connections(self.connections)
            .acquire_timeout(self.wait_at_most)
            .test_before_acquire(false)
            .after_connect(|link, _| Box::pin(is_primary(link)))
            .before_acquire(move |link, idle| {
                let asked = idle.idle_for > FRESH || doubt.is_open();
                Box::pin(async move {
                    if asked {
                        link.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options)
    }

    fn store(self, pool: PgPool, doubt: Arc<Doubt>) -> PostgresStore {
        PostgresStore(Arc::new(Inner {
            listening: Listening::new(&pool),
            pool,
            schema: self.schema,
            wait_at_most: self.wait_at_most,
            log_age: self.log_age,
            log_length: self.log_length,
            doubt,
        }))
    }
}

/// Refuses a standby: it answers as its primary would have a moment ago, or long ago. None becomes one of a primary that
/// has connections.
async fn is_primary(link: &mut PgConnection) -> Result<(), sqlx::Error> {
    let (standby,): (bool,) = sqlx::query_as("SELECT pg_is_in_recovery()")
        .fetch_one(link)
        .await?;
    match standby {
        true => Err(sqlx::Error::Protocol("a standby".to_owned())),
        false => Ok(()),
    }
}

/// Whether it can stand in a statement as it is.
fn is_name(name: &str) -> bool {
    let first = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
    let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    first && name.len() <= 63 && name.chars().all(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_a_plain_name() {
        assert!(is_name("auth_2"));
        for name in ["", "2auth", "Auth", "auth\"; DROP", "a b", &"a".repeat(64)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
