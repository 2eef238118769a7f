use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Clock, ConfigError, SystemClock};
use portcullis_fetch::{Destinations, Fetch, FetchError, Limits};
use portcullis_jwt::JwksLimits;

use super::shared::Shared;
use super::{Owner, RemoteKeySet};
use crate::KeySnapshot;
use crate::discovery::addresses;
use crate::refresh::Source;

/// Draws numbers in `0.0..1.0`, to spread fetches of many instances.
pub(super) type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Builds a [`RemoteKeySet`]. Mandatory: a [`Fetch`].
#[must_use]
pub struct RemoteKeySetBuilder {
    from: From,
    fetch: Option<Arc<dyn Fetch>>,
    clock: Arc<dyn Clock>,
    jitter: Jitter,
    http_loopback: bool,
    hosts: Vec<String>,
    max_keys: Option<usize>,
    max_body: Option<usize>,
    total_timeout: Option<Duration>,
    import: Option<KeySnapshot>,
}

enum From {
    Issuer(Arc<str>),
    Address(String),
}

impl RemoteKeySetBuilder {
    fn new(from: From) -> Self {
        Self {
            from,
            fetch: None,
            clock: Arc::new(SystemClock::new()),
            jitter: Arc::new(system_jitter),
            http_loopback: false,
            hosts: Vec::new(),
            max_keys: None,
            max_body: None,
            total_timeout: None,
            import: None,
        }
    }

    pub(super) fn discover(issuer: Arc<str>) -> Self {
        Self::new(From::Issuer(issuer))
    }

    pub(super) fn at(jwks_url: String) -> Self {
        Self::new(From::Address(jwks_url))
    }

    /// Sends requests through `fetch`. Mandatory: `ReqwestFetch`, or one's own.
    pub fn fetch(mut self, fetch: impl Fetch) -> Self {
        self.fetch = Some(Arc::new(fetch));
        self
    }

    /// Takes the time from `clock`; the system's unless called. Only its monotonic reading is used, and
    /// the wall clock for the age of a snapshot.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Takes jitter from `jitter`, which returns numbers in `0.0..1.0`; random ones unless called.
    pub fn jitter(mut self, jitter: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        self.jitter = Arc::new(jitter);
        self
    }

    /// Lets plain `http` reach this machine. For development.
    pub const fn allow_http_loopback(mut self) -> Self {
        self.http_loopback = true;
        self
    }

    /// Lets a discovered `jwks_uri` be at `host` although it is not public: a name or an address.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// Takes sets of up to `max_keys` entries; 100 unless called.
    pub const fn max_keys(mut self, max_keys: usize) -> Self {
        self.max_keys = Some(max_keys);
        self
    }

    /// Reads bodies of up to `bytes`; 128 KiB unless called.
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = Some(bytes);
        self
    }

    /// Gives one attempt this long, discovery included; 5 s unless called.
    pub const fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = Some(timeout);
        self
    }

    /// Starts with the keys that another process [exported](RemoteKeySet::export), so that a cold start
    /// does not need the issuer. See [what that trusts](KeySnapshot#what-this-trusts).
    ///
    /// They are stale from the start: they answer at once, and the first request that needs them starts
    /// a fetch in the background, which replaces them whole. They die when they would have died in the
    /// process that exported them: one hour after the time that they were fresh for, by the wall clock. A
    /// snapshot that is dead already, or from the future, is ignored, logged and counted.
    pub fn import(mut self, snapshot: KeySnapshot) -> Self {
        self.import = Some(snapshot);
        self
    }

    /// Checks the configuration. Fetches nothing.
    ///
    /// # Errors
    ///
    /// When there is no `fetch`; when the issuer or the address is no URL with a host, is not `https`
    /// (or loopback `http` where that is allowed), or has user information, a query (an issuer) or a
    /// fragment; when an allowed host is none; when an imported snapshot is of another issuer or address,
    /// or its key set is one that would not be taken from there either.
    pub fn build(self) -> Result<RemoteKeySet, ConfigError> {
        let fetch = self.fetch.clone().ok_or_else(|| {
            ConfigError::new("a remote key set needs a `Fetch`, such as ReqwestFetch: call `.fetch(…)`")
        })?;
        let (name, source, limits) = match &self.from {
            From::Issuer(issuer) => {
                let addresses = addresses(issuer)?;
                let limits = self.limits(issuer)?;
                let [first, _] = &addresses;
                limits.destinations().check(first).map_err(unreachable)?;
                (
                    issuer.clone(),
                    Source::Discovered {
                        issuer: issuer.clone(),
                        addresses,
                    },
                    limits,
                )
            }
            From::Address(address) => {
                let limits = self.limits(address)?;
                let uri = limits.destinations().admit(address).map_err(unreachable)?;
                (shown(address).into(), Source::At(uri), limits)
            }
        };
        let key_limits = self
            .max_keys
            .map_or_else(JwksLimits::new, |max| JwksLimits::new().with_max_keys(max));
        let shared = Shared::new(name, source, fetch, self.clock, self.jitter, limits, key_limits);
        if let Some(snapshot) = self.import {
            shared.import(snapshot)?;
        }
        Ok(RemoteKeySet(Arc::new(Owner(Arc::new(shared)))))
    }

    /// The bounds of every exchange; the configured origin is trusted as configured.
    fn limits(&self, configured: &str) -> Result<Limits, ConfigError> {
        let mut destinations = Destinations::new().trust_origin(configured)?;
        if self.http_loopback {
            destinations = destinations.allow_http_loopback();
        }
        for host in &self.hosts {
            destinations = destinations.allow_host(host)?;
        }
        let mut limits = Limits::new();
        if let Some(bytes) = self.max_body {
            limits = limits.with_max_body(bytes);
        }
        if let Some(timeout) = self.total_timeout {
            limits = limits.with_total_timeout(timeout);
        }
        Ok(limits
            .with_media_types(["application/json", "application/jwk-set+json"])
            .with_destinations(destinations))
    }
}

fn unreachable(error: FetchError) -> ConfigError {
    ConfigError::new("keys are fetched by https, or by http from this machine where that is allowed")
        .with_source(error)
}

/// A random number; no randomness, no jitter.
fn system_jitter() -> f64 {
    getrandom::u32().map_or(0.0, |random| f64::from(random) / f64::from(u32::MAX))
}

/// What may be shown of a URL: its query and its user information may be secrets.
pub(crate) fn shown(url: &str) -> &str {
    let place = url.split(['?', '#']).next().unwrap_or_default();
    if place.contains('@') { "…" } else { place }
}

impl fmt::Debug for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuer(issuer) => f.debug_tuple("Issuer").field(&shown(issuer)).finish(),
            Self::Address(address) => f.debug_tuple("Address").field(&shown(address)).finish(),
        }
    }
}

impl fmt::Debug for RemoteKeySetBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeySetBuilder")
            .field("from", &self.from)
            .field("http_loopback", &self.http_loopback)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}
