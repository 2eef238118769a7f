//! The log of changes. A number is given out before its transaction commits, so numbers alone do not tell what a
//! reader has not seen yet; snapshots do. A place in the log is a snapshot: what it saw was read. The next batch is
//! what a later snapshot sees and it did not, in the order of the numbers. Nobody waits for a transaction that is
//! open, and what it commits later is in the batch after that, however small its numbers are.

use std::time::Duration;

use async_trait::async_trait;
use portcullis_store::StoreError;
use portcullis_store::changes::{ChangeLog, LogBatch, LogPosition};
use sqlx::{Connection, PgConnection};

use super::PostgresStore;
use super::link::{Again, BEGIN, LOCK, call, lock_of, now};
use crate::shared::{Fault, change};

/// Entries handed out at once.
const BATCH: usize = 1_000;
/// Entries trimmed by one statement.
const TRIMMED: i64 = 10_000;

/// Which log this is: the table's, since this server process began, and since it last lost a process and with it the
/// memory that they share, which resets its statistics. After a restart, a failover or a recovery, numbers of
/// transactions that were never written may come again, and snapshots from before mean nothing.
macro_rules! epoch {
    () => {
        "epoch || '/' || tableoid::text || '/' || extract(epoch FROM pg_postmaster_start_time())::text \
         || '/' || coalesce(extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time())::text, '')"
    };
}

const END: &str = concat!(
    "SELECT ",
    epoch!(),
    ", pg_current_snapshot()::text FROM portcullis_log"
);

/// The log reaches back to a snapshot that sees all that was trimmed: because the last of that was over when it was
/// taken, or, beside a transaction that has been open for long, because it sees all that the trimmer saw.
/// $1 the snapshot that was read, $2 the one that is being read if that goes on, $3 how far, $4 how much.
pub(super) const READ: &str = concat!(
    "WITH here AS MATERIALIZED (SELECT ",
    epoch!(),
    " AS epoch, trimmed_tx < pg_snapshot_xmin($1::pg_snapshot) \
     OR (pg_snapshot_xmax($1::pg_snapshot) >= pg_snapshot_xmax(trimmed_by) AND NOT EXISTS (\
         SELECT 1 FROM pg_snapshot_xip($1::pg_snapshot) AS tx \
         WHERE pg_visible_in_snapshot(tx, trimmed_by))) AS reaches, \
     coalesce($2, pg_current_snapshot()::text) AS upper FROM portcullis_log) \
     SELECT here.epoch, here.reaches, here.upper, entry.number, entry.kind, entry.id, entry.owner \
     FROM here LEFT JOIN LATERAL (\
         SELECT number, kind, id, owner FROM portcullis_changes \
         WHERE tx >= pg_snapshot_xmin($1::pg_snapshot) AND number > $3 \
         AND NOT pg_visible_in_snapshot(tx, $1::pg_snapshot) \
         AND pg_visible_in_snapshot(tx, here.upper::pg_snapshot) \
         ORDER BY number LIMIT $4\
     ) AS entry ON true ORDER BY entry.number"
);

/// $1 the age in milliseconds, $2 the length, $3 how many at once.
const TRIM: &str = concat!(
    "WITH gone AS (DELETE FROM portcullis_changes WHERE number IN (\
         SELECT number FROM portcullis_changes \
         WHERE changed_at < (SELECT ",
    now!(),
    " - $1) OR number <= (SELECT max(number) FROM portcullis_changes) - $2 ORDER BY number LIMIT $3\
     ) RETURNING tx), \
     noted AS (UPDATE portcullis_log SET trimmed_by = pg_current_snapshot(), trimmed_tx = greatest(trimmed_tx, \
         (SELECT tx FROM gone ORDER BY tx DESC LIMIT 1)) WHERE EXISTS (SELECT 1 FROM gone)) \
     SELECT count(*) FROM gone"
);

/// The log's state, and an entry if there is any.
type Row = (
    String,
    bool,
    String,
    Option<i64>,
    Option<String>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
);

impl PostgresStore {
    /// Drops what is too old or too much from the log.
    pub(super) async fn trim(&self) -> Result<(), StoreError> {
        let age = i64::try_from(self.0.log_age.as_millis()).unwrap_or(i64::MAX / 2);
        let length = i64::try_from(self.0.log_length).unwrap_or(i64::MAX);
        loop {
            let trimmed: i64 = call!(self, "sweep", Again::IfUndone, |link| trim(link, age, length))?;
            if trimmed < TRIMMED {
                return Ok(());
            }
        }
    }
}

/// One after the other, so that what is noted last saw the most.
async fn trim(link: &mut PgConnection, age: i64, length: i64) -> Result<i64, Fault> {
    let mut transaction = link.begin_with(BEGIN).await?;
    sqlx::query(LOCK)
        .bind(lock_of("trim", "", b""))
        .execute(&mut *transaction)
        .await?;
    let query = sqlx::query_as(TRIM).bind(age).bind(length).bind(TRIMMED);
    let (trimmed,) = query.fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(trimmed)
}

async fn read_after(link: &mut PgConnection, position: &Position) -> Result<Option<LogBatch>, Fault> {
    let query = sqlx::query_as(READ)
        .bind(&position.seen)
        .bind(position.upper.as_deref());
    // One more, to know whether there is more.
    let most = i64::try_from(BATCH).unwrap_or(i64::MAX).saturating_add(1);
    let rows: Vec<Row> = query.bind(position.number).bind(most).fetch_all(link).await?;
    let Some((epoch, reaches, upper, ..)) = rows.first() else {
        return Ok(None);
    };
    if *epoch != position.epoch || !reaches {
        return Ok(None);
    }
    let whole = rows.len() <= BATCH;
    let mut next = Position {
        epoch: epoch.clone(),
        seen: upper.clone(),
        upper: None,
        number: 0,
    };
    // What was committed since the snapshot that was gone on with.
    let more = !whole || position.upper.is_some();
    if !whole {
        next.seen.clone_from(&position.seen);
        next.upper = Some(upper.clone());
    }
    let mut changes = Vec::new();
    for (_, _, _, number, kind, id, owner) in rows.into_iter().take(BATCH) {
        let (Some(number), Some(kind)) = (number, kind) else {
            continue;
        };
        if !whole {
            next.number = number;
        }
        changes.push(change(kind, id, owner)?);
    }
    Ok(Some(LogBatch::new(changes, next.written(), more)))
}

#[async_trait]
impl ChangeLog for PostgresStore {
    async fn end(&self) -> Result<LogPosition, StoreError> {
        let (epoch, seen): (String, String) = call!(self, "end", Again::IfLost, |link| async move {
            Ok::<_, Fault>(sqlx::query_as(END).fetch_one(link).await?)
        })?;
        let position = Position {
            epoch,
            seen,
            upper: None,
            number: 0,
        };
        Ok(position.written())
    }

    async fn read(&self, after: &LogPosition) -> Result<Option<LogBatch>, StoreError> {
        let Some(position) = Position::of(after) else {
            return Ok(None);
        };
        let wake = &self.0.listening.wake;
        let news = wake.news();
        let batch: Option<LogBatch> = call!(self, "read", Again::IfLost, |link| read_after(link, &position))?;
        if batch.as_ref().is_some_and(|batch| !batch.more()) {
            wake.read_at(news);
        }
        Ok(batch)
    }

    async fn wait(&self, at_most: Duration) {
        self.0.listening.start();
        self.0.listening.wake.wait(at_most).await;
    }
}

/// `epoch|seen|upper|number`.
struct Position {
    epoch: String,
    /// Everything that this snapshot sees was read,
    seen: String,
    /// and of what this one sees beyond it
    upper: Option<String>,
    /// everything up to this number.
    number: i64,
}

impl Position {
    /// `None`: another log's.
    fn of(position: &LogPosition) -> Option<Self> {
        let text = std::str::from_utf8(position.as_bytes()).ok()?;
        let mut parts = text.split('|');
        let (epoch, seen) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let upper = Some(parts.next()?.to_owned()).filter(|upper| !upper.is_empty());
        let number = parts.next()?.parse().ok()?;
        let sound = is_snapshot(&seen) && upper.as_deref().is_none_or(is_snapshot);
        (sound && parts.next().is_none()).then_some(Self {
            epoch,
            seen,
            upper,
            number,
        })
    }

    fn written(&self) -> LogPosition {
        let upper = self.upper.as_deref().unwrap_or_default();
        let text = format!("{}|{}|{upper}|{}", self.epoch, self.seen, self.number);
        LogPosition::new(text.into_bytes())
    }
}

/// Whether the server can read it: `xmin:xmax:xip,…`.
fn is_snapshot(text: &str) -> bool {
    let numbers = |part: &str| part.chars().all(|c| c.is_ascii_digit() || c == ',');
    let parts: Vec<&str> = text.split(':').collect();
    matches!(parts.as_slice(), [min, max, open] if !min.is_empty() && !max.is_empty() && [min, max, open].iter().all(|part| numbers(part)))
}

/// Every place that this module writes is one that it reads, and nothing else is.
#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let position = Position::of(&LogPosition::new(text.as_bytes()))?;
        String::from_utf8(position.written().as_bytes().to_vec()).ok()
    }

    #[test]
    fn a_place_is_read_as_it_was_written_and_another_log_s_is_none() {
        for sound in ["e/1.5|10:20:11,12||0", "e/1.5|10:20:|10:30:11|7"] {
            assert_eq!(read(sound).as_deref(), Some(sound));
        }
        for broken in [
            "",
            "e/1",
            "e|10:20||0",
            "e|10:x:||0",
            "e|10:20:|y|0",
            "e|10:20:||x",
            "e|1:2:||0|",
        ] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }
}
