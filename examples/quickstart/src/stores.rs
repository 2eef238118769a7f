//! Where sessions and API keys are kept.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use portcullis::redis::RedisStore;
use portcullis::sqlx::{PostgresStore, SqliteStore};
use portcullis::store::changes::ChangeLog;
use portcullis::store::{MemoryStore, RecordStore};

/// A store, and the log from which other instances learn of its changes, where there can be others.
pub(crate) struct Store {
    pub(crate) records: Arc<dyn RecordStore>,
    pub(crate) log: Option<Arc<dyn ChangeLog>>,
}

impl Store {
    fn shared<S: RecordStore + ChangeLog + Clone>(store: S) -> Self {
        Self {
            records: Arc::new(store.clone()),
            log: Some(Arc::new(store)),
        }
    }

    pub(crate) fn memory() -> Self {
        Self {
            records: Arc::new(MemoryStore::new()),
            log: None,
        }
    }

    /// Opens what `--store` names.
    pub(crate) async fn open(name: &str) -> Result<Self, Box<dyn Error>> {
        let complain = |error: &dyn Error| {
            let mut said = format!("cannot use --store: {error}");
            let mut cause = error.source();
            while let Some(source) = cause {
                said.push_str(&format!(": {source}"));
                cause = source.source();
            }
            said.replace('\n', " ")
        };
        let store = match name.split_once(':') {
            None if name == "memory" => Self::memory(),
            Some(("sqlite", path)) if !path.is_empty() => {
                let path = path.trim_start_matches("//");
                Self::shared(
                    SqliteStore::open(Path::new(path))
                        .await
                        .map_err(|error| complain(&error))?,
                )
            }
            Some(("postgres" | "postgresql", _)) => Self::shared(
                PostgresStore::connect(name)
                    .await
                    .map_err(|error| complain(&error))?,
            ),
            Some(("redis" | "rediss", _)) => Self::shared(
                RedisStore::connect(name)
                    .await
                    .map_err(|error| complain(&error))?,
            ),
            // The name may hold a password.
            _ => return Err("--store is memory, sqlite:PATH, postgres://… or redis://…".into()),
        };
        Ok(store)
    }
}
