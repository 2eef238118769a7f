use std::time::Duration;

use portcullis_store::StoreError;
use sqlx::SqliteConnection;
use tokio::time::Instant;

use super::SqliteStore;
use super::link::place;
use crate::shared::{Fault, primary};

/// In order. What was published never changes; what is new comes at the end.
pub(super) const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/sqlite/0001_records.sql")];

const PAUSE: Duration = Duration::from_millis(20);

/// SQLite waits for no lock while it switches to write-ahead mode, so this does.
pub(super) async fn migrate(store: &SqliteStore) -> Result<(), StoreError> {
    let begun = Instant::now();
    loop {
        match attempt(store).await {
            Err(fault) if is_locked(&fault) && begun.elapsed() < store.0.wait_at_most => {
                tokio::time::sleep(PAUSE).await
            }
            answer => return answer.map_err(|fault| fault.at(place("migrate"))),
        }
    }
}

fn is_locked(fault: &Fault) -> bool {
    matches!(primary(fault.code().as_deref()), Some(5 | 6))
}

async fn attempt(store: &SqliteStore) -> Result<(), Fault> {
    // Most of the time there is nothing to do, and nobody has to wait for the lock.
    let mut link = store.0.writer.acquire().await?;
    if applied(&mut link).await? >= latest() {
        return Ok(());
    }
    drop(link);
    let mut writing = store.begin().await?;
    let answer = apply(writing.link()).await;
    store.end(writing, answer).await
}

async fn apply(link: &mut SqliteConnection) -> Result<(), Fault> {
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS portcullis_migrations (version INTEGER NOT NULL PRIMARY KEY) STRICT",
    )
    .execute(&mut *link)
    .await?;
    let applied = applied(link).await?;
    for (version, migration) in (1_i64..).zip(MIGRATIONS) {
        if version > applied {
            sqlx::raw_sql(migration).execute(&mut *link).await?;
            let note = "INSERT INTO portcullis_migrations VALUES (?1)";
            sqlx::query(note).bind(version).execute(&mut *link).await?;
        }
    }
    Ok(())
}

fn latest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The last migration that was applied, or 0.
async fn applied(link: &mut SqliteConnection) -> Result<i64, Fault> {
    let exists = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'portcullis_migrations'";
    let (tables,): (i64,) = sqlx::query_as(exists).fetch_one(&mut *link).await?;
    if tables == 0 {
        return Ok(0);
    }
    let last = "SELECT coalesce(max(version), 0) FROM portcullis_migrations";
    let (version,) = sqlx::query_as(last).fetch_one(link).await?;
    Ok(version)
}
