//! The log of a file.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::pin::pin;
use std::time::Duration;

use portcullis_core::Clock;
use portcullis_sqlx::SqliteStore;
use portcullis_store::RecordStore;
use portcullis_store::changes::{ChangeLog, LogPosition};
use portcullis_test::ManualClock;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use crate::folder::Folder;
use crate::records::{HOUR, KIND, key, owner, owner_change, read_all, record, record_change, replacement};

#[path = "support/folder.rs"]
mod folder;
#[path = "support/records.rs"]
mod records;

const LONG: Duration = Duration::from_secs(600);

async fn opened(folder: &Folder, clock: &ManualClock) -> SqliteStore {
    let builder = SqliteStore::builder()
        .clock(clock.clone())
        .keep_changes(HOUR, 2_000);
    builder.open(folder.file()).await.expect("it opens")
}

#[tokio::test]
async fn every_change_is_in_the_log_in_order_and_nothing_else_is() {
    let folder = Folder::new();
    let clock = ManualClock::at(1_800_000_000);
    let (one, two) = (opened(&folder, &clock).await, opened(&folder, &clock).await);
    let mut position = two.end().await.expect("it answers");
    let alice = owner("alice");

    let version = one.create(record("anonymous", clock.now())).await.expect("room");
    one.create(record("hers", clock.now()).owned_by(alice.clone()))
        .await
        .expect("room");
    one.touch(&key("anonymous"), clock.now().saturating_add(HOUR))
        .await
        .expect("it lives");
    one.replace(&key("anonymous"), version, replacement("x"))
        .await
        .expect("it lives");
    let refused = one.replace(&key("anonymous"), version, replacement("y")).await;
    assert!(refused.is_err());
    assert!(one.take(&key("anonymous")).await.expect("it answers").is_some());
    assert!(!one.delete(&key("anonymous")).await.expect("it answers"));
    assert!(one.delete(&key("hers")).await.expect("it answers"));
    one.delete_owned_by(KIND, &alice).await.expect("it answers");
    one.revoke_before(KIND, &alice, clock.now())
        .await
        .expect("it answers");

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
    assert_eq!(position, two.end().await.expect("it answers"));
}

#[tokio::test]
async fn a_long_log_is_read_in_parts_and_nothing_is_read_twice() {
    let folder = Folder::new();
    let clock = ManualClock::at(1_800_000_000);
    let store = opened(&folder, &clock).await;
    let mut position = store.end().await.expect("it answers");
    let mut expected = Vec::new();
    for number in 0..1_100 {
        store
            .delete_owned_by(KIND, &owner(&format!("{number}")))
            .await
            .expect("it answers");
        expected.push(owner_change(&format!("{number}")));
    }
    let part = store
        .read(&position)
        .await
        .expect("it answers")
        .expect("the same log");
    assert!(part.more() && part.changes().len() == 1_000);
    assert_eq!(read_all(&store, &mut position).await, expected);
}

#[tokio::test]
async fn a_log_that_was_trimmed_beyond_a_place_or_is_another_one_says_so() {
    let folder = Folder::new();
    let clock = ManualClock::at(1_800_000_000);
    let store = opened(&folder, &clock).await;
    let before = store.end().await.expect("it answers");
    store
        .delete_owned_by(KIND, &owner("alice"))
        .await
        .expect("it answers");
    let after = store.end().await.expect("it answers");
    store.sweep().await.expect("it answers");
    assert!(
        store.read(&before).await.expect("it answers").is_some(),
        "it is young"
    );

    clock.advance(HOUR + HOUR);
    store.sweep().await.expect("it answers");
    assert!(
        store.read(&before).await.expect("it answers").is_none(),
        "it was trimmed"
    );
    assert!(store.read(&after).await.expect("it answers").is_some());

    let elsewhere = Folder::new();
    let other = opened(&elsewhere, &clock).await;
    assert!(
        other.read(&after).await.expect("it answers").is_none(),
        "another file"
    );
    let foreign = LogPosition::new(*b"no place of ours");
    assert!(store.read(&foreign).await.expect("it answers").is_none());
}

/// A file that was put back from a backup ends before what was read.
#[tokio::test]
async fn a_log_that_ends_before_a_place_says_so() {
    let folder = Folder::new();
    let clock = ManualClock::at(1_800_000_000);
    let store = opened(&folder, &clock).await;
    store
        .delete_owned_by(KIND, &owner("alice"))
        .await
        .expect("it answers");
    let place = store.end().await.expect("it answers");
    let options = SqliteConnectOptions::new().filename(folder.file());
    let mut other = SqliteConnection::connect_with(&options).await.expect("it opens");
    let back = "DELETE FROM portcullis_changes; UPDATE sqlite_sequence SET seq = 0";
    sqlx::raw_sql(back).execute(&mut other).await.expect("ours");
    assert!(store.read(&place).await.expect("it answers").is_none());
}

#[tokio::test]
async fn the_latest_changes_are_kept_and_no_more() {
    let folder = Folder::new();
    let clock = ManualClock::at(1_800_000_000);
    let builder = SqliteStore::builder().clock(clock.clone()).keep_changes(HOUR, 2);
    let store = builder.open(folder.file()).await.expect("it opens");
    let mut places = Vec::new();
    for name in ["one", "two", "three"] {
        places.push(store.end().await.expect("it answers"));
        store
            .delete_owned_by(KIND, &owner(name))
            .await
            .expect("it answers");
    }
    store.sweep().await.expect("it answers");
    assert!(store.read(&places[0]).await.expect("it answers").is_none());
    let kept = read_all(&store, &mut places[1]).await;
    assert_eq!(kept, [owner_change("two"), owner_change("three")]);
}

#[tokio::test]
async fn a_change_of_the_same_store_wakes_who_waits_and_no_change_waits_the_time_out() {
    let folder = Folder::new();
    let clock = ManualClock::at(1_800_000_000);
    let store = opened(&folder, &clock).await;
    let place = store.end().await.expect("it answers");
    store.read(&place).await.expect("it answers");
    store.wait(Duration::from_millis(1)).await;

    // One that came before the wait, and one that comes during it.
    store
        .delete_owned_by(KIND, &owner("alice"))
        .await
        .expect("it answers");
    store.wait(LONG).await;
    store.read(&place).await.expect("it answers");
    let mut waiting = pin!(store.wait(LONG));
    let pending =
        std::future::poll_fn(|context| std::task::Poll::Ready(waiting.as_mut().poll(context).is_pending()));
    assert!(pending.await);
    store
        .delete_owned_by(KIND, &owner("alice"))
        .await
        .expect("it answers");
    waiting.await;
}

/// However many were written since the last sweep.
#[tokio::test]
async fn a_sweep_leaves_no_more_of_a_long_log_than_is_to_be_kept() {
    let folder = Folder::new();
    let builder = SqliteStore::builder().keep_changes(HOUR, 2);
    let store = builder.open(folder.file()).await.expect("it opens");
    let path = folder.file();
    let mut link = SqliteConnection::connect(path.to_str().expect("text"))
        .await
        .expect("it opens");
    let many = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 25000) \
         INSERT INTO portcullis_changes (kind, id, changed_at) SELECT 'session', x'01', 9999999999999 FROM n";
    sqlx::raw_sql(many).execute(&mut link).await.expect("room");
    store.sweep().await.expect("it answers");
    let (left,): (i64,) = sqlx::query_as("SELECT count(*) FROM portcullis_changes")
        .fetch_one(&mut link)
        .await
        .expect("a number");
    assert_eq!(left, 2);
}
