//! The store on a server keeps the contract, over several instances, through restarts and outages of the server.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use portcullis_core::Timestamp;
use portcullis_sqlx::PostgresStore;
use portcullis_store::contract::{self, Backend};
use sqlx::PgPool;

use crate::postgres_server::Server;

#[path = "support/postgres_server.rs"]
mod postgres_server;

const INSTANCES: usize = 3;

#[derive(Debug)]
struct Shared {
    server: Mutex<Server>,
    stores: Vec<PostgresStore>,
    next: AtomicUsize,
    admin: PgPool,
}

#[async_trait]
impl Backend for Shared {
    type Store = PostgresStore;

    async fn open(&self) -> PostgresStore {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.stores
            .get(number % INSTANCES)
            .expect("it was started")
            .clone()
    }

    async fn now(&self) -> Timestamp {
        let now = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        let (millis,): (i64,) = sqlx::query_as(now).fetch_one(&self.admin).await.expect("a time");
        Timestamp::from_unix(Duration::from_millis(millis.try_into().expect("after the epoch")))
    }

    async fn pass(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    async fn restart(&self) -> bool {
        let mut server = self.server.lock().expect("no panic");
        server.stop();
        server.run();
        true
    }

    async fn disconnect(&self) -> bool {
        self.server.lock().expect("no panic").stop();
        true
    }

    async fn reconnect(&self) {
        self.server.lock().expect("no panic").run();
    }
}

/// T-ONCE-1, T-SESS-1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_on_a_server_keeps_the_contract() {
    let Some(backend) = shared().await else { return };
    let kept = contract::check(&backend).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_log_on_a_server_keeps_the_contract() {
    let Some(backend) = shared().await else { return };
    let kept = contract::check_log(&backend).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
}

async fn shared() -> Option<Shared> {
    let server = Server::start()?;
    let mut stores = Vec::new();
    for _ in 0..INSTANCES {
        let builder = PostgresStore::builder()
            .schema("auth")
            .wait_at_most(Duration::from_secs(1));
        stores.push(builder.connect(&server.url()).await.expect("it connects"));
    }
    let admin = PgPool::connect(&server.url()).await.expect("it connects");
    Some(Shared {
        server: Mutex::new(server),
        stores,
        next: AtomicUsize::new(0),
        admin,
    })
}
