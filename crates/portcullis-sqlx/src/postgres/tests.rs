//! No statement looks at more rows than it concerns.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use self::postgres_server::Server;
use super::{log, migrate, records};

#[path = "../../tests/support/postgres_server.rs"]
mod postgres_server;

const MANY: &str = "INSERT INTO portcullis_records \
     SELECT 'session', convert_to(n::text, 'UTF8'), convert_to((n / 3)::text, 'UTF8'), n, 0, n, n, '' \
     FROM generate_series(1, 20000) AS n; \
     INSERT INTO portcullis_cutoffs SELECT 'session', convert_to(n::text, 'UTF8'), n \
     FROM generate_series(1, 20000) AS n; \
     INSERT INTO portcullis_changes (kind, id) SELECT 'session', 'x' FROM generate_series(1, 20000) AS n; \
     ANALYZE; SET plan_cache_mode = force_generic_plan";

/// The plan for whatever is asked, of a statement with so many parameters.
async fn plan(link: &mut PgConnection, statement: &str) -> String {
    let parameters = (1..10)
        .take_while(|number| statement.contains(&format!("${number}")))
        .count();
    let prepare = format!("PREPARE planned AS {statement}");
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut *link)
        .await
        .expect(statement);
    let nulls = vec!["NULL"; parameters].join(", ");
    let explain = format!("EXPLAIN (COSTS OFF) EXECUTE planned ({nulls})");
    let rows = sqlx::raw_sql(AssertSqlSafe(explain))
        .fetch_all(&mut *link)
        .await
        .expect(statement);
    sqlx::raw_sql("DEALLOCATE planned")
        .execute(link)
        .await
        .expect("it is there");
    let lines = rows.iter().map(|row| sqlx::Row::get::<String, _>(row, 0));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let Some(server) = Server::start() else { return };
    let mut link = PgConnection::connect(&server.url()).await.expect("it connects");
    for migration in migrate::MIGRATIONS {
        sqlx::raw_sql(migration)
            .execute(&mut link)
            .await
            .expect("it is sound");
    }
    sqlx::raw_sql(MANY).execute(&mut link).await.expect("room");
    for (statement, index) in [
        (records::LOAD, "portcullis_records_pkey"),
        (records::REPLACE, "portcullis_records_pkey"),
        (records::TOUCH, "portcullis_records_pkey"),
        (records::TAKE, "portcullis_records_pkey"),
        (records::DELETE, "portcullis_records_pkey"),
        (records::CREATE, "portcullis_cutoffs_pkey"),
        (records::LIST, "portcullis_records_owner"),
        (records::REMOVE_OWNED, "portcullis_records_owner"),
        (records::SWEEP, "portcullis_records_expiry"),
        (records::FORGET, "portcullis_cutoffs_age"),
        (log::READ, "portcullis_changes_"),
    ] {
        let plan = plan(&mut link, statement).await;
        assert!(plan.contains(index), "{statement}\n{plan}");
        assert!(
            !plan.contains("Seq Scan on portcullis_records"),
            "{statement}\n{plan}"
        );
    }
    let careless = plan(&mut link, "SELECT 1 FROM portcullis_records WHERE payload = $1").await;
    assert!(careless.contains("Seq Scan on portcullis_records"), "{careless}");
}
