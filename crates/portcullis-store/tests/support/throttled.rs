//! A throttle over memory, with a clock that stands still.

#![allow(dead_code)] // Each test file uses its part.

use std::net::IpAddr;
use std::time::Duration;

use portcullis_core::{AuthError, AuthErrorKind};
use portcullis_store::{Attempt, MemoryStore, SignInThrottle, SignInThrottleBuilder};
use portcullis_test::ManualClock;

use crate::gated::Gated;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);
pub(crate) const ONE: &str = "192.0.2.1";
pub(crate) const TWO: &str = "192.0.2.2";

pub(crate) struct Scene {
    pub(crate) clock: ManualClock,
    pub(crate) store: Gated,
    pub(crate) throttle: SignInThrottle,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(configure: impl FnOnce(SignInThrottleBuilder) -> SignInThrottleBuilder) -> Self {
        Self::of(100_000, configure)
    }

    pub(crate) fn of(
        capacity: usize,
        configure: impl FnOnce(SignInThrottleBuilder) -> SignInThrottleBuilder,
    ) -> Self {
        let clock = ManualClock::at(1_000_000);
        let memory = MemoryStore::builder().capacity(capacity).clock(clock.clone());
        let store = Gated::new(memory.build());
        let builder = SignInThrottle::builder(store.clone()).clock(clock.clone());
        let throttle = configure(builder).build().expect("sound");
        Self {
            clock,
            store,
            throttle,
        }
    }

    pub(crate) async fn attempt(&self, address: &str, account: &str) -> Result<Attempt, AuthError> {
        self.throttle.attempt(ip(address), account).await
    }

    pub(crate) async fn fails(&self, address: &str, account: &str) {
        drop(self.attempt(address, account).await.expect("it passes"));
    }

    pub(crate) async fn succeeds(&self, address: &str, account: &str) {
        let attempt = self.attempt(address, account).await.expect("it passes");
        attempt.succeeded().await.expect("it answers");
    }

    /// How long an attempt that is throttled has to wait.
    pub(crate) async fn waits(&self, address: &str, account: &str) -> Duration {
        let refused = self.attempt(address, account).await.expect_err("it is refused");
        assert_eq!(refused.kind(), AuthErrorKind::Throttled);
        refused.retry_after().expect("somebody knows")
    }

    pub(crate) async fn refusal(&self, account: &str) -> (AuthErrorKind, &'static str) {
        let refused = self.attempt(ONE, account).await.expect_err("it is refused");
        (refused.kind(), refused.reason())
    }

    /// Fails so often at `account`, from a new source each time.
    pub(crate) async fn fails_from_everywhere(&self, times: u16, account: &str) {
        for number in 0..times {
            let [high, low] = number.to_be_bytes();
            self.fails(&format!("203.0.{high}.{low}"), account).await;
        }
    }
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}
