//! No statement looks at more rows than it concerns.

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::{log, migrate, records};

async fn plan(link: &mut SqliteConnection, statement: &str) -> String {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(link).await.expect("a plan");
    steps.into_iter().map(|(_, _, _, step)| step + "\n").collect()
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let mut link = SqliteConnection::connect("sqlite::memory:")
        .await
        .expect("it opens");
    for migration in migrate::MIGRATIONS {
        sqlx::raw_sql(migration)
            .execute(&mut link)
            .await
            .expect("it is sound");
    }
    let by_key = "portcullis_records USING INDEX sqlite_autoindex_portcullis_records_1 (kind=? AND id=?)";
    let by_owner = "portcullis_records USING INDEX portcullis_records_owner (kind=? AND owner=?)";
    for (statement, index) in [
        (records::LOAD, by_key),
        (records::REPLACE, by_key),
        (records::TOUCH, by_key),
        (records::TAKE, by_key),
        (records::DELETE, by_key),
        (records::LIST, by_owner),
        (records::DELETE_OWNED, by_owner),
        (
            records::REVOKED,
            "portcullis_cutoffs USING PRIMARY KEY (kind=? AND owner=?",
        ),
        (records::SWEEP, "portcullis_records_expiry (expires_at<?)"),
        (records::FORGET, "portcullis_cutoffs_age (cutoff<?)"),
        (log::READ, "entry USING INTEGER PRIMARY KEY (rowid>?)"),
        (
            log::TRIM,
            "portcullis_changes USING INTEGER PRIMARY KEY (rowid<?)",
        ),
    ] {
        let plan = plan(&mut link, statement).await;
        assert!(plan.contains(index), "{statement}\n{plan}");
        assert!(!plan.contains("SCAN portcullis_records"), "{statement}\n{plan}");
    }
    let careless = plan(&mut link, "SELECT 1 FROM portcullis_records WHERE payload = ?1").await;
    assert!(careless.contains("SCAN portcullis_records"), "{careless}");
}
