//! A revocation that was interrupted: what it did not come to is dead, and stays so.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::time::Duration;

use portcullis_redis::RedisStore;
use portcullis_store::{NewRecord, REMEMBERED, RecordStore, StoreErrorKind};

use crate::records::{KIND, alice, key, payload};
use crate::server::Server;

#[path = "support/records.rs"]
#[allow(dead_code)]
mod records;
#[path = "support/server.rs"]
mod server;

const CUTOFF: &str = "{portcullis:0}:c:7:session:alice-hunter2";

/// Revokes, and fails after the cutoff was written: the first record on the list is none. Both records remain.
async fn interrupted(server: &Server) -> RedisStore {
    let store = RedisStore::connect(&server.url()).await.expect("it connects");
    let now = server.now();
    for (name, life) in [
        ("broken", REMEMBERED),
        ("left", REMEMBERED * 2),
        ("last", REMEMBERED * 4),
    ] {
        let new = NewRecord::new(key(name), payload(), now.saturating_add(life));
        store.create(new.owned_by(alice())).await.expect("created");
    }
    let broken = "{portcullis:0}:r:7:session:broken";
    let _: String = server.ask(&["SET", broken, "no hash"]);
    let revoked = store.revoke_before(KIND, &alice(), server.now()).await;
    let error = revoked.expect_err("a record is none");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let _: u64 = server.ask(&["DEL", broken]);
    assert!(store.load(&key("left")).await.expect("an answer").is_none());
    store
}

#[tokio::test]
async fn what_an_interrupted_revocation_left_goes_with_the_next_one_also_when_it_was_listed_meanwhile() {
    let Some(server) = Server::start(&[]) else { return };
    let store = interrupted(&server).await;
    let listed = store.list_owned_by(KIND, &alice()).await.expect("an answer");
    assert!(listed.is_empty(), "{listed:?}");
    store
        .revoke_before(KIND, &alice(), server.now())
        .await
        .expect("an answer");
    // In three months.
    let _: u64 = server.ask(&["DEL", CUTOFF]);
    for name in ["left", "last"] {
        assert!(
            store.load(&key(name)).await.expect("an answer").is_none(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_interrupted_revocation_is_remembered_as_long_as_what_it_left_could_live() {
    let Some(server) = Server::start(&[]) else { return };
    let store = interrupted(&server).await;
    let left: u64 = server.ask(&["PTTL", "{portcullis:0}:r:7:session:last"]);
    let remembered: u64 = server.ask(&["PTTL", CUTOFF]);
    assert!(remembered >= left, "{remembered} {left}");

    // Of one whose records end sooner it is remembered as long as another creation could be dated so early.
    store.delete_owned_by(KIND, &alice()).await.expect("an answer");
    let later = server.now().saturating_add(Duration::from_secs(1));
    store
        .revoke_before(KIND, &alice(), later)
        .await
        .expect("an answer");
    let remembered: u64 = server.ask(&["PTTL", CUTOFF]);
    let minimum = u64::try_from(REMEMBERED.as_millis()).expect("small");
    assert!((minimum..minimum + 70_000).contains(&remembered), "{remembered}");
}
