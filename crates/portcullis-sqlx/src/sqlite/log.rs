use std::time::Duration;

use async_trait::async_trait;
use portcullis_store::StoreError;
use portcullis_store::changes::{ChangeLog, LogBatch, LogPosition};

use super::SqliteStore;
use super::link::Writing;
use crate::shared::{Fault, change, millis};

/// Entries handed out at once.
const BATCH: i64 = 1_000;
/// Entries trimmed in one transaction.
const TRIMMED: i64 = 10_000;

/// The table of sequences remembers the last number however much is trimmed.
macro_rules! state {
    () => {
        "SELECT epoch, trimmed_to, \
         coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'portcullis_changes'), 0)"
    };
}

const STATE: &str = concat!(state!(), " FROM portcullis_log");

/// One statement, so that nothing is trimmed between the state and the entries.
pub(super) const READ: &str = concat!(
    state!(),
    ", entry.number, entry.kind, entry.id, entry.owner FROM portcullis_log \
     LEFT JOIN portcullis_changes AS entry ON entry.number > ?1 ORDER BY entry.number LIMIT ?2"
);

/// The last of the entries that go: those that are too old, and those that are too many. And the last that went.
const LAST_TO_TRIM: &str = "SELECT min(max(\
     coalesce((SELECT max(number) FROM portcullis_changes WHERE changed_at < ?1), 0), \
     coalesce((SELECT max(number) FROM portcullis_changes), 0) - ?2), \
     trimmed_to + ?3), trimmed_to FROM portcullis_log";

pub(super) const TRIM: &str = "DELETE FROM portcullis_changes WHERE number <= ?1";

const TRIMMED_TO: &str = "UPDATE portcullis_log SET trimmed_to = max(trimmed_to, ?1)";

/// The log's state, and an entry if there is any.
type Row = (
    String,
    i64,
    i64,
    Option<i64>,
    Option<String>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
);

impl SqliteStore {
    /// Drops what is too old or too much from the log, a bounded number at once, and says whether that was all.
    pub(super) async fn trim(&self, writing: &mut Writing) -> Result<bool, Fault> {
        let oldest = millis(writing.now.saturating_sub(self.0.log_age));
        let length = i64::try_from(self.0.log_length).unwrap_or(i64::MAX);
        let query = sqlx::query_as(LAST_TO_TRIM)
            .bind(oldest)
            .bind(length)
            .bind(TRIMMED);
        let (last, before): (i64, i64) = query.fetch_one(writing.link()).await?;
        if last > before {
            sqlx::query(TRIM).bind(last).execute(writing.link()).await?;
            sqlx::query(TRIMMED_TO).bind(last).execute(writing.link()).await?;
        }
        Ok(last < before.saturating_add(TRIMMED))
    }

    async fn read_after(&self, position: &Position) -> Result<Option<LogBatch>, Fault> {
        let mut link = self.reader().await?;
        let query = sqlx::query_as(READ).bind(position.number).bind(BATCH);
        let rows: Vec<Row> = query.fetch_all(&mut *link).await?;
        let Some((epoch, trimmed_to, last, ..)) = rows.first().cloned() else {
            return Ok(None);
        };
        if epoch != position.epoch || !(trimmed_to..=last).contains(&position.number) {
            return Ok(None);
        }
        let (mut changes, mut read_to) = (Vec::new(), position.number);
        for (_, _, _, number, kind, id, owner) in rows {
            if let (Some(number), Some(kind)) = (number, kind) {
                changes.push(change(kind, id, owner)?);
                read_to = number;
            }
        }
        let number = read_to;
        Ok(Some(LogBatch::new(
            changes,
            Position { epoch, number }.written(),
            last > read_to,
        )))
    }
}

#[async_trait]
impl ChangeLog for SqliteStore {
    async fn end(&self) -> Result<LogPosition, StoreError> {
        self.within("end", async {
            let mut link = self.reader().await?;
            let state = sqlx::query_as(STATE).fetch_one(&mut *link).await?;
            let (epoch, _, number): (String, i64, i64) = state;
            Ok(Position { epoch, number }.written())
        })
        .await
    }

    async fn read(&self, after: &LogPosition) -> Result<Option<LogBatch>, StoreError> {
        let Some(position) = Position::of(after) else {
            return Ok(None);
        };
        let news = self.0.wake.news();
        let batch = self.within("read", self.read_after(&position)).await?;
        if batch.as_ref().is_some_and(|batch| !batch.more()) {
            self.0.wake.read_at(news);
        }
        Ok(batch)
    }

    async fn wait(&self, at_most: Duration) {
        self.0.wake.wait(at_most).await;
    }
}

/// `epoch/number`.
struct Position {
    epoch: String,
    number: i64,
}

impl Position {
    /// `None`: another log's.
    fn of(position: &LogPosition) -> Option<Self> {
        let text = std::str::from_utf8(position.as_bytes()).ok()?;
        let (epoch, number) = text.split_once('/')?;
        let number = number.parse().ok()?;
        Some(Self {
            epoch: epoch.to_owned(),
            number,
        })
    }

    fn written(&self) -> LogPosition {
        LogPosition::new(format!("{}/{}", self.epoch, self.number).into_bytes())
    }
}
