//! A server that follows another one knows nothing of what was done a moment ago.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::time::Duration;

use portcullis_sqlx::PostgresStore;
use portcullis_store::{RecordStore, StoreErrorKind};

use crate::postgres_server::Server;
use crate::records::{key, now, record};

#[path = "support/postgres_server.rs"]
#[allow(dead_code)]
mod postgres_server;
#[path = "support/records.rs"]
mod records;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_standby_is_not_asked_and_after_its_promotion_it_is() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let builder = PostgresStore::builder().wait_at_most(Duration::from_secs(1));
    let store = builder.clone().connect(&server.url()).await.expect("it connects");
    store.create(record("one", now())).await.expect("room");
    server.stop();
    server.follow(true);
    server.run();
    // The first answer may be that the connection is gone.
    for _ in 0..2 {
        let error = store.load(&key("one")).await.expect_err("a standby");
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    }
    let refused = builder.connect(&server.url()).await.expect_err("a standby");
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);

    server.stop();
    server.follow(false);
    server.run();
    let mut found = store.load(&key("one")).await;
    while found.is_err() {
        found = store.load(&key("one")).await;
    }
    assert!(found.expect("it answers").is_some());
}
