//! The log on a server that crashed, and beside a transaction that does not end.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // Helpers of tests panic as tests do.

use std::time::{Duration, Instant};

use portcullis_sqlx::PostgresStore;
use portcullis_store::RecordStore;
use portcullis_store::changes::ChangeLog;
use sqlx::{Connection, PgConnection};

use crate::postgres_server::Server;
use crate::records::{KIND, owner, owner_change, read_all};

#[path = "support/postgres_server.rs"]
mod postgres_server;
#[path = "support/records.rs"]
mod records;

const LONG: Duration = Duration::from_secs(60);

async fn session(server: &Server) -> PgConnection {
    PgConnection::connect(&server.url()).await.expect("it connects")
}

async fn run(session: &mut PgConnection, statement: &'static str) {
    sqlx::raw_sql(statement).execute(session).await.expect(statement);
}

async fn change(store: &PostgresStore, name: &str) {
    let deleted = store.delete_owned_by(KIND, &owner(name)).await;
    deleted.expect("it answers");
}

/// One process of the server dies, and all others with it, but the one that started them. Numbers of transactions that
/// were undone and never written come again, so a place from before may pass over what is changed now.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_place_from_before_a_crash_is_in_another_log() {
    let Some(mut server) = Server::start() else {
        return;
    };
    // What was undone is written when there is time.
    let slow = "ALTER SYSTEM SET wal_writer_delay = '10s'";
    run(&mut session(&server).await, slow).await;
    server.stop();
    server.run();
    let store = PostgresStore::connect(&server.url()).await.expect("it connects");
    let mut link = session(&server).await;
    change(&store, "before").await;
    let (pid,): (i32,) = sqlx::query_as("SELECT pg_backend_pid()")
        .fetch_one(&mut link)
        .await
        .expect("a number");
    for _ in 0..50 {
        run(&mut link, "BEGIN; SELECT pg_current_xact_id(); ROLLBACK").await;
    }
    let place = store.end().await.expect("it answers");
    assert!(store.read(&place).await.expect("it answers").is_some());
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status();
    assert!(killed.expect("it runs").success());
    let gone = sqlx::raw_sql("SELECT pg_sleep(60)").execute(&mut link).await;
    assert!(gone.is_err(), "its process is gone");
    let until = Instant::now() + LONG;
    while store.delete_owned_by(KIND, &owner("after")).await.is_err() {
        assert!(Instant::now() < until, "it does not recover");
    }
    let read = store.read(&place).await.expect("it answers");
    assert!(read.is_none(), "another log, and not {read:?}");
    let mut place = store.end().await.expect("it answers");
    change(&store, "later").await;
    assert_eq!(read_all(&store, &mut place).await, [owner_change("later")]);
}

/// Somebody's transaction is open for longer than the log reaches back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_log_that_is_trimmed_beside_an_open_transaction_is_whole_for_whoever_has_read_it() {
    let Some(server) = Server::start() else { return };
    let builder = PostgresStore::builder().keep_changes(LONG, 1);
    let store = builder.connect(&server.url()).await.expect("it connects");
    let mut open = session(&server).await;
    run(&mut open, "BEGIN; SELECT pg_current_xact_id()").await;
    let start = store.end().await.expect("it answers");
    for name in ["one", "two"] {
        change(&store, name).await;
    }
    store.sweep().await.expect("it answers");
    let trimmed = store.read(&start).await.expect("it answers");
    assert!(trimmed.is_none(), "one was trimmed unread");

    let mut place = store.end().await.expect("it answers");
    change(&store, "three").await;
    assert_eq!(read_all(&store, &mut place).await, [owner_change("three")]);
    store.sweep().await.expect("it answers");
    let late = "INSERT INTO portcullis_changes (kind, owner) VALUES ('session', 'late'); COMMIT";
    run(&mut open, late).await;
    let mut place = store.end().await.expect("it answers");
    change(&store, "four").await;
    assert_eq!(read_all(&store, &mut place).await, [owner_change("four")]);
}

/// A follower may go on after the store was closed. It is told of an outage, and connects to nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_waits_at_a_store_that_is_closed_opens_no_connection() {
    let Some(server) = Server::start() else { return };
    let store = PostgresStore::connect(&server.url()).await.expect("it connects");
    let mut link = session(&server).await;
    store.wait(Duration::from_secs(1)).await;
    while listening(&mut link).await == 0 {
        store.wait(Duration::from_millis(100)).await;
    }
    store.close().await;
    store.wait(Duration::from_secs(1)).await;
    assert!(store.end().await.is_err(), "it is closed");
    let until = Instant::now() + Duration::from_secs(10);
    // The one from before may be ending.
    while listening(&mut link).await > 0 {
        assert!(Instant::now() < until, "somebody listens");
        store.wait(Duration::from_millis(100)).await;
    }
}

async fn listening(link: &mut PgConnection) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
    let (sessions,) = sqlx::query_as(count).fetch_one(link).await.expect("a number");
    sessions
}
