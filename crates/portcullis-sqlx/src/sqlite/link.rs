//! Connections, for reading and for writing, and how long they may take.

use std::time::Duration;

use portcullis_core::Timestamp;
use portcullis_store::{RecordKey, StoreError};
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection};

use super::SqliteStore;
use crate::shared::{Database, Fault, Place, millis};

pub(super) const fn place(verb: &'static str) -> Place {
    Place {
        database: Database::Sqlite,
        verb,
    }
}

/// A transaction that holds the write lock of the file, and the time at which it got it.
///
/// None of the driver's: SQLite ends a transaction by itself when the disk is full, and a connection whose driver counts
/// one that is gone never begins another. A connection on which anything failed is closed, which undoes what is open.
pub(super) struct Writing {
    link: PoolConnection<Sqlite>,
    pub(super) now: Timestamp,
    logged: bool,
    ended: bool,
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.ended {
            self.link.close_on_drop();
        }
    }
}

impl Writing {
    pub(super) fn link(&mut self) -> &mut SqliteConnection {
        &mut self.link
    }

    pub(super) fn now_millis(&self) -> i64 {
        millis(self.now)
    }

    /// Enters a record into the log.
    pub(super) async fn log_record(&mut self, key: &RecordKey) -> Result<(), Fault> {
        self.log(key.kind().as_str(), Some(key.id()), None).await
    }

    /// Enters an owner into the log.
    pub(super) async fn log_owner(&mut self, kind: &str, owner: &[u8]) -> Result<(), Fault> {
        self.log(kind, None, Some(owner)).await
    }

    async fn log(&mut self, kind: &str, id: Option<&[u8]>, owner: Option<&[u8]>) -> Result<(), Fault> {
        sqlx::query("INSERT INTO portcullis_changes (kind, id, owner, changed_at) VALUES (?1, ?2, ?3, ?4)")
            .bind(kind)
            .bind(id)
            .bind(owner)
            .bind(self.now_millis())
            .execute(&mut *self.link)
            .await?;
        self.logged = true;
        Ok(())
    }

    /// The next version, of any record.
    pub(super) async fn next_version(&mut self) -> Result<i64, Fault> {
        let next = "UPDATE portcullis_log SET version = version + 1 RETURNING version";
        let (version,) = sqlx::query_as(next).fetch_one(&mut *self.link).await?;
        Ok(version)
    }
}

impl SqliteStore {
    /// Begins to write. Nobody else writes until this ends, so the time is taken now and not before the wait.
    pub(super) async fn begin(&self) -> Result<Writing, Fault> {
        let mut writing = Writing {
            link: self.0.writer.acquire().await?,
            now: Timestamp::EPOCH,
            logged: false,
            ended: false,
        };
        let begun = sqlx::query("BEGIN IMMEDIATE").execute(writing.link()).await;
        // Where somebody else writes, nothing has begun, and the connection is as good as before.
        writing.ended = begun.is_err();
        begun?;
        writing.now = self.0.clock.now();
        Ok(writing)
    }

    /// Commits what was done and undoes what was refused. What failed is undone by closing the connection.
    pub(super) async fn end<T>(&self, mut writing: Writing, answer: Result<T, Fault>) -> Result<T, Fault> {
        let end = match &answer {
            Ok(_) => "COMMIT",
            Err(Fault::Refused(_)) => "ROLLBACK",
            Err(_) => return answer,
        };
        sqlx::query(end).execute(writing.link()).await?;
        writing.ended = true;
        if answer.is_ok() && writing.logged {
            self.0.wake.up();
        }
        answer
    }

    pub(super) async fn reader(&self) -> Result<PoolConnection<Sqlite>, Fault> {
        Ok(self.0.readers.acquire().await?)
    }

    pub(super) fn now_millis(&self) -> i64 {
        millis(self.0.clock.now())
    }

    /// Bounds a whole call. A transaction that is given up is rolled back, unless it was being committed.
    pub(super) async fn within<T>(
        &self,
        verb: &'static str,
        call: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, StoreError> {
        let limit = self
            .0
            .wait_at_most
            .saturating_mul(3)
            .max(Duration::from_millis(1));
        let answer = tokio::time::timeout(limit, call).await;
        answer
            .unwrap_or(Err(Fault::Late))
            .map_err(|fault| fault.at(place(verb)))
    }
}
