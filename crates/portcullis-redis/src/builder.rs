//! How a store is configured.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use portcullis_store::{StoreError, StoreErrorKind};
use redis::Client;

use crate::RedisStore;
use crate::buckets::Buckets;
use crate::fault::Fault;
use crate::link::{Link, Patience, Single};
use crate::listen::Listening;
use crate::store::Inner;

const DEFAULT_PATIENCE: Duration = Duration::from_secs(2);
const DEFAULT_LOG_LENGTH: u64 = 100_000;
const MOST_BUCKETS: u16 = 1_024;

/// Builds a [`RedisStore`]. Nothing is mandatory.
#[derive(Clone, Debug)]
#[must_use]
pub struct RedisStoreBuilder {
    prefix: Box<str>,
    buckets: u16,
    patience: Patience,
    log_length: u64,
    accept_eviction: bool,
}

impl RedisStoreBuilder {
    pub(crate) fn new() -> Self {
        Self {
            prefix: "portcullis".into(),
            buckets: 1,
            patience: Patience {
                connect: DEFAULT_PATIENCE,
                answer: DEFAULT_PATIENCE,
            },
            log_length: DEFAULT_LOG_LENGTH,
            accept_eviction: false,
        }
    }

    /// What the names of all keys and of the channel begin with; `portcullis` unless called. Two stores with one
    /// prefix are the same store. Letters, digits, `-`, `_`, `.` and `:`, 64 at most.
    pub fn prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Spreads the records over so many slots of a cluster, from 1 to 1024; 1 unless called, which is right for a
    /// single server. What concerns all records of an owner, and reading the log, costs one script for each. **Part of
    /// the stored data**: with another number than at first, [`connect`](Self::connect) fails.
    pub const fn buckets(mut self, number: u16) -> Self {
        self.buckets = number;
        self
    }

    /// Waits so long for a connection; 2 seconds unless called.
    pub const fn connect_timeout(mut self, duration: Duration) -> Self {
        self.patience.connect = duration;
        self
    }

    /// Waits so long for an answer; 2 seconds unless called. Then nobody knows whether anything was changed.
    pub const fn answer_timeout(mut self, duration: Duration) -> Self {
        self.patience.answer = duration;
        self
    }

    /// How many changes the log of a bucket keeps, about; 100,000 unless called. Who reads on from before that is told
    /// that anything may have changed.
    pub const fn keep_changes(mut self, number: u64) -> Self {
        self.log_length = number;
        self
    }

    /// Accepts a server that drops live records when its memory is full (`maxmemory-policy` other than `noeviction`).
    /// Dropped sessions are lost, **and dropped revocations are as if they had never been made**.
    pub const fn dangerous_accept_eviction(mut self) -> Self {
        self.accept_eviction = true;
        self
    }

    /// Connects to the server of `url`: `redis://user:password@host:port/database`, or, with the feature `tls`,
    /// `rediss://`.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](StoreErrorKind::Unavailable) when the URL or the prefix is none, the server cannot be reached,
    /// its data have another number of buckets, or it may drop live records. The message does not repeat the URL.
    pub async fn connect(self, url: &str) -> Result<RedisStore, StoreError> {
        self.check()?;
        let link = Single::new(url, self.patience).map_err(wrong)?;
        let clients = clients(&[url])?;
        self.open(Link::Single(link), clients).await
    }

    /// Connects to a cluster, of which the servers of `urls` are known; the others are found. Say
    /// [`buckets`](Self::buckets), or one node does all the work.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect). The cluster has to be up as a whole.
    #[cfg(feature = "cluster")]
    pub async fn connect_cluster(self, urls: &[&str]) -> Result<RedisStore, StoreError> {
        self.check()?;
        let link = crate::cluster::Cluster::new(urls, self.patience).map_err(wrong)?;
        let clients = clients(urls)?;
        self.open(Link::Cluster(link), clients).await
    }

    async fn open(self, link: Link, clients: Vec<Client>) -> Result<RedisStore, StoreError> {
        let channel = format!("{}:changes", self.prefix);
        let buckets = Buckets::new(&self.prefix, self.buckets);
        let common = [
            buckets.number().to_string(),
            unique(),
            channel.clone(),
            self.log_length.max(1).to_string(),
        ];
        let store = RedisStore(Arc::new(Inner {
            link,
            buckets,
            listening: Listening::new(clients, channel),
            common: common.map(String::into_bytes),
        }));
        store.prepare(self.accept_eviction).await?;
        Ok(store)
    }

    fn check(&self) -> Result<(), StoreError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if self.prefix.is_empty() || self.prefix.len() > 64 || !self.prefix.chars().all(allowed) {
            return Err(refused(
                "redis, connect: the prefix is empty, too long, or has other characters",
            ));
        }
        if !(1..=MOST_BUCKETS).contains(&self.buckets) {
            return Err(refused(
                "redis, connect: the number of buckets is not from 1 to 1024",
            ));
        }
        Ok(())
    }
}

fn refused(message: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, message)
}

#[allow(clippy::needless_pass_by_value)] // For `map_err`.
fn wrong(fault: Fault) -> StoreError {
    fault.at("connect")
}

fn clients(urls: &[&str]) -> Result<Vec<Client>, StoreError> {
    let clients = urls.iter().map(|url| Client::open(*url).map_err(Fault::from));
    clients.collect::<Result<_, _>>().map_err(wrong)
}

/// A name that no other instance has. It names a new log and marks entries; it guards nothing.
fn unique() -> String {
    let number = || RandomState::new().hash_one(0);
    format!("{:016x}{:016x}", number(), number())
}
