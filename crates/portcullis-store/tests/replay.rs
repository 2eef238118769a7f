//! What was used once is not used again.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Clock, Timestamp};
use portcullis_store::{Kind, MemoryStore, ReplayGuard, StoreErrorKind, Use};
use portcullis_test::ManualClock;
use tokio::sync::Barrier;

const KIND: Kind = Kind::new("proof");
const ISSUER: &str = "https://issuer.test";

fn guard(capacity: usize) -> (ReplayGuard, MemoryStore, ManualClock) {
    let clock = ManualClock::at(1_000);
    let store = MemoryStore::builder()
        .capacity(capacity)
        .clock(clock.clone())
        .build();
    (ReplayGuard::new(store.clone(), KIND), store, clock)
}

fn soon(clock: &ManualClock) -> Timestamp {
    clock.now().saturating_add(Duration::from_secs(60))
}

async fn refusal(guard: &ReplayGuard, id: &str, until: Timestamp) -> StoreErrorKind {
    let answer = guard.mark(ISSUER, id, until).await;
    answer.expect_err("it cannot tell").kind()
}

#[tokio::test]
async fn an_id_is_used_once_and_another_one_is_another() {
    let (guard, _, clock) = guard(10);
    let until = soon(&clock);
    assert_eq!(guard.mark(ISSUER, "one", until).await.expect("room"), Use::First);
    assert_eq!(guard.mark(ISSUER, "one", until).await.expect("room"), Use::Again);
    assert_eq!(guard.mark(ISSUER, "two", until).await.expect("room"), Use::First);
}

#[tokio::test]
async fn scopes_and_kinds_do_not_meet() {
    let (guard, store, clock) = guard(10);
    let until = soon(&clock);
    for (scope, id) in [("a", "bc"), ("ab", "c"), ("", "abc")] {
        assert_eq!(guard.mark(scope, id, until).await.expect("room"), Use::First);
        assert_eq!(guard.mark(scope, id, until).await.expect("room"), Use::Again);
    }
    let other = ReplayGuard::new(store.clone(), Kind::new("logout-token"));
    assert_eq!(other.mark("a", "bc", until).await.expect("room"), Use::First);
    let same = ReplayGuard::new(store, KIND);
    assert_eq!(same.mark("a", "bc", until).await.expect("room"), Use::Again);
}

#[tokio::test]
async fn a_mark_holds_up_to_its_end_that_instant_included() {
    let (guard, _, clock) = guard(10);
    let until = soon(&clock).saturating_add(Duration::from_nanos(999_999));
    assert_eq!(guard.mark(ISSUER, "one", until).await.expect("room"), Use::First);
    clock.set_wall(1_060);
    assert_eq!(guard.mark(ISSUER, "one", until).await.expect("room"), Use::Again);
    clock.set_wall(1_061);
    assert_eq!(refusal(&guard, "one", until).await, StoreErrorKind::Expired);
}

#[tokio::test]
async fn whoever_cannot_tell_says_so() {
    let (guard, _, clock) = guard(2);
    let until = soon(&clock);
    assert_eq!(guard.mark(ISSUER, "one", until).await.expect("room"), Use::First);
    assert_eq!(refusal(&guard, "two", until).await, StoreErrorKind::Full);
    assert_eq!(
        guard.mark(ISSUER, "one", until).await.expect("it is marked"),
        Use::Again
    );
    assert_eq!(refusal(&guard, "", until).await, StoreErrorKind::Malformed);
    assert_eq!(
        refusal(&guard, &"x".repeat(512), until).await,
        StoreErrorKind::Malformed
    );
}

/// T-ONCE-1
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_at_once_one_is_the_first() {
    let (guard, _, clock) = guard(10);
    let (until, barrier) = (soon(&clock), Arc::new(Barrier::new(64)));
    let uses: Vec<_> = (0..64)
        .map(|_| {
            let (guard, barrier) = (guard.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                guard.mark(ISSUER, "one", until).await.expect("room")
            })
        })
        .collect();
    let mut first = 0;
    for used in uses {
        first += usize::from(used.await.expect("it does not panic") == Use::First);
    }
    assert_eq!(first, 1);
}
