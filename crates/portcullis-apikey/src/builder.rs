//! Putting the method together.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use portcullis_core::{Clock, ConfigError, Principal, SystemClock};
use portcullis_seal::Peppers;

use crate::cache::Cache;
use crate::find::FindApiKey;
use crate::foreign::ForeignKeys;
use crate::forget::{Caches, Forget};
use crate::last_used::LastUsed;
use crate::network::FindPeer;
use crate::owner::Owners;
use crate::verify::{Comparison, Verify};
use crate::{ApiKeyFormat, ApiKeys, OwnerNow};

const MAX_AGE: Duration = Duration::from_secs(10);
const CAPACITY: usize = 10_000;

/// Makes [`ApiKeys`]. It cannot be built before it is said who asks for owners.
#[must_use]
pub struct ApiKeysBuilder<P> {
    format: ApiKeyFormat,
    finder: Arc<dyn FindApiKey>,
    by_digest: bool,
    owners: Option<Owners<P>>,
    foreign: Option<ForeignKeys>,
    peppers: Peppers,
    clock: Arc<dyn Clock>,
    peer: Option<FindPeer>,
    max_age: Duration,
    max_lag: Option<Duration>,
    capacity: usize,
    last_used: Option<LastUsed>,
    caches: Option<Caches>,
    #[cfg(feature = "rate-limit")]
    rate_limit: Option<crate::RateLimit>,
}

impl ApiKeysBuilder<Principal> {
    pub(crate) fn new(format: ApiKeyFormat, finder: Arc<dyn FindApiKey>) -> Self {
        Self {
            format,
            finder,
            by_digest: false,
            owners: None,
            foreign: None,
            peppers: Peppers::none(),
            clock: Arc::new(SystemClock::new()),
            peer: None,
            max_age: MAX_AGE,
            max_lag: None,
            capacity: CAPACITY,
            last_used: None,
            caches: None,
            #[cfg(feature = "rate-limit")]
            rate_limit: None,
        }
    }

    /// Looks every key up by its digest, in a set that has no owners but itself.
    pub(crate) fn by_digest(mut self) -> Self {
        self.by_digest = true;
        self.owners = Some(Owners::unchecked());
        self
    }

    pub(crate) fn of_service(mut self, last_used: LastUsed, caches: Caches) -> Self {
        self.last_used = Some(last_used);
        self.caches = Some(caches);
        self
    }

    /// Asks nobody about owners: whoever a key was issued to is taken to be there still, and to hold what the key has.
    ///
    /// Where owners can be locked out or lose scopes, their keys have to be revoked at the same time.
    pub fn dangerous_without_owners(mut self) -> Self {
        self.owners = Some(Owners::unchecked());
        self
    }
}

impl<P> ApiKeysBuilder<P> {
    /// Asks `ask` who the owner of a key is now, and what they may do.
    ///
    /// | `ask` answers | the request is |
    /// |---|---|
    /// | `Ok(Some(owner))` | the owner's, with the scopes that both hold |
    /// | `Ok(None)`: unknown or locked out | refused with 401 |
    /// | `Err(error)` | refused with 503. The log gets the error |
    ///
    /// The answer is remembered beside the key, for [`max_age`](Self::max_age):
    /// [`forget_owned_by`](ApiKeys::forget_owned_by) makes a change of the owner count at once. No time limit is set here;
    /// give the client that asks one.
    pub fn owners<F, L, Q, E>(self, ask: F) -> ApiKeysBuilder<Q>
    where
        F: Fn(Principal) -> L + Send + Sync + 'static,
        L: Future<Output = Result<Option<OwnerNow<Q>>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        ApiKeysBuilder {
            format: self.format,
            finder: self.finder,
            by_digest: self.by_digest,
            owners: Some(Owners::asking(ask)),
            foreign: self.foreign,
            peppers: self.peppers,
            clock: self.clock,
            peer: self.peer,
            max_age: self.max_age,
            max_lag: self.max_lag,
            capacity: self.capacity,
            last_used: self.last_used,
            caches: self.caches,
            #[cfg(feature = "rate-limit")]
            rate_limit: self.rate_limit,
        }
    }

    /// Also looks for imported keys.
    pub fn foreign(mut self, keys: ForeignKeys) -> Self {
        self.foreign = Some(keys);
        self
    }

    /// Compares digests with these peppers; without any unless called. Keys of a [service](crate::ApiKeyService) use its own.
    pub fn peppers(mut self, peppers: Peppers) -> Self {
        self.peppers = peppers;
        self
    }

    /// Takes the time from `clock`; the system's unless called.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Finds the peer's address in another way than in the extension [`PeerAddress`](crate::PeerAddress). What a client
    /// writes, such as `X-Forwarded-For`, is no address unless a proxy of one's own is known to overwrite it.
    pub fn peer(mut self, find: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.peer = Some(Arc::new(find));
        self
    }

    /// Remembers keys and owners for so long after they were asked for; ten seconds unless called. With zero, not at all.
    /// The longest time for which a change on another instance goes unnoticed.
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Uses what it remembers only while it is told of other instances' changes: give the method to a
    /// [`Follower`](portcullis_store::changes::Follower). When the last complete news are older than `max_lag`, and before
    /// the first, every request looks its key up.
    ///
    /// What owners may is nothing that a store's log tells: that is as old as [`max_age`](Self::max_age) still.
    pub const fn followed_within(mut self, max_lag: Duration) -> Self {
        self.max_lag = Some(max_lag);
        self
    }

    /// Remembers about so many keys; 10,000 unless called.
    pub const fn capacity(mut self, keys: usize) -> Self {
        self.capacity = keys;
        self
    }

    /// Limits how often one key is accepted. Beyond it: 429 with `Retry-After`.
    #[cfg(feature = "rate-limit")]
    pub const fn rate_limit(mut self, limit: crate::RateLimit) -> Self {
        self.rate_limit = Some(limit);
        self
    }
}

impl<P: Clone + Send + Sync + 'static> ApiKeysBuilder<P> {
    /// The method.
    ///
    /// # Errors
    ///
    /// When nothing was said about owners: neither [`owners`](Self::owners) nor
    /// [`dangerous_without_owners`](ApiKeysBuilder::dangerous_without_owners).
    pub fn build(self) -> Result<ApiKeys<P>, ConfigError> {
        let owners = self.owners.ok_or_else(|| {
            ConfigError::new("say who knows the owners of API keys: `owners`, or `dangerous_without_owners`")
        })?;
        let verify = Arc::new(Verify {
            format: self.format,
            by_digest: self.by_digest,
            foreign: self.foreign,
            finder: self.finder,
            owners,
            issued: Comparison::new(self.peppers),
            imported: Comparison::new(Peppers::none()),
            peer: self.peer,
            cache: Cache::new(self.capacity, self.max_age, self.max_lag),
            last_used: self.last_used,
            #[cfg(feature = "rate-limit")]
            limiter: self
                .rate_limit
                .map(|limit| crate::rate_limit::Limiter::new(limit, Arc::clone(&self.clock))),
            clock: self.clock,
        });
        if let Some(caches) = &self.caches {
            let cache: Arc<dyn Forget> = Arc::<Verify<P>>::clone(&verify);
            caches.add(&cache);
        }
        ApiKeys::new(verify)
    }
}

impl<P> fmt::Debug for ApiKeysBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeysBuilder")
            .field("format", &self.format)
            .field("max_age", &self.max_age)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
