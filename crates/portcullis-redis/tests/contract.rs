//! The store keeps the contract: over several instances of one server, through restarts and outages, and on a cluster.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use portcullis_core::Timestamp;
use portcullis_redis::RedisStore;
use portcullis_store::contract::{self, Backend};

use crate::server::Server;

#[path = "support/server.rs"]
mod server;

const INSTANCES: usize = 3;

#[derive(Debug)]
struct Shared {
    servers: Mutex<Vec<Server>>,
    stores: Vec<RedisStore>,
    next: AtomicUsize,
    may_fail: bool,
}

impl Shared {
    fn each(&self, act: impl Fn(&mut Server)) -> bool {
        if self.may_fail {
            self.servers.lock().expect("no panic").iter_mut().for_each(act);
        }
        self.may_fail
    }
}

#[async_trait]
impl Backend for Shared {
    type Store = RedisStore;

    async fn open(&self) -> RedisStore {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.stores[number % INSTANCES].clone()
    }

    async fn now(&self) -> Timestamp {
        self.servers.lock().expect("no panic")[0].now()
    }

    async fn pass(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    async fn restart(&self) -> bool {
        self.each(|server| {
            server.stop();
            server.run();
        })
    }

    async fn disconnect(&self) -> bool {
        self.each(Server::stop)
    }

    async fn reconnect(&self) {
        self.each(Server::run);
    }
}

async fn single(buckets: u16) -> Option<Shared> {
    let server = Server::start(&[])?;
    let mut stores = Vec::new();
    for _ in 0..INSTANCES {
        let builder = RedisStore::builder().buckets(buckets);
        stores.push(builder.connect(&server.url()).await.expect("it connects"));
    }
    Some(Shared {
        servers: Mutex::new(vec![server]),
        stores,
        next: AtomicUsize::new(0),
        may_fail: true,
    })
}

/// T-ONCE-1, T-SESS-1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_on_a_server_keeps_the_contract() {
    let Some(backend) = single(1).await else { return };
    let kept = contract::check(&backend).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_in_buckets_keeps_the_contract() {
    let Some(backend) = single(16).await else { return };
    let kept = contract::check(&backend).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_log_on_a_server_keeps_the_contract() {
    let Some(backend) = single(1).await else { return };
    let kept = contract::check_log(&backend).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
}

#[cfg(feature = "cluster")]
mod cluster {
    use std::time::Instant;

    use super::*;

    const NODES: usize = 3;

    /// Three primaries that know one another, or `None`.
    fn nodes() -> Option<Vec<Server>> {
        let settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000"];
        let servers: Vec<Server> = (0..NODES).map(|_| Server::start(&settings)).collect::<Option<_>>()?;
        let ranges = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
        for (number, (server, (first, last))) in servers.iter().zip(ranges).enumerate() {
            let _: String = server.ask(&["CLUSTER", "ADDSLOTSRANGE", first, last]);
            let _: String = server.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
        }
        for server in servers.iter().skip(1) {
            let port = server.port.to_string();
            let _: String = servers.first()?.ask(&["CLUSTER", "MEET", "127.0.0.1", &port]);
        }
        let until = Instant::now() + Duration::from_secs(30);
        let ready = |server: &Server| {
            let info: String = server.ask(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        };
        while !servers.iter().all(ready) {
            assert!(Instant::now() < until, "the nodes do not meet");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(servers)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn the_store_on_a_cluster_keeps_the_contract() {
        let Some(servers) = nodes() else { return };
        let urls: Vec<String> = servers.iter().map(Server::url).collect();
        let mut stores = Vec::new();
        for number in 0..INSTANCES {
            // Each instance knows one node.
            let builder = RedisStore::builder().buckets(16);
            let store = builder.connect_cluster(&[&urls[number]]).await;
            stores.push(store.expect("it connects"));
        }
        let backend = Shared {
            servers: Mutex::new(servers),
            stores,
            next: AtomicUsize::new(0),
            may_fail: false,
        };
        let kept = contract::check(&backend).await;
        assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
        for server in backend.servers.lock().expect("no panic").iter() {
            let keys: u64 = server.ask(&["DBSIZE"]);
            assert!(keys > 0, "each node has a part");
        }
    }
}
