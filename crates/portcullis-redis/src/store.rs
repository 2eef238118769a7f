//! The store, and how its scripts are called.

use std::fmt;
use std::sync::Arc;

use portcullis_store::{StoreError, StoreErrorKind};

use crate::RedisStoreBuilder;
use crate::buckets::Buckets;
use crate::fault::Fault;
use crate::link::{Cell, Link};
use crate::listen::Listening;
use crate::rows::{refusal, verdict};
use crate::verb::{self, Verb};

/// Records on a Redis server, 6.2 or later, or on a Redis Cluster. A clone is the same store.
///
/// Expiry goes by the server's clock, so instances need not agree on the time. It is a
/// [`ChangeLog`](portcullis_store::changes::ChangeLog) too, and a message on a channel wakes who waits for changes, on
/// whatever instance; a connection of its own listens from the first wait on.
///
/// ```no_run
/// # use portcullis_redis::RedisStore;
/// # async fn example() -> Result<(), portcullis_store::StoreError> {
/// let store = RedisStore::connect("redis://:password@redis.example.com/").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) link: Link,
    pub(crate) buckets: Buckets,
    pub(crate) listening: Listening,
    /// What every script is told, see the prelude.
    pub(crate) common: [Vec<u8>; 4],
}

impl RedisStore {
    /// The store on the server of `url`, with the defaults. See [`RedisStoreBuilder::connect`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::builder().connect(url).await
    }

    /// Starts a configuration.
    pub fn builder() -> RedisStoreBuilder {
        RedisStoreBuilder::new()
    }

    /// Runs a script in a bucket and returns its first word and what follows it.
    pub(crate) async fn run(&self, verb: &Verb, bucket: &[u8], own: &[&[u8]]) -> Result<Vec<Cell>, Fault> {
        let common = self.0.common.iter().map(Vec::as_slice);
        let arguments: Vec<&[u8]> = common.chain(own.iter().copied()).collect();
        self.0.link.run(verb, bucket, &arguments).await
    }

    /// Runs a script that says `ok` and something, or why not.
    pub(crate) async fn ask(
        &self,
        place: &'static str,
        verb: &Verb,
        bucket: &[u8],
        own: &[&[u8]],
    ) -> Result<Vec<Cell>, StoreError> {
        let answer = self
            .run(verb, bucket, own)
            .await
            .map_err(|fault| fault.at(place))?;
        let (word, rest) = verdict(&answer).map_err(|fault| fault.at(place))?;
        if word == b"ok" {
            return Ok(rest.to_vec());
        }
        let unknown = || Fault::Garbled.at(place);
        Err(refusal(word).map_or_else(unknown, StoreError::from))
    }

    /// Prepares the buckets, the first one first: it tells when their number is another.
    pub(crate) async fn prepare(&self, accept_eviction: bool) -> Result<(), StoreError> {
        for bucket in self.0.buckets.all() {
            let answer = self.ask("connect", &verb::OPEN, bucket, &[]).await?;
            let policy = answer.first().and_then(Option::as_deref).unwrap_or_default();
            if !(accept_eviction || policy.is_empty() || policy == b"noeviction") {
                let message =
                    "redis, connect: the server may drop live records, set maxmemory-policy to noeviction";
                return Err(StoreError::new(StoreErrorKind::Unavailable, message));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").finish_non_exhaustive()
    }
}
