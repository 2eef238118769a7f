//! What goes wrong on the way to the server is told as an outage, and tells nothing else.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // Helpers of tests panic as tests do.

use std::error::Error;
use std::time::{Duration, Instant};

use portcullis_core::Timestamp;
use portcullis_redis::RedisStore;
use portcullis_store::changes::ChangeLog;
use portcullis_store::{NewRecord, RecordStore, StoreError, StoreErrorKind};
use tokio::task::JoinSet;

use crate::fake::fake;
use crate::records::{KIND, alice, key, payload, record, verbs};
use crate::server::Server;

#[path = "support/fake.rs"]
mod fake;
#[path = "support/records.rs"]
mod records;
#[path = "support/server.rs"]
mod server;

const SHORT: Duration = Duration::from_millis(300);

/// Everything that an error says, to whoever looks.
fn said(error: &StoreError) -> String {
    let source = error.source().map(|source| format!("{source} {source:?}"));
    format!("{error} {error:?} {error:#?} {source:?}")
}

async fn store(url: &str) -> RedisStore {
    let builder = RedisStore::builder().connect_timeout(SHORT).answer_timeout(SHORT);
    builder.connect(url).await.expect("it connects")
}

#[tokio::test]
async fn whatever_a_server_says_instead_of_an_answer_is_an_outage_and_is_not_repeated() {
    let replies = [
        ("-LOADING Redis is loading hunter2\r\n", "LOADING"),
        ("-READONLY hunter2\r\n", "READONLY"),
        ("-CLUSTERDOWN hunter2\r\n", "CLUSTERDOWN"),
        ("-MOVED 1 nonsense-hunter2\r\n", "MOVED"),
        ("-NOSCRIPT hunter2\r\n", "NOSCRIPT"),
        ("-NOPERM hunter2\r\n", "NOPERM"),
        ("-ERR hunter2\r\n", "refused"),
        (":7\r\n", "cannot be read"),
        ("$-1\r\n", "cannot be read"),
        ("*1\r\n$7\r\nhunter2\r\n", "cannot be read"),
        ("*2\r\n$2\r\nok\r\n:7\r\n", "cannot be read"),
        ("hunter2\r\n", ""),
        ("", "no answer in time"),
    ];
    for (reply, word) in replies {
        let store = store(&fake(reply).await).await;
        let begun = Instant::now();
        let mut answers = verbs(&store, "id-hunter2").await;
        answers.push(("end", store.end().await.map(drop)));
        for (verb, answer) in answers {
            let error = answer.expect_err("an outage");
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{verb}: {reply}");
            assert!(error.to_string().contains(word), "{verb}: {reply}: {error}");
            assert!(!said(&error).contains("hunter2"), "{verb}: {reply}: {error:?}");
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "waiting is bounded: {reply}"
        );
    }
}

#[tokio::test]
async fn full_memory_is_full_for_what_needs_room_and_an_outage_for_the_rest() {
    let store = store(&fake("-OOM command not allowed, hunter2\r\n").await).await;
    for (verb, answer) in verbs(&store, "id-hunter2").await {
        let error = answer.expect_err("a refusal");
        let full = matches!(verb, "create" | "replace" | "revoke_before");
        assert_eq!(error.kind() == StoreErrorKind::Full, full, "{verb}");
        assert!(!said(&error).contains("hunter2"), "{verb}: {error:?}");
    }
}

#[tokio::test]
async fn neither_a_store_nor_its_configuration_shows_what_is_kept_or_the_password() {
    let url = fake("-ERR\r\n").await;
    let store = store(&url).await;
    assert!(!format!("{store:?} {:?}", RedisStore::builder()).contains("hunter2"));
    for wrong in [
        "redis://:hunter2@127.0.0.1:1/",
        "nonsense://:hunter2@host/",
        "redis://:hunter2@:x/hunter2",
    ] {
        let error = RedisStore::connect(wrong).await.expect_err("no server");
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(!said(&error).contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_drops_live_records_is_refused_unless_that_is_accepted() {
    let Some(server) = Server::start(&["--maxmemory-policy", "allkeys-lru"]) else {
        return;
    };
    let refused = RedisStore::connect(&server.url()).await.expect_err("it evicts");
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    assert!(refused.to_string().contains("noeviction"));
    let accepted = RedisStore::builder()
        .dangerous_accept_eviction()
        .connect(&server.url())
        .await;
    assert!(accepted.is_ok(), "{accepted:?}");
    let _: String = server.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    assert!(RedisStore::connect(&server.url()).await.is_ok());
}

#[tokio::test]
async fn another_number_of_buckets_is_refused_at_once_and_after_a_flush_by_each_verb() {
    let Some(server) = Server::start(&[]) else { return };
    let url = server.url();
    let four = RedisStore::builder()
        .buckets(4)
        .connect(&url)
        .await
        .expect("it connects");
    for number in [1, 3, 5] {
        let other = RedisStore::builder().buckets(number).connect(&url).await;
        let other = other.expect_err("another number").to_string();
        assert!(other.contains("buckets"), "{other}");
    }
    assert!(RedisStore::builder().buckets(4).connect(&url).await.is_ok());
    assert!(RedisStore::builder().prefix("other").connect(&url).await.is_ok());

    let _: String = server.ask(&["FLUSHALL"]);
    let five = RedisStore::builder().buckets(5).connect(&url).await;
    assert!(five.is_ok(), "{five:?}");
    let late = four.load(&key("one")).await.expect_err("another number");
    assert_eq!(late.kind(), StoreErrorKind::Unavailable);
}

#[tokio::test]
async fn real_full_memory_lets_records_go_and_none_in() {
    let Some(server) = Server::start(&[]) else { return };
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    let now = server.now();
    store.create(record("one", now)).await.expect("there is room");
    let _: String = server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    let full = store.create(record("two", now)).await.expect_err("no room");
    assert_eq!(full.kind(), StoreErrorKind::Full);
    let full = store
        .revoke_before(KIND, &alice(), now)
        .await
        .expect_err("no room");
    assert_eq!(full.kind(), StoreErrorKind::Full);
    assert!(
        store.load(&key("one")).await.expect("an answer").is_some(),
        "nothing was revoked"
    );
    assert!(store.take(&key("one")).await.expect("an answer").is_some());
    let _: String = server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(store.load(&key("two")).await.expect("an answer").is_none());
    assert!(store.create(record("two", now)).await.is_ok());
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_taught_again() {
    let Some(server) = Server::start(&[]) else { return };
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    let now = server.now();
    store.create(record("one", now)).await.expect("created");
    let _: String = server.ask(&["SCRIPT", "FLUSH"]);
    assert!(store.take(&key("one")).await.expect("an answer").is_some());
    assert!(store.create(record("one", now)).await.is_ok());
}

#[tokio::test]
async fn many_records_of_an_owner_are_listed_and_revoked_whole() {
    let Some(server) = Server::start(&[]) else { return };
    let store = RedisStore::builder()
        .buckets(2)
        .connect(&server.url())
        .await
        .expect("it connects");
    let now = server.now();
    for number in 0..1_500 {
        store
            .create(record(&number.to_string(), now))
            .await
            .expect("created");
    }
    assert_eq!(
        store.list_owned_by(KIND, &alice()).await.expect("a list").len(),
        1_500
    );
    let revoked = store.revoke_before(KIND, &alice(), server.now()).await;
    assert_eq!(revoked.expect("revoked"), 1_500);
    assert!(
        store
            .list_owned_by(KIND, &alice())
            .await
            .expect("a list")
            .is_empty()
    );
}

/// A revocation that was interrupted after its first step: what it did not come to is dead all the same.
#[tokio::test]
async fn a_record_that_is_dated_up_to_a_cutoff_is_dead_and_a_later_one_is_not() {
    let Some(server) = Server::start(&[]) else { return };
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    let now = server.now();
    let cutoff = now.since_epoch().as_millis();
    let later = Timestamp::from_unix(Duration::from_millis(1) + now.since_epoch());
    while server.now() < later {
        tokio::task::yield_now().await;
    }
    store
        .create(record("before", now).created_at(now))
        .await
        .expect("created");
    store
        .create(record("after", now).created_at(later))
        .await
        .expect("created");
    assert_eq!(
        store.list_owned_by(KIND, &alice()).await.expect("a list").len(),
        2
    );
    let name = "{portcullis:0}:c:7:session:alice-hunter2";
    let _: String = server.ask(&["SET", name, &cutoff.to_string()]);
    assert!(store.load(&key("before")).await.expect("an answer").is_none());
    assert!(store.take(&key("before")).await.expect("an answer").is_none());
    assert!(store.load(&key("after")).await.expect("an answer").is_some());
    assert_eq!(
        store.list_owned_by(KIND, &alice()).await.expect("a list").len(),
        1
    );
}

/// Versions are no smaller after the server forgot everything, as a failover may.
#[tokio::test]
async fn a_version_is_greater_than_all_before_also_when_the_counter_was_lost() {
    let Some(server) = Server::start(&[]) else { return };
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    let mut last = None;
    for _ in 0..3 {
        for _ in 0..20 {
            let version = store.create(record("one", server.now())).await.expect("created");
            assert!(Some(version) > last);
            last = Some(version);
            assert!(store.delete(&key("one")).await.expect("an answer"));
        }
        let _: String = server.ask(&["FLUSHALL"]);
    }
}

#[tokio::test]
async fn what_expires_leaves_nothing_behind() {
    let Some(server) = Server::start(&[]) else { return };
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    let before: u64 = server.ask(&["DBSIZE"]);
    let soon = server.now().saturating_add(SHORT);
    for name in ["one", "two"] {
        let record = NewRecord::new(key(name), payload(), soon).owned_by(alice());
        store.create(record).await.expect("created");
    }
    let until = Instant::now() + Duration::from_secs(20);
    // The log's stream is what stays.
    while server.ask::<u64>(&["DBSIZE"]) > before + 1 {
        assert!(Instant::now() < until, "something stays");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let far = NewRecord::new(key("one"), payload(), Timestamp::from_unix(Duration::MAX));
    store.create(far).await.expect("the farthest time is a time");
    assert!(store.load(&key("one")).await.expect("an answer").is_some());
}

/// What was said before the server died holds after it: nothing that was created is missing, and nothing is taken twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_dies_under_load_gives_no_wrong_answer_and_the_store_recovers() {
    const WORKERS: usize = 16;
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let store = store(&server.url()).await;
    let end = server.now().saturating_add(Duration::from_secs(3_600));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let (store, stopped) = (store.clone(), stopped.clone());
        workers.spawn(async move {
            let (mut right, mut outages) = (0_u64, 0_u64);
            for number in 0_u64.. {
                if *stopped.borrow() {
                    break;
                }
                let key = key(&format!("{worker}-{number}"));
                let steps = async {
                    store.create(NewRecord::new(key.clone(), payload(), end)).await?;
                    let found = store.load(&key).await?;
                    assert!(found.is_some(), "what was created is found");
                    let taken = store.take(&key).await?;
                    assert!(taken.is_some(), "what was found is taken");
                    let again = store.take(&key).await?;
                    assert!(again.is_none(), "and not twice");
                    Ok::<_, StoreError>(())
                };
                match steps.await {
                    Ok(()) => right += 1,
                    Err(error) => {
                        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
                        outages += 1;
                        tokio::task::yield_now().await;
                    }
                }
            }
            (right, outages)
        });
    }
    for _ in 0..2 {
        tokio::time::sleep(SHORT).await;
        server.stop();
        tokio::time::sleep(SHORT).await;
        server.run();
    }
    tokio::time::sleep(SHORT).await;
    stop.send(true).expect("they listen");
    let (mut right, mut outages) = (0, 0);
    while let Some(worker) = workers.join_next().await {
        let (good, bad) = worker.expect("no wrong answer");
        right += good;
        outages += bad;
    }
    assert!(right > 0 && outages > 0, "{right} right, {outages} outages");
    assert!(store.load(&key("none")).await.expect("it recovers").is_none());
}

/// What was a primary a moment ago and is a replica now answers as if nothing had happened since.
#[tokio::test]
async fn a_server_that_became_a_replica_says_nothing_about_records() {
    let (Some(old), Some(new)) = (Server::start(&[]), Server::start(&[])) else {
        return;
    };
    let store = store(&old.url()).await;
    store.create(record("one", old.now())).await.expect("created");
    assert!(store.load(&key("one")).await.expect("an answer").is_some());
    let _: String = old.ask(&["REPLICAOF", "127.0.0.1", &new.port.to_string()]);
    for (verb, answer) in verbs(&store, "one").await {
        let error = answer.expect_err("a replica");
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{verb}");
    }
    let _: String = old.ask(&["REPLICAOF", "NO", "ONE"]);
    assert!(store.load(&key("one")).await.is_ok());
}
