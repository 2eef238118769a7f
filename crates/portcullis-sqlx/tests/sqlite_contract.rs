//! The store in a file keeps the contract, over several instances, through restarts and outages.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use portcullis_core::{Clock, Timestamp};
use portcullis_sqlx::SqliteStore;
use portcullis_store::contract::{self, Backend};
use portcullis_test::ManualClock;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions, Sqlite};

use crate::folder::Folder;

#[path = "support/folder.rs"]
mod folder;

const INSTANCES: usize = 3;

/// Instances on one file, each with connections of its own.
#[derive(Debug)]
struct File {
    folder: Folder,
    clock: ManualClock,
    stores: Mutex<Vec<SqliteStore>>,
    next: AtomicUsize,
}

impl File {
    async fn new() -> Self {
        let file = Self {
            folder: Folder::new(),
            clock: ManualClock::at(1_800_000_000),
            stores: Mutex::default(),
            next: AtomicUsize::new(0),
        };
        file.start().await;
        file
    }

    async fn start(&self) {
        for _ in 0..INSTANCES {
            let builder = SqliteStore::builder()
                .clock(self.clock.clone())
                .wait_at_most(Duration::from_secs(10));
            let store = builder.open(self.folder.file()).await.expect("it opens");
            self.stores.lock().expect("no panic").push(store);
        }
    }

    fn any(&self) -> SqliteStore {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let stores = self.stores.lock().expect("no panic");
        stores.get(number % INSTANCES).expect("it was started").clone()
    }
}

#[async_trait]
impl Backend for File {
    type Store = SqliteStore;

    async fn open(&self) -> SqliteStore {
        self.any()
    }

    async fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn pass(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    async fn restart(&self) -> bool {
        let stores = std::mem::take(&mut *self.stores.lock().expect("no panic"));
        for store in stores {
            store.close().await;
        }
        self.start().await;
        true
    }
}

/// T-ONCE-1, T-SESS-1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_in_a_file_keeps_the_contract() {
    let kept = contract::check(&File::new().await).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_log_of_a_file_keeps_the_contract() {
    let kept = contract::check_log(&File::new().await).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
}

/// An application's pool, all of whose connections can be taken away.
#[derive(Debug)]
struct Pooled {
    file: File,
    store: SqliteStore,
    pool: SqlitePool,
    taken: Mutex<Vec<PoolConnection<Sqlite>>>,
}

const CONNECTIONS: u32 = 4;

#[async_trait]
impl Backend for Pooled {
    type Store = SqliteStore;

    async fn open(&self) -> SqliteStore {
        self.store.clone()
    }

    async fn now(&self) -> Timestamp {
        self.file.now().await
    }

    async fn pass(&self, duration: Duration) {
        self.file.pass(duration).await;
    }

    async fn disconnect(&self) -> bool {
        for _ in 0..CONNECTIONS {
            let taken = self.pool.acquire().await.expect("it is free");
            self.taken.lock().expect("no panic").push(taken);
        }
        true
    }

    async fn reconnect(&self) {
        self.taken.lock().expect("no panic").clear();
    }
}

/// T-ONCE-1, T-SESS-1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_over_an_application_s_pool_keeps_the_contract_and_tells_when_the_pool_is_exhausted() {
    let file = File::new().await;
    let options = SqliteConnectOptions::new()
        .filename(file.folder.file())
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(10))
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(1))
        .connect_lazy_with(options);
    let builder = SqliteStore::builder().clock(file.clock.clone());
    let store = builder.wait_at_most(Duration::from_secs(10)).over(pool.clone());
    let taken = Mutex::default();
    let backend = Pooled {
        file,
        store,
        pool,
        taken,
    };
    let kept = contract::check(&backend).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
}
