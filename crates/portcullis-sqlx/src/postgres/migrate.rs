use std::time::Duration;

use portcullis_store::StoreError;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::timeout;

use super::PostgresStore;
use super::link::{BEGIN, lock_of, place};
use crate::shared::Fault;

/// In order. What was published never changes; what is new comes at the end.
pub(super) const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/postgres/0001_records.sql")];

/// Another instance may be at it.
const PATIENCE: &str = "SET LOCAL statement_timeout = '60s'";
/// For all of them together, where the server does not answer at all.
const LONGEST: Duration = Duration::from_secs(120);

pub(super) async fn migrate(store: &PostgresStore) -> Result<(), StoreError> {
    attempt(store).await.map_err(|fault| fault.at(place("migrate")))
}

async fn attempt(store: &PostgresStore) -> Result<(), Fault> {
    let mut link = store.0.pool.acquire().await?;
    let work = async {
        let known = timeout(store.limit(), applied(&mut link)).await;
        if known.map_err(|_| Fault::Late)?? >= latest() {
            return Ok(());
        }
        let applied = timeout(LONGEST, apply(&mut link, store.0.schema.as_deref())).await;
        applied.map_err(|_| Fault::Late)?
    };
    let answer = work.await;
    if matches!(answer, Err(Fault::Late)) {
        link.close_on_drop();
    }
    answer
}

async fn apply(link: &mut PgConnection, schema: Option<&str>) -> Result<(), Fault> {
    let mut transaction = link.begin_with(BEGIN).await?;
    sqlx::raw_sql(PATIENCE).execute(&mut *transaction).await?;
    let lock = "SELECT pg_advisory_xact_lock($1)";
    sqlx::query(lock)
        .bind(lock_of("migrate", "", b""))
        .execute(&mut *transaction)
        .await?;
    if let Some(schema) = schema {
        // A plain name: the builder has looked.
        let make = format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"");
        sqlx::raw_sql(AssertSqlSafe(make))
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS portcullis_migrations (version BIGINT NOT NULL PRIMARY KEY)")
        .execute(&mut *transaction)
        .await?;
    let applied = applied(&mut transaction).await?;
    for (version, migration) in (1_i64..).zip(MIGRATIONS) {
        if version > applied {
            sqlx::raw_sql(migration).execute(&mut *transaction).await?;
            let note = "INSERT INTO portcullis_migrations VALUES ($1)";
            sqlx::query(note).bind(version).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

fn latest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The last migration that was applied, or 0.
async fn applied(link: &mut PgConnection) -> Result<i64, Fault> {
    let exists = "SELECT to_regclass('portcullis_migrations') IS NOT NULL";
    let (exists,): (bool,) = sqlx::query_as(exists).fetch_one(&mut *link).await?;
    if !exists {
        return Ok(0);
    }
    let last = "SELECT coalesce(max(version), 0) FROM portcullis_migrations";
    let (version,) = sqlx::query_as(last).fetch_one(link).await?;
    Ok(version)
}
