//! An issuer, its keys as a service sees them, and time that passes when a test says so.

// Helpers of tests panic as tests do, and each test file needs a part of them.
#![allow(clippy::expect_used, dead_code)]

pub(crate) mod clients;
pub(crate) mod ring_store;

use std::time::Duration;

use portcullis_jwks::{RemoteKeySet, RemoteKeySetBuilder};
use portcullis_jwt::{Algorithm, JwtError, KeySet, RefreshReason, TrustedIssuer, VerifiedToken, Verifier};
use portcullis_test::{ManualClock, ScriptedFetch, TestIssuer, TokenBuilder};

pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const JWKS: &str = "https://issuer.test/jwks";

pub(crate) const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A service that trusts one issuer.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) issuer: TestIssuer,
    pub(crate) fetch: ScriptedFetch,
    pub(crate) keys: RemoteKeySet,
}

/// What became of a key id, as a verifier would have it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Known,
    /// 401.
    Unknown,
    /// 503, and when to try again.
    Unavailable(Option<Duration>),
}

impl World {
    /// Nothing is fetched yet; the keys are at a configured address.
    pub(crate) fn cold() -> Self {
        Self::with(RemoteKeySet::at(JWKS), TestIssuer::new(ISSUER))
    }

    /// As [`cold`](Self::cold), configured otherwise.
    pub(crate) fn with(builder: RemoteKeySetBuilder, issuer: TestIssuer) -> Self {
        let clock = ManualClock::default();
        let issuer = issuer.clock(clock.clone());
        let fetch = ScriptedFetch::serving(&issuer);
        let builder = builder.fetch(fetch.clone()).clock(clock.clone()).jitter(|| 0.0);
        Self {
            clock,
            issuer,
            fetch,
            keys: builder.build().expect("a sound configuration"),
        }
    }

    /// The keys were fetched just now.
    pub(crate) async fn warm() -> Self {
        let world = Self::cold();
        world.keys.warm().await.expect("the issuer answers");
        assert_eq!(world.fetch.arrived(), 1);
        world
    }

    /// Lets time pass, for the keys and for everything that waits.
    pub(crate) async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        tokio::time::advance(time).await;
    }

    /// Lets the background work run until nothing is under way.
    pub(crate) async fn settle(&self) {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
            if !self.keys.status().fetching {
                return;
            }
        }
        assert!(!self.keys.status().fetching, "an attempt is still under way");
    }

    /// Lets other tasks get as far as they can.
    pub(crate) async fn yield_to_others() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// What a request with this key id is told.
    pub(crate) async fn ask(&self, kid: &str) -> Verdict {
        ask(&self.keys, kid).await
    }

    /// What a request with this token is told.
    pub(crate) async fn verify(&self, token: TokenBuilder) -> Result<VerifiedToken, JwtError> {
        let issuer = TrustedIssuer::new(self.issuer.url(), self.keys.clone())
            .algorithms([Algorithm::Es256])
            .audience(TokenBuilder::AUDIENCE);
        let verifier = Verifier::builder()
            .issuer(issuer)
            .clock(self.clock.clone())
            .build()
            .expect("a sound configuration");
        verifier.verify(&token.build()).await
    }
}

/// The order of questions that a verifier asks a key set.
pub(crate) async fn ask(keys: &RemoteKeySet, kid: &str) -> Verdict {
    let current = keys.current();
    let reason = match &current {
        Ok(keys) if keys.knows(Some(kid), Algorithm::Es256) => return Verdict::Known,
        Ok(_) => RefreshReason::UnknownKey,
        Err(_) => RefreshReason::NoKeys,
    };
    let newer = match keys.refresh(reason) {
        Some(refresh) => refresh.await,
        // They may have come since the first question.
        None => keys.current(),
    };
    match newer {
        Ok(newer) if newer.knows(Some(kid), Algorithm::Es256) => Verdict::Known,
        Ok(_) => Verdict::Unknown,
        Err(unavailable) => Verdict::Unavailable(unavailable.retry_after()),
    }
}
