//! Meetings of two callers on a server, forced: one is held by a lock of the test while the other runs.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::time::{Duration, Instant};

use portcullis_core::Timestamp;
use portcullis_sqlx::PostgresStore;
use portcullis_store::changes::ChangeLog;
use portcullis_store::{NewRecord, RecordStore, StoreErrorKind, Version};
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{Connection, PgConnection};

use crate::postgres_server::Server;
use crate::records::{
    HOUR, KIND, key, now, owner, owner_change, payload, read_all, record, record_change, replacement,
};

#[path = "support/postgres_server.rs"]
mod postgres_server;
#[path = "support/records.rs"]
mod records;

async fn store(server: &Server) -> PostgresStore {
    let builder = PostgresStore::builder().wait_at_most(Duration::from_secs(10));
    builder.connect(&server.url()).await.expect("it connects")
}

/// Over an application's pool whose own transactions are stricter.
async fn strict_store(server: &Server) -> PostgresStore {
    let options: PgConnectOptions = server.url().parse().expect("a URL");
    let options = options.options([("default_transaction_isolation", "repeatable read")]);
    PostgresStore::builder()
        .wait_at_most(Duration::from_secs(10))
        .over(PgPool::connect_lazy_with(options))
}

async fn session(server: &Server) -> PgConnection {
    PgConnection::connect(&server.url()).await.expect("it connects")
}

async fn run(session: &mut PgConnection, statement: &'static str) {
    sqlx::raw_sql(statement).execute(session).await.expect(statement);
}

/// Returns as soon as so many sessions wait for a lock of that type.
async fn until_waiting(observer: &mut PgConnection, lock: &str, sessions: i64) {
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = $1";
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let query = sqlx::query_as(waiting).bind(lock);
        let (found,): (i64,) = query.fetch_one(&mut *observer).await.expect("it answers");
        if found >= sessions {
            return;
        }
        assert!(Instant::now() < until, "nobody waits for a lock of type {lock}");
    }
}

/// T-SESS-1. The creation has found no revocation and has not committed when the revocation arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revocation_that_meets_a_creation_takes_it_along() {
    let Some(server) = Server::start() else { return };
    let store = store(&server).await;
    let (mut blocker, mut observer) = (session(&server).await, session(&server).await);
    // The same key, uncommitted: the creation has looked for revocations and waits to insert.
    run(
        &mut blocker,
        "BEGIN; INSERT INTO portcullis_records VALUES ('session', 'hers', NULL, 0, 0, 0, 0, '')",
    )
    .await;
    let creation = tokio::spawn({
        let (store, new) = (store.clone(), record("hers", now()).owned_by(owner("alice")));
        async move { store.create(new).await }
    });
    until_waiting(&mut observer, "transactionid", 1).await;
    let revocation = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .revoke_before(KIND, &owner("alice"), now().saturating_add(HOUR))
                .await
        }
    });
    until_waiting(&mut observer, "advisory", 1).await;
    run(&mut blocker, "ROLLBACK").await;

    creation.await.expect("no panic").expect("it came first");
    assert_eq!(revocation.await.expect("no panic").expect("it answers"), 1);
    assert!(store.load(&key("hers")).await.expect("it answers").is_none());
}

/// T-SESS-1. The revocation is under way and has not committed when the creation arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_creation_that_meets_a_revocation_waits_for_it_and_is_refused() {
    let Some(server) = Server::start() else { return };
    store(&server).await;
    let store = strict_store(&server).await;
    let (mut blocker, mut observer) = (session(&server).await, session(&server).await);
    store
        .create(record("old", now()).owned_by(owner("alice")))
        .await
        .expect("room");
    run(
        &mut blocker,
        "BEGIN; SELECT 1 FROM portcullis_records WHERE id = 'old' FOR UPDATE",
    )
    .await;
    let revocation = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .revoke_before(KIND, &owner("alice"), now().saturating_add(HOUR))
                .await
        }
    });
    until_waiting(&mut observer, "transactionid", 1).await;
    let creations = ["alice", "bob"].map(|name| {
        let (store, new) = (store.clone(), record(name, now()).owned_by(owner(name)));
        tokio::spawn(async move { store.create(new).await.map_err(|error| error.kind()) })
    });
    until_waiting(&mut observer, "advisory", 1).await;
    let [hers, his] = creations;
    assert!(
        his.await.expect("no panic").is_ok(),
        "another owner's does not wait"
    );
    run(&mut blocker, "ROLLBACK").await;

    assert_eq!(hers.await.expect("no panic"), Err(StoreErrorKind::Revoked));
    assert_eq!(revocation.await.expect("no panic").expect("it answers"), 1);
}

/// Dead is dead, however long somebody waited for the row.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_expires_while_a_save_waits_for_its_row_is_not_brought_back() {
    let Some(server) = Server::start() else { return };
    let store = store(&server).await;
    let (mut blocker, mut observer) = (session(&server).await, session(&server).await);
    for (name, life) in [("brief", Duration::from_secs(2)), ("lasting", HOUR)] {
        let new = NewRecord::new(key(name), payload("x"), now().saturating_add(life)).limit(far());
        let version = store.create(new).await.expect("room");
        run(&mut blocker, "BEGIN; SELECT 1 FROM portcullis_records FOR UPDATE").await;
        let touch = tokio::spawn({
            let store = store.clone();
            async move { store.touch(&key(name), far()).await.map_err(|error| error.kind()) }
        });
        until_waiting(&mut observer, "transactionid", 1).await;
        let save = tokio::spawn({
            let store = store.clone();
            async move {
                store
                    .replace(&key(name), version, replacement("y").extend_to(far()))
                    .await
            }
        });
        until_waiting(&mut observer, "tuple", 1).await;
        run(&mut observer, "SELECT pg_sleep(2)").await;
        // The row is written by the blocker as well: whoever waited has to look at it again.
        run(
            &mut blocker,
            "UPDATE portcullis_records SET limit_at = limit_at; COMMIT",
        )
        .await;

        let (touched, saved) = (touch.await.expect("no panic"), save.await.expect("no panic"));
        if life == HOUR {
            assert!(touched.is_ok() && saved.is_ok(), "{touched:?} {saved:?}");
        } else {
            assert_eq!(touched, Err(StoreErrorKind::NotFound));
            assert_eq!(saved.expect_err("dead").kind(), StoreErrorKind::NotFound);
            assert!(store.load(&key(name)).await.expect("it answers").is_none());
        }
    }
}

fn far() -> Timestamp {
    now().saturating_add(HOUR * 2)
}

/// A number is given out before its transaction commits. Whoever reads meanwhile reads it later.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_that_commits_late_is_not_skipped_and_holds_nobody_up() {
    let Some(server) = Server::start() else { return };
    let store = store(&server).await;
    let mut position = store.end().await.expect("it answers");
    let (mut one, mut two) = (session(&server).await, session(&server).await);
    run(
        &mut one,
        "BEGIN; INSERT INTO portcullis_changes (kind, id) VALUES ('session', 'first')",
    )
    .await;
    run(
        &mut two,
        "BEGIN; INSERT INTO portcullis_changes (kind, id) VALUES ('session', 'second')",
    )
    .await;
    store
        .delete_owned_by(KIND, &owner("alice"))
        .await
        .expect("it answers");
    assert_eq!(read_all(&store, &mut position).await, [owner_change("alice")]);

    run(&mut two, "COMMIT").await;
    assert_eq!(read_all(&store, &mut position).await, [record_change("second")]);
    assert_eq!(read_all(&store, &mut position).await, []);
    run(&mut one, "COMMIT").await;
    assert_eq!(read_all(&store, &mut position).await, [record_change("first")]);
    assert_eq!(read_all(&store, &mut position).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_that_commits_between_the_parts_of_a_long_log_is_not_skipped_and_none_is_read_twice() {
    let Some(server) = Server::start() else { return };
    let store = store(&server).await;
    let start = store.end().await.expect("it answers");
    let (mut one, mut two) = (session(&server).await, session(&server).await);
    run(
        &mut one,
        "BEGIN; INSERT INTO portcullis_changes (kind, id) VALUES ('session', 'first')",
    )
    .await;
    let many = "INSERT INTO portcullis_changes (kind, id) \
         SELECT 'session', convert_to(n::text, 'UTF8') FROM generate_series(1, 2500) AS n";
    run(&mut two, many).await;
    let part = store
        .read(&start)
        .await
        .expect("it answers")
        .expect("the same log");
    assert!(part.more() && part.changes().len() == 1_000);
    run(&mut one, "COMMIT").await;
    store
        .delete_owned_by(KIND, &owner("alice"))
        .await
        .expect("it answers");

    let mut changes = part.changes().to_vec();
    let mut position = part.position().clone();
    changes.extend(read_all(&store, &mut position).await);
    let mut expected: Vec<_> = (1..=2_500).map(|n| record_change(&n.to_string())).collect();
    expected.extend([record_change("first"), owner_change("alice")]);
    assert_eq!(changes, expected);
    assert_eq!(read_all(&store, &mut position).await, []);
}

/// As [`what_expires_while_a_save_waits_for_its_row_is_not_brought_back`], and the row is as it was: whoever held it has
/// changed nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_expires_while_a_save_waits_for_a_row_that_stays_as_it_was_is_not_brought_back() {
    let Some(server) = Server::start() else { return };
    let store = store(&server).await;
    let (mut blocker, mut observer) = (session(&server).await, session(&server).await);
    for (name, life) in [("brief", Duration::from_secs(2)), ("lasting", HOUR)] {
        for saved in [false, true] {
            let key = key(&format!("{name} {saved}"));
            let new = NewRecord::new(key.clone(), payload("x"), now().saturating_add(life)).limit(far());
            let version = store.create(new).await.expect("room");
            run(&mut blocker, "BEGIN; SELECT 1 FROM portcullis_records FOR UPDATE").await;
            let waiting = tokio::spawn({
                let (store, key) = (store.clone(), key.clone());
                async move {
                    let answer = if saved {
                        let with = replacement("y").extend_to(far());
                        store.replace(&key, version, with).await.map(drop)
                    } else {
                        store.touch(&key, far()).await.map(drop)
                    };
                    answer.map_err(|error| error.kind())
                }
            });
            until_waiting(&mut observer, "transactionid", 1).await;
            run(&mut observer, "SELECT pg_sleep(2)").await;
            run(&mut blocker, "ROLLBACK").await;
            let expected = if life == HOUR {
                Ok(())
            } else {
                Err(StoreErrorKind::NotFound)
            };
            assert_eq!(waiting.await.expect("no panic"), expected, "{key:?} {saved}");
            let found = store.load(&key).await.expect("it answers");
            assert_eq!(found.is_some(), life == HOUR, "{key:?} {saved}");
        }
    }
}

/// The save came first, the creation has waited for it with its version in hand, and the record has expired meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_creation_that_waited_for_a_save_has_the_later_version() {
    let Some(server) = Server::start() else { return };
    let store = store(&server).await;
    let (mut blocker, mut observer) = (session(&server).await, session(&server).await);
    let soon = now().saturating_add(Duration::from_secs(2));
    let new = NewRecord::new(key("one"), payload("x"), soon);
    let first = store.create(new).await.expect("room");
    run(&mut blocker, "BEGIN; SELECT 1 FROM portcullis_records FOR UPDATE").await;
    let creation = tokio::spawn({
        let store = store.clone();
        async move { store.create(record("one", now())).await }
    });
    until_waiting(&mut observer, "transactionid", 1).await;
    let save = "UPDATE portcullis_records SET version = nextval('portcullis_versions') RETURNING version";
    let (saved,): (i64,) = sqlx::query_as(save)
        .fetch_one(&mut blocker)
        .await
        .expect("a number");
    run(&mut observer, "SELECT pg_sleep(2)").await;
    run(&mut blocker, "COMMIT").await;
    let created = creation.await.expect("no panic").expect("it has expired");
    let saved = Version::new(saved.unsigned_abs());
    assert!(
        first < saved && saved < created,
        "{first:?} {saved:?} {created:?}"
    );
    let found = store
        .load(&key("one"))
        .await
        .expect("it answers")
        .expect("it lives");
    assert_eq!(found.version(), created);
}
