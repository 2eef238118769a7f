//! What goes wrong with a server, and what a store makes of it; and what instances hear of each other.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use portcullis_sqlx::PostgresStore;
use portcullis_store::changes::{ChangeLog, LogPosition};
use portcullis_store::{RecordStore, StoreError, StoreErrorKind};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection};

use crate::postgres_server::Server;
use crate::records::{
    HOUR, KIND, key, now, owner, owner_change, read_all, record, record_change, replacement,
};

#[path = "support/postgres_server.rs"]
mod postgres_server;
#[path = "support/records.rs"]
mod records;

const SHORT: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(60);

async fn store(server: &Server) -> PostgresStore {
    PostgresStore::connect(&server.url()).await.expect("it connects")
}

async fn session(server: &Server) -> PgConnection {
    PgConnection::connect(&server.url()).await.expect("it connects")
}

async fn run(session: &mut PgConnection, statement: &'static str) {
    sqlx::raw_sql(statement).execute(session).await.expect(statement);
}

fn assert_unavailable<T: std::fmt::Debug>(answer: Result<T, StoreError>, said: &str) {
    let error = answer.expect_err("an outage");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains(said), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_connect_and_migrate_one_new_database_at_once() {
    let Some(server) = Server::start() else { return };
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let url = server.url();
        // Half of them in a schema of their own.
        let builder = PostgresStore::builder().connections(2).wait_at_most(LONG);
        let builder = if number % 2 == 0 {
            builder
        } else {
            builder.schema("auth_2")
        };
        tasks.spawn(async move { builder.connect(&url).await });
    }
    for connected in tasks.join_all().await {
        let store = connected.expect("it connects");
        store.migrate().await.expect("again");
        assert!(store.load(&key("one")).await.expect("it has tables").is_none());
    }
    let count = "SELECT (SELECT count(*) FROM public.portcullis_migrations) \
         + (SELECT count(*) FROM auth_2.portcullis_migrations)";
    let (migrations,): (i64,) = sqlx::query_as(count)
        .fetch_one(&mut session(&server).await)
        .await
        .expect("tables");
    assert_eq!(migrations, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_without_a_free_connection_and_a_statement_that_waits_are_told_in_time() {
    let Some(server) = Server::start() else { return };
    let builder = PostgresStore::builder().connections(1).wait_at_most(SHORT);
    let bounded = builder.connect(&server.url()).await.expect("it connects");
    let version = bounded.create(record("one", now())).await.expect("room");
    let mut blocker = session(&server).await;
    run(&mut blocker, "BEGIN; SELECT 1 FROM portcullis_records FOR UPDATE").await;
    let begun = Instant::now();
    assert_unavailable(
        bounded.take(&key("one")).await,
        "take: a statement took too long (code 57014)",
    );
    assert!(begun.elapsed() < SHORT * 6);
    assert!(bounded.load(&key("one")).await.expect("it can be read").is_some());
    run(&mut blocker, "ROLLBACK").await;
    bounded
        .replace(&key("one"), version, replacement("x"))
        .await
        .expect("it is free");

    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(SHORT);
    let pool = pool.connect(&server.url()).await.expect("it connects");
    let pooled = PostgresStore::builder().over(pool.clone());
    let taken = pool.acquire().await.expect("it is free");
    assert_unavailable(pooled.load(&key("one")).await, "load: no connection in time");
    drop(taken);
    assert!(pooled.load(&key("one")).await.expect("it is free").is_some());
}

/// Takes, saves and reads go on while the server goes away and comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_restarts_under_load_costs_outages_and_no_wrong_answer() {
    let Some(mut server) = Server::start() else { return };
    let builder = PostgresStore::builder().wait_at_most(SHORT);
    let store = builder.connect(&server.url()).await.expect("it connects");
    store.create(record("kept", now())).await.expect("room");
    let over = Arc::new(AtomicBool::new(false));
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let (store, over) = (store.clone(), Arc::clone(&over));
        workers.spawn(async move {
            let (mut done, mut outages) = (0_u32, 0_u32);
            for turn in 0.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                match one_turn(&store, &format!("{worker} {turn}")).await {
                    Ok(()) => done += 1,
                    Err(error) => {
                        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
                        outages += 1;
                    }
                }
            }
            (done, outages)
        });
    }
    let mut server = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            std::thread::sleep(SHORT);
            server.stop();
            std::thread::sleep(SHORT);
            server.run();
        }
        server
    })
    .await
    .expect("it is back");
    let until = Instant::now() + LONG;
    while let Err(error) = one_turn(&store, &format!("{:?}", Instant::now())).await {
        assert!(Instant::now() < until, "it does not recover: {error}");
    }
    over.store(true, Ordering::Relaxed);
    let counts = workers.join_all().await;
    let (done, outages) = counts
        .iter()
        .fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    eprintln!("{done} turns were done, {outages} met an outage");
    assert!(done > 0 && outages > 0);
    server.stop();
}

/// What lives is found, what was taken is gone: by one who is alone with his key.
async fn one_turn(store: &PostgresStore, name: &str) -> Result<(), StoreError> {
    assert!(
        store.load(&key("kept")).await?.is_some(),
        "absence is not said of what lives"
    );
    let version = store.create(record(name, now())).await?;
    store.replace(&key(name), version, replacement("x")).await?;
    let taken = store.take(&key(name)).await?;
    assert!(taken.is_some_and(|taken| taken.payload().as_bytes() == b"x"));
    assert!(store.load(&key(name)).await?.is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_on_one_instance_wakes_another_also_after_its_connections_were_lost() {
    let Some(server) = Server::start() else { return };
    let (one, two) = (store(&server).await, store(&server).await);
    let mut position = two.end().await.expect("it answers");
    for name in ["alice", "bob"] {
        // A read finds out that connections were lost, and is made again.
        one.load(&key("one")).await.expect("it answers");
        one.revoke_before(KIND, &owner(name), now())
            .await
            .expect("it answers");
        let begun = Instant::now();
        let mut heard = Vec::new();
        while heard.is_empty() {
            two.wait(LONG).await;
            heard = read_all(&two, &mut position).await;
        }
        assert_eq!(heard, [owner_change(name)]);
        assert!(begun.elapsed() < LONG / 2, "it was woken");
        // A reader that is listening by now, and waits when the change comes.
        let changed = tokio::spawn({
            let one = one.clone();
            async move { one.delete_owned_by(KIND, &owner("carol")).await }
        });
        let mut heard = Vec::new();
        while heard.is_empty() {
            two.wait(LONG).await;
            heard = read_all(&two, &mut position).await;
        }
        assert_eq!(heard, [owner_change("carol")]);
        assert!(begun.elapsed() < LONG / 2, "it was woken");
        changed.await.expect("no panic").expect("it answers");
        let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        run(&mut session(&server).await, all).await;
    }
}

/// A request that its client gave up.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_that_is_dropped_in_the_middle_disturbs_no_other() {
    let Some(server) = Server::start() else { return };
    let builder = PostgresStore::builder().connections(1);
    let store = builder.connect(&server.url()).await.expect("it connects");
    for polls in 1..40 {
        let new = record(&format!("dropped {polls}"), now()).owned_by(owner("alice"));
        records::poll_and_drop(store.create(new), polls).await;
        let name = format!("whole {polls}");
        store
            .create(record(&name, now()).owned_by(owner("alice")))
            .await
            .expect("it is free");
        assert!(store.take(&key(&name)).await.expect("it answers").is_some());
    }
}

/// More than one batch, beside what lives and what somebody holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sweep_drops_what_has_expired_and_passes_over_what_is_held() {
    let Some(server) = Server::start() else { return };
    let store = store(&server).await;
    store.create(record("lives", now())).await.expect("room");
    let mut blocker = session(&server).await;
    let dead = "INSERT INTO portcullis_records \
         SELECT 'session', convert_to(n::text, 'UTF8'), NULL, 0, 0, n, n, '' FROM generate_series(1, 2500) AS n";
    run(&mut blocker, dead).await;
    run(
        &mut blocker,
        "BEGIN; SELECT 1 FROM portcullis_records WHERE id = '7' FOR UPDATE",
    )
    .await;
    assert_eq!(store.sweep().await.expect("it does not wait"), 2_499);
    run(&mut blocker, "ROLLBACK").await;
    assert_eq!(store.sweep().await.expect("it answers"), 1);
    assert!(store.load(&key("lives")).await.expect("it answers").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_change_is_in_the_log_and_nothing_else_is() {
    let Some(server) = Server::start() else { return };
    let (one, two) = (store(&server).await, store(&server).await);
    let mut position = two.end().await.expect("it answers");
    let alice = owner("alice");

    let version = one.create(record("anonymous", now())).await.expect("room");
    one.create(record("hers", now()).owned_by(alice.clone()))
        .await
        .expect("room");
    one.touch(&key("anonymous"), now().saturating_add(HOUR))
        .await
        .expect("it lives");
    one.replace(&key("anonymous"), version, replacement("x"))
        .await
        .expect("it lives");
    assert!(
        one.replace(&key("anonymous"), version, replacement("y"))
            .await
            .is_err()
    );
    assert!(one.take(&key("anonymous")).await.expect("it answers").is_some());
    assert!(!one.delete(&key("anonymous")).await.expect("it answers"));
    assert!(one.delete(&key("hers")).await.expect("it answers"));
    one.delete_owned_by(KIND, &alice).await.expect("it answers");
    one.revoke_before(KIND, &alice, now()).await.expect("it answers");

    let expected = [
        record_change("hers"),
        record_change("anonymous"),
        record_change("anonymous"),
        record_change("hers"),
        owner_change("alice"),
        owner_change("alice"),
    ];
    assert_eq!(read_all(&two, &mut position).await, expected);
    assert_eq!(read_all(&two, &mut position).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_log_that_was_trimmed_or_is_another_one_says_so() {
    let Some(mut server) = Server::start() else { return };
    let builder = PostgresStore::builder().keep_changes(LONG, 2).wait_at_most(SHORT);
    let store = builder.connect(&server.url()).await.expect("it connects");
    let mut places = Vec::new();
    for name in ["one", "two", "three"] {
        places.push(store.end().await.expect("it answers"));
        store
            .delete_owned_by(KIND, &owner(name))
            .await
            .expect("it answers");
    }
    let end = store.end().await.expect("it answers");
    store.sweep().await.expect("it answers");
    assert!(
        store.read(&places[0]).await.expect("it answers").is_none(),
        "it was trimmed"
    );
    let kept = read_all(&store, &mut places[1]).await;
    assert_eq!(kept, [owner_change("two"), owner_change("three")]);
    assert!(
        store
            .read(&LogPosition::new(*b"foreign"))
            .await
            .expect("it answers")
            .is_none()
    );

    let session = &mut session(&server).await;
    run(session, "UPDATE portcullis_changes SET changed_at = 0").await;
    store.sweep().await.expect("it answers");
    assert!(
        store.read(&places[2]).await.expect("it answers").is_none(),
        "it was too old"
    );
    assert!(store.read(&end).await.expect("it answers").is_some());

    run(session, "UPDATE portcullis_log SET epoch = 'another'").await;
    assert!(
        store.read(&end).await.expect("it answers").is_none(),
        "another database"
    );
    let end = store.end().await.expect("it answers");
    assert!(store.read(&end).await.expect("it answers").is_some());
    server.stop();
    server.run();
    let mut read = store.read(&end).await;
    while read.is_err() {
        read = store.read(&end).await;
    }
    assert!(read.expect("it answers").is_none(), "another server process");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_that_is_kept_and_no_password_is_shown_in_errors_or_debug() {
    let Some(mut server) = Server::start() else { return };
    let url = server.url().replace("postgres@", "postgres:open-sesame@");
    let builder = PostgresStore::builder().wait_at_most(SHORT);
    let store = builder.clone().connect(&url).await.expect("it connects");
    let secret = record("correct-horse", now()).owned_by(owner("battery-staple"));
    store.create(secret.clone()).await.expect("room");
    let mut shown = format!("{store:?} {:?}", store.create(secret.clone()).await);
    let check = "ALTER TABLE portcullis_records ADD CHECK (version < 0) NOT VALID";
    run(&mut session(&server).await, check).await;
    // The server's own error quotes the row.
    let touched = store
        .touch(&key("correct-horse"), now().saturating_add(HOUR))
        .await;
    shown += &format!("{touched:?}");
    server.stop();
    shown += &format!(
        "{:?} {:?}",
        store.create(secret).await,
        builder.clone().connect(&url).await
    );
    for wrong in [
        "postgres://u:open-sesame@[",
        "postgres://u:open-sesame@h:port/",
        "open-sesame",
    ] {
        shown += &format!("{:?}", builder.clone().connect(wrong).await);
    }
    for kept in ["correct-horse", "battery-staple", "hunter2", "open-sesame"] {
        assert!(!shown.contains(kept), "{shown}");
    }
    assert!(shown.contains("23514") && shown.contains("Present"), "{shown}");
}
