//! What goes wrong with a file, and what a store makes of it.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use portcullis_core::Clock;
use portcullis_sqlx::SqliteStore;
use portcullis_store::{NewRecord, RecordStore, StoreError, StoreErrorKind};
use portcullis_test::ManualClock;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{Connection, SqliteConnection};

use crate::folder::Folder;
use crate::records::{HOUR, KIND, key, now, owner, payload, record, replacement};

#[path = "support/folder.rs"]
mod folder;
#[path = "support/records.rs"]
mod records;

const SHORT: Duration = Duration::from_millis(100);

async fn other(folder: &Folder) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.file());
    SqliteConnection::connect_with(&options).await.expect("it opens")
}

async fn begin(other: &mut SqliteConnection) {
    sqlx::raw_sql("BEGIN EXCLUSIVE")
        .execute(other)
        .await
        .expect("it is free");
}

async fn end(other: &mut SqliteConnection) {
    sqlx::raw_sql("ROLLBACK").execute(other).await.expect("it ends");
}

fn one_connection(options: SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(options)
}

fn assert_unavailable<T: std::fmt::Debug>(answer: Result<T, StoreError>, said: &str) {
    let error = answer.expect_err("an outage");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains(said), "{error}");
}

#[tokio::test]
async fn a_locked_file_is_told_in_time_and_read_meanwhile_and_written_afterwards() {
    let folder = Folder::new();
    let store = SqliteStore::builder()
        .wait_at_most(SHORT)
        .open(folder.file())
        .await
        .expect("it opens");
    let version = store.create(record("one", now())).await.expect("room");
    let mut other = other(&folder).await;
    begin(&mut other).await;

    let far = now().saturating_add(HOUR);
    assert_unavailable(
        store.create(record("two", now())).await,
        "create: the database is locked",
    );
    assert_unavailable(
        store.replace(&key("one"), version, replacement("x")).await,
        "locked",
    );
    assert_unavailable(store.touch(&key("one"), far).await, "locked");
    assert_unavailable(store.take(&key("one")).await, "locked");
    assert_unavailable(store.delete(&key("one")).await, "locked");
    assert_unavailable(store.delete_owned_by(KIND, &owner("alice")).await, "locked");
    assert_unavailable(store.revoke_before(KIND, &owner("alice"), now()).await, "locked");
    assert_unavailable(store.sweep().await, "locked");
    assert!(store.load(&key("one")).await.expect("it can be read").is_some());

    end(&mut other).await;
    assert!(store.take(&key("one")).await.expect("it is free").is_some());
}

/// Dead is dead, however long somebody waited for the lock.
#[tokio::test]
async fn what_expires_while_a_save_waits_for_the_lock_is_not_brought_back() {
    let folder = Folder::new();
    let clock = ManualClock::at(1_800_000_000);
    let builder = SqliteStore::builder().clock(clock.clone());
    let store = builder.open(folder.file()).await.expect("it opens");
    for passing in [Duration::ZERO, HOUR] {
        let name = format!("{passing:?}");
        let soon = clock.now().saturating_add(HOUR);
        let brief = NewRecord::new(key(&name), payload("x"), soon).limit(soon.saturating_add(HOUR));
        let version = store.create(brief).await.expect("room");
        let mut other = other(&folder).await;
        begin(&mut other).await;

        let with = replacement("y").extend_to(soon.saturating_add(HOUR));
        let (key, mut saved) = (key(&name), None);
        let mut save = pin!(store.replace(&key, version, with));
        // It is under way, and cannot get on.
        poll_fn(|context| {
            assert!(save.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        clock.advance(passing);
        end(&mut other).await;
        saved.get_or_insert(save.await.map_err(|error| error.kind()).map(|_| ()));
        let expected = if passing.is_zero() {
            Ok(())
        } else {
            Err(StoreErrorKind::NotFound)
        };
        assert_eq!(saved, Some(expected));
    }
}

#[tokio::test]
async fn a_full_disk_refuses_what_is_new_and_keeps_what_is_there() {
    let folder = Folder::new();
    let migrated = SqliteStore::open(folder.file()).await.expect("it opens");
    migrated.close().await;
    let full = SqliteConnectOptions::new()
        .filename(folder.file())
        .pragma("max_page_count", "40");
    let store = SqliteStore::builder().over(one_connection(full));
    let version = store.create(record("one", now())).await.expect("room");

    let mut refused = None;
    for number in 0..100 {
        let large = portcullis_store::Payload::new(vec![7; 16 * 1024]).expect("a payload");
        let new = NewRecord::new(key(&format!("large {number}")), large, now().saturating_add(HOUR));
        if let Err(error) = store.create(new).await {
            refused = Some((number, error));
            break;
        }
    }
    let (number, error) = refused.expect("it is full");
    assert_eq!(error.kind(), StoreErrorKind::Full);
    let absent = store.load(&key(&format!("large {number}"))).await;
    assert!(
        absent.expect("it answers").is_none(),
        "what was refused is not there"
    );

    let found = store
        .load(&key("one"))
        .await
        .expect("it answers")
        .expect("it lives");
    assert_eq!(found.version(), version);
    let gone = store.delete(&key("large 0")).await.expect("room can be made");
    assert!(gone);
    store
        .create(record("two", now()))
        .await
        .expect("there is room again");
}

/// A request that its client gave up.
#[tokio::test]
async fn a_call_that_is_dropped_in_the_middle_disturbs_no_other() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.expect("it opens");
    for polls in 1..40 {
        let new = record(&format!("dropped {polls}"), now()).owned_by(owner("alice"));
        records::poll_and_drop(store.create(new), polls).await;
        let name = format!("whole {polls}");
        store.create(record(&name, now())).await.expect("it is free");
        assert!(store.take(&key(&name)).await.expect("it answers").is_some());
    }
}

#[tokio::test]
async fn a_file_that_can_only_be_read_is_read() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.expect("it opens");
    store.create(record("one", now())).await.expect("room");
    let read_only = SqliteConnectOptions::new()
        .filename(folder.file())
        .read_only(true);
    let reader = SqliteStore::builder().over(one_connection(read_only));

    assert!(reader.load(&key("one")).await.expect("it can be read").is_some());
    assert_unavailable(reader.create(record("two", now())).await, "can only be read");
    assert_unavailable(reader.take(&key("one")).await, "can only be read");
    assert!(
        store
            .take(&key("one"))
            .await
            .expect("it can be written here")
            .is_some()
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_and_left_as_it_is() {
    let folder = Folder::new();
    let text = "no database, but somebody's letters".repeat(100);
    std::fs::write(folder.file(), &text).expect("a file");
    assert_unavailable(
        SqliteStore::open(folder.file()).await,
        "the file is damaged, or no database",
    );
    assert_eq!(std::fs::read_to_string(folder.file()).expect("it is there"), text);
}

#[tokio::test]
async fn without_tables_nothing_is_said_to_be_absent() {
    let folder = Folder::new();
    let empty = SqliteConnectOptions::new()
        .filename(folder.file())
        .create_if_missing(true);
    let store = SqliteStore::builder().over(one_connection(empty));
    assert_unavailable(store.load(&key("one")).await, "load");
    store.migrate().await.expect("it can be written");
    assert!(store.load(&key("one")).await.expect("it has tables").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_open_and_migrate_one_new_file_at_once() {
    let folder = Folder::new();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let builder = SqliteStore::builder().wait_at_most(Duration::from_secs(10));
        tasks.spawn(builder.open(folder.file()));
    }
    for opened in tasks.join_all().await {
        let store = opened.expect("it opens");
        store.migrate().await.expect("again");
        store.load(&key("one")).await.expect("it has tables");
    }
    let mut other = other(&folder).await;
    let count = sqlx::query_as("SELECT count(*) FROM portcullis_migrations");
    let (migrations,): (i64,) = count.fetch_one(&mut other).await.expect("it answers");
    assert_eq!(migrations, 1);
}

/// Whoever reads the file reads everything.
#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_its_owner_s_alone_and_an_old_one_stays_as_it_was() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let store = SqliteStore::open(folder.file()).await.expect("it opens");
    store.create(record("one", now())).await.expect("room");
    assert_eq!(mode(&folder.file()), 0o600);
    assert_eq!(mode(&folder.file().with_extension("db-wal")), 0o600);
    store.close().await;

    std::fs::set_permissions(folder.file(), PermissionsExt::from_mode(0o640)).expect("ours");
    SqliteStore::open(folder.file()).await.expect("it opens");
    assert_eq!(mode(&folder.file()), 0o640);
}

#[tokio::test]
async fn nothing_that_is_kept_is_shown_in_errors_or_debug() {
    let folder = Folder::new();
    let store = SqliteStore::builder()
        .wait_at_most(SHORT)
        .open(folder.file())
        .await
        .expect("it opens");
    let secret = record("correct-horse", now()).owned_by(owner("battery-staple"));
    store.create(secret.clone()).await.expect("room");
    let mut shown = format!("{store:?} {:?}", store.create(secret.clone()).await);
    let mut other = other(&folder).await;
    begin(&mut other).await;
    shown += &format!("{:?}", store.create(secret).await);
    shown += &format!(
        "{:?}",
        store.delete_owned_by(KIND, &owner("battery-staple")).await
    );
    end(&mut other).await;
    sqlx::raw_sql("DROP TABLE portcullis_changes")
        .execute(&mut other)
        .await
        .expect("ours");
    shown += &format!("{:?}", store.delete(&key("correct-horse")).await);
    for kept in ["correct-horse", "battery-staple", "hunter2"] {
        assert!(!shown.contains(kept), "{shown}");
    }
    assert!(shown.contains("locked") && shown.contains("Present"), "{shown}");
}
