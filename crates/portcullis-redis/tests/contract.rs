//! The store keeps the contract: over several instances of one server, through restarts and outages, and on a cluster.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // Helpers of tests panic as tests do.

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

    use portcullis_store::{Kind, NewRecord, Owner, Payload, RecordKey, RecordStore, StoreErrorKind};

    use super::*;

    const NODES: usize = 3;

    /// Three primaries that know one another, or `None`.
    fn nodes() -> Option<Vec<Server>> {
        let settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000"];
        let servers: Vec<Server> = (0..NODES)
            .map(|_| Server::start(&settings))
            .collect::<Option<_>>()?;
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
        for url in &urls {
            // Each instance knows one node.
            let builder = RedisStore::builder().buckets(16);
            let store = builder.connect_cluster(&[url]).await;
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

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_cluster_that_lost_a_node_is_an_outage_there_and_recovers() {
        let Some(mut servers) = nodes() else { return };
        let now = servers[0].now();
        let later = now.saturating_add(Duration::from_secs(3_600));
        let patience = Duration::from_millis(500);
        let builder = RedisStore::builder()
            .buckets(16)
            .connect_timeout(patience)
            .answer_timeout(patience);
        let store = builder
            .connect_cluster(&[&servers[0].url()])
            .await
            .expect("it connects");
        let key = |number: u32| RecordKey::new(Kind::new("session"), number.to_be_bytes()).expect("a key");
        for number in 0..32 {
            let record = NewRecord::new(key(number), Payload::default(), later);
            store.create(record).await.expect("created");
        }
        servers[1].stop();
        let (begun, mut outages) = (Instant::now(), 0);
        for number in 0..32 {
            match store.load(&key(number)).await {
                Ok(found) => assert!(found.is_some(), "what is there is found"),
                Err(error) => {
                    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
                    outages += 1;
                }
            }
        }
        assert!(outages > 0, "some were on that node");
        assert!(begun.elapsed() < Duration::from_secs(90), "waiting is bounded");
        let revoked = store
            .delete_owned_by(Kind::new("session"), &Owner::new("alice").expect("an owner"))
            .await;
        assert_eq!(
            revoked.expect_err("an outage").kind(),
            StoreErrorKind::Unavailable
        );
        servers[1].run();
        let until = Instant::now() + Duration::from_secs(60);
        for number in 0..32 {
            let found = loop {
                match store.load(&key(number)).await {
                    Ok(found) => break found,
                    Err(error) => assert!(Instant::now() < until, "it does not recover: {error}"),
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            };
            assert!(found.is_some(), "nothing was lost");
        }
    }

    /// The keys of a slot move to another node while the store is open: it follows.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_slot_that_moves_to_another_node_is_followed() {
        let Some(servers) = nodes() else { return };
        let later = servers[0].now().saturating_add(Duration::from_secs(3_600));
        let store = RedisStore::builder()
            .connect_cluster(&[&servers[0].url()])
            .await
            .expect("it connects");
        let key = RecordKey::new(Kind::new("session"), "id").expect("a key");
        let record = NewRecord::new(key.clone(), Payload::default(), later);
        store
            .create(record.owned_by(Owner::new("alice").expect("an owner")))
            .await
            .expect("created");

        let slot = servers[0]
            .ask::<u64>(&["CLUSTER", "KEYSLOT", "{portcullis:0}"])
            .to_string();
        let from = servers
            .iter()
            .position(|server| server.ask::<u64>(&["DBSIZE"]) > 0)
            .expect("a node");
        let to = (from + 1) % NODES;
        let id = |server: &Server| server.ask::<String>(&["CLUSTER", "MYID"]);
        let (source, target) = (id(&servers[from]), id(&servers[to]));
        let _: String = servers[to].ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source]);
        let _: String = servers[from].ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target]);
        let port = servers[to].port.to_string();
        let names: Vec<String> = servers[from].ask(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]);
        let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        migrate.extend(names.iter().map(String::as_str));
        let _: String = servers[from].ask(&migrate);
        for number in [to, from] {
            let _: String = servers[number].ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &target]);
        }
        assert!(store.take(&key).await.expect("it follows").is_some());
        assert!(store.take(&key).await.expect("it follows").is_none());
    }
}
