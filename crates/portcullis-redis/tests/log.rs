//! The log of changes on a real server: what it says after a gap, a flush, a reconnect, and across instances.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // Helpers of tests panic as tests do.

use std::time::{Duration, Instant};

use portcullis_redis::RedisStore;
use portcullis_store::RecordStore;
use portcullis_store::changes::{Change, ChangeLog, LogPosition};

use crate::records::{key, record};
use crate::server::Server;

#[path = "support/records.rs"]
#[allow(dead_code)]
mod records;
#[path = "support/server.rs"]
mod server;

const STREAM: &str = "{portcullis:0}:log";

fn ids(changes: &[Change]) -> Vec<String> {
    let id = |change: &Change| match change {
        Change::Record { id, .. } => String::from_utf8_lossy(id).into_owned(),
        other => format!("{other:?}"),
    };
    changes.iter().map(id).collect()
}

/// What follows, as far as one reading goes; `None` when the log does not reach back.
async fn heard(log: &RedisStore, after: &LogPosition) -> Option<Vec<String>> {
    let batch = log.read(after).await.expect("an answer")?;
    Some(ids(batch.changes()))
}

async fn create(store: &RedisStore, server: &Server, names: &[&str]) {
    for name in names {
        store.create(record(name, server.now())).await.expect("created");
    }
}

#[tokio::test]
async fn changes_are_read_in_order_and_a_gap_is_noticed() {
    let Some(server) = Server::start(&[]) else { return };
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    let start = store.end().await.expect("an end");
    create(&store, &server, &["one", "two", "three"]).await;
    assert_eq!(
        heard(&store, &start).await.expect("whole"),
        ["one", "two", "three"]
    );

    let third = store.end().await.expect("an end");
    create(&store, &server, &["four", "five"]).await;
    let _: u64 = server.ask(&["XTRIM", STREAM, "MAXLEN", "3"]);
    assert_eq!(heard(&store, &third).await.expect("whole"), ["four", "five"]);
    assert_eq!(heard(&store, &start).await, None, "trimmed");
    let _: u64 = server.ask(&["XTRIM", STREAM, "MAXLEN", "2"]);
    assert_eq!(heard(&store, &third).await, None, "its own entry is gone");
    let _: u64 = server.ask(&["XDEL", STREAM, "5-0"]);
    let fourth = store.end().await.expect("an end");
    assert_eq!(heard(&store, &fourth).await.expect("nothing follows"), [""; 0]);
}

#[tokio::test]
async fn an_entry_that_is_missing_in_the_middle_is_noticed() {
    let Some(server) = Server::start(&[]) else { return };
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    let start = store.end().await.expect("an end");
    create(&store, &server, &["one", "two", "three"]).await;
    assert!(heard(&store, &start).await.is_some());
    let _: u64 = server.ask(&["XDEL", STREAM, "2-0"]);
    assert_eq!(heard(&store, &start).await, None);
}

#[tokio::test]
async fn another_log_is_noticed_whether_it_is_shorter_or_longer() {
    let Some(server) = Server::start(&[]) else { return };
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    create(&store, &server, &["one", "two"]).await;
    let end = store.end().await.expect("an end");
    assert_eq!(heard(&store, &end).await.expect("the same log"), [""; 0]);
    let _: String = server.ask(&["FLUSHALL"]);
    assert_eq!(heard(&store, &end).await, None, "empty");
    create(&store, &server, &["three", "four", "five"]).await;
    assert_eq!(heard(&store, &end).await, None, "longer");
    let other = RedisStore::builder()
        .prefix("other")
        .connect(&server.url())
        .await
        .expect("it connects");
    assert_eq!(heard(&other, &end).await, None, "of another store");
    let end = store.end().await.expect("an end");
    create(&store, &server, &["six"]).await;
    assert_eq!(heard(&store, &end).await.expect("the new log"), ["six"]);
}

/// What a failover does that lost the last entry: the same number comes again, for another change.
#[tokio::test]
async fn an_entry_that_was_replaced_by_another_of_its_number_is_noticed() {
    let Some(server) = Server::start(&[]) else { return };
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    create(&store, &server, &["one"]).await;
    let kept = store.end().await.expect("an end");
    create(&store, &server, &["lost"]).await;
    let lost = store.end().await.expect("an end");
    let (_, stamp): (String, String) = {
        let text = String::from_utf8(kept.as_bytes().to_vec()).expect("text");
        let (rest, stamp) = text.rsplit_once(':').expect("a stamp");
        (rest.to_owned(), stamp.to_owned())
    };
    let _: u64 = server.ask(&["DEL", STREAM]);
    let fields = ["s", &stamp, "t", "r", "k", "session", "i", "one"];
    let _: String = server.ask(&[&["XADD", STREAM, "1-0"][..], &fields[..]].concat());
    let _: u64 = server.ask(&["HSET", "{portcullis:0}", "n", "1", "s", &stamp]);
    assert_eq!(heard(&store, &lost).await, None, "ahead of the log");
    create(&store, &server, &["two"]).await;
    assert_eq!(heard(&store, &lost).await, None, "the same number, another entry");
    create(&store, &server, &["three"]).await;
    assert_eq!(heard(&store, &lost).await, None, "and so for what follows");
    assert_eq!(heard(&store, &kept).await.expect("whole"), ["two", "three"]);
}

#[tokio::test]
async fn more_than_one_reading_hands_out_everything_in_order() {
    let Some(server) = Server::start(&[]) else { return };
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    let mut position = store.end().await.expect("an end");
    let names: Vec<String> = (0..2_500).map(|number| number.to_string()).collect();
    let now = server.now();
    for name in &names {
        store.create(record(name, now)).await.expect("created");
    }
    let (mut all, mut more, mut readings) = (Vec::new(), true, 0);
    while more {
        let batch = store.read(&position).await.expect("an answer").expect("whole");
        all.extend(ids(batch.changes()));
        (position, more, readings) = (batch.position().clone(), batch.more(), readings + 1);
    }
    assert_eq!((all, readings), (names, 3));
}

/// T-REV-1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_on_one_instance_wakes_another_and_is_read_there_also_after_a_reconnect() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let builder = RedisStore::builder().buckets(4);
    let a = builder.clone().connect(&server.url()).await.expect("it connects");
    let b = builder.connect(&server.url()).await.expect("it connects");
    let long = Duration::from_secs(60);
    let mut position = b.end().await.expect("an end");
    for (round, name) in ["one", "two"].into_iter().enumerate() {
        // Until it listens: a wait before that may end early.
        let until = Instant::now() + Duration::from_secs(20);
        while server
            .ask::<(String, u64)>(&["PUBSUB", "NUMSUB", "portcullis:changes"])
            .1
            == 0
        {
            assert!(Instant::now() < until, "nobody listens");
            b.wait(Duration::from_millis(20)).await;
            let _ = b.read(&position).await;
        }
        let begun = Instant::now();
        let now = server.now();
        a.create(record(name, now)).await.expect("created");
        let heard = loop {
            b.wait(long).await;
            let batch = b.read(&position).await.expect("an answer").expect("whole");
            position = batch.position().clone();
            if !batch.changes().is_empty() {
                break ids(batch.changes());
            }
        };
        assert_eq!(heard, [name]);
        assert!(begun.elapsed() < Duration::from_secs(1), "woken, not waited out");
        if round == 0 {
            server.stop();
            let begun = Instant::now();
            b.wait(Duration::from_millis(100)).await;
            assert!(begun.elapsed() < Duration::from_secs(5), "a wait is bounded");
            assert!(b.read(&position).await.is_err(), "an outage");
            server.run();
            a.delete(&key("absent")).await.expect("it recovers");
        }
    }
}

/// Nobody had written anything, or only what is not entered: the number and the stamp are the same afterwards.
#[tokio::test]
async fn a_flush_is_noticed_also_from_the_beginning_of_the_log_and_by_whoever_begins_it_anew() {
    let Some(server) = Server::start(&[]) else { return };
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    let start = store.end().await.expect("an end");
    assert_eq!(heard(&store, &start).await.expect("the same log"), [""; 0]);
    let _: String = server.ask(&["FLUSHALL"]);
    let anew = store.end().await.expect("an end");
    assert_eq!(heard(&store, &start).await, None, "another log");
    create(&store, &server, &["one"]).await;
    assert_eq!(heard(&store, &start).await, None, "also when it goes on");
    assert_eq!(heard(&store, &anew).await.expect("the same log"), ["one"]);
}

/// A follower that cannot read waits before it tries again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_while_the_server_is_away_does_not_try_again_at_once() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    let position = store.end().await.expect("an end");
    store.wait(Duration::from_millis(100)).await;
    server.stop();
    let (begun, mut tries) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(2) {
        assert!(store.read(&position).await.is_err(), "an outage");
        store.wait(Duration::from_millis(250)).await;
        tries += 1;
    }
    assert!(tries < 20, "{tries} in two seconds");
}

/// And a listener that cannot take note does not make it read over and over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wake_up_wakes_once_whether_something_was_read_or_not() {
    let Some(server) = Server::start(&[]) else { return };
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    store.wait(Duration::from_millis(100)).await;
    create(&store, &server, &["one"]).await;
    store.wait(Duration::from_millis(500)).await;
    let (begun, mut tries) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(1) {
        store.wait(Duration::from_millis(250)).await;
        tries += 1;
    }
    assert!(tries < 10, "{tries} in a second");
}
