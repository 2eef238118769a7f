//! What a throttle makes of races, outages and what it finds in its store.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::net::IpAddr;
use std::sync::Arc;

use portcullis_core::{AuthErrorKind, Clock};
use portcullis_store::{
    Kind, NewRecord, Payload, RecordKey, RecordStore, SignInThrottle, SignInThrottleBuilder, StoreErrorKind,
};
use tokio::sync::Barrier;

use crate::stubborn::Stubborn;
use crate::throttled::{DAY, MINUTE, ONE, Scene, TWO, ip};

#[allow(dead_code)] // Each test file uses its part.
#[path = "support/gated.rs"]
mod gated;
#[path = "support/stubborn.rs"]
mod stubborn;
#[path = "support/throttled.rs"]
mod throttled;

async fn at_once(
    throttle: &SignInThrottle,
    address: impl Fn(u8) -> IpAddr,
    account: impl Fn(u8) -> String,
) -> usize {
    let barrier = Arc::new(Barrier::new(64));
    let attempts: Vec<_> = (0..64)
        .map(|number| {
            let (throttle, barrier) = (throttle.clone(), Arc::clone(&barrier));
            let (address, account) = (address(number), account(number));
            tokio::spawn(async move {
                barrier.wait().await;
                throttle.attempt(address, &account).await
            })
        })
        .collect();
    let mut passed = 0;
    for attempt in attempts {
        match attempt.await.expect("it does not panic") {
            Ok(_) => passed += 1,
            Err(refused) => assert_eq!(refused.kind(), AuthErrorKind::Throttled),
        }
    }
    passed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_attempts_at_once_as_many_pass_as_there_is_room_for() {
    let source = |_| ip(ONE);
    let sources = |number| IpAddr::from([198, 51, 100, number]);
    let one = |_| "alice".to_owned();
    let many = |number| format!("user-{number}");
    assert_eq!(at_once(&Scene::new().throttle, source, many).await, 10);
    assert_eq!(at_once(&Scene::new().throttle, source, one).await, 5);
    let scene = Scene::new();
    scene.fails_from_everywhere(77, "alice").await;
    assert_eq!(at_once(&scene.throttle, sources, one).await, 23);
}

#[tokio::test]
async fn an_attempt_that_is_overtaken_between_asking_and_counting_is_counted_on_top() {
    let scene = Scene::new();
    for number in 0..9 {
        scene.fails(ONE, &format!("user-{number}")).await;
    }
    let mut gate = scene.store.gate();
    let throttle = scene.throttle.clone();
    let slow = tokio::spawn(async move { throttle.attempt(ip(ONE), "alice").await });
    gate.reached().await;
    scene.fails(ONE, "bob").await;
    gate.open();
    let refused = slow
        .await
        .expect("it does not panic")
        .expect_err("there was one left");
    assert_eq!(refused.kind(), AuthErrorKind::Throttled);
}

/// T-RATE-3
#[tokio::test]
async fn a_success_that_is_overtaken_by_a_failure_ends_that_too_and_loses_nothing_later() {
    let scene = Scene::new();
    let right = scene.attempt(ONE, "alice").await.expect("it passes");
    let mut gate = scene.store.gate();
    let success = tokio::spawn(right.succeeded());
    gate.reached().await;
    scene.fails(ONE, "alice").await;
    gate.open();
    success.await.expect("it does not panic").expect("it answers");
    for _ in 0..5 {
        scene.fails(ONE, "alice").await;
    }
    assert_eq!(scene.waits(ONE, "alice").await, MINUTE * 5);
}

#[tokio::test]
async fn a_lost_answer_lets_nobody_in_and_may_have_counted() {
    let scene = Scene::new();
    scene.store.lose_an_answer();
    assert_eq!(
        scene.refusal("alice").await,
        (AuthErrorKind::Unavailable, "throttle_unavailable")
    );
    for number in 0..9 {
        scene.fails(ONE, &format!("user-{number}")).await;
    }
    scene.waits(ONE, "alice").await;
}

#[tokio::test]
async fn a_store_that_is_silent_refuses_unless_the_dangerous_is_chosen() {
    let throttle = SignInThrottle::builder(Stubborn(StoreErrorKind::Unavailable))
        .build()
        .expect("sound");
    let refused = throttle
        .attempt(ip(ONE), "alice")
        .await
        .expect_err("it cannot tell");
    assert_eq!(refused.kind(), AuthErrorKind::Unavailable);

    let builder =
        SignInThrottle::builder(Stubborn(StoreErrorKind::Unavailable)).dangerous_allow_when_unavailable();
    let throttle = builder.build().expect("sound");
    for _ in 0..20 {
        let attempt = throttle.attempt(ip(ONE), "alice").await.expect("it passes");
        attempt.succeeded().await.expect("nobody minds");
    }
    let refused = throttle.release("alice").await.expect_err("nobody knows");
    assert_eq!(refused.kind(), AuthErrorKind::Unavailable);
    let refused = throttle.attempt(ip(ONE), "").await.expect_err("no name");
    assert_eq!(refused.kind(), AuthErrorKind::InvalidRequest);
}

#[tokio::test]
async fn a_full_store_refuses_even_where_the_dangerous_is_chosen() {
    for capacity in [3, 4] {
        let scene = Scene::of(capacity, SignInThrottleBuilder::dangerous_allow_when_unavailable);
        let full = (AuthErrorKind::Unavailable, "throttle_full");
        if capacity == 3 {
            assert_eq!(scene.refusal("alice").await, full);
        } else {
            scene.fails(ONE, "alice").await;
            assert_eq!(scene.refusal("bob").await, full);
            scene.fails(ONE, "alice").await;
        }
    }
}

#[tokio::test]
async fn counts_expire_by_themselves() {
    let scene = Scene::new();
    scene.fails(ONE, "alice").await;
    assert_eq!(scene.store.memory().len(), 3);
    scene.clock.advance(DAY);
    scene.store.memory().sweep().await.expect("it answers");
    assert!(scene.store.memory().is_empty());
}

#[tokio::test]
async fn instances_share_the_counts() {
    let scene = Scene::new();
    let builder = SignInThrottle::builder(scene.store.clone()).clock(scene.clock.clone());
    let other = builder.build().expect("sound");
    for _ in 0..5 {
        drop(other.attempt(ip(ONE), "alice").await.expect("it passes"));
    }
    scene.waits(ONE, "alice").await;
}

#[tokio::test]
async fn a_clock_that_goes_back_opens_nothing_and_one_that_was_ahead_shuts_no_address_for_good() {
    let scene = Scene::new();
    for _ in 0..5 {
        scene.fails(ONE, "alice").await;
        scene.fails(TWO, "bob").await;
        scene.fails(TWO, "carol").await;
    }
    scene.clock.set_wall(1_000_000 - 30);
    scene.waits(ONE, "alice").await;
    scene.waits(TWO, "dave").await;
    scene.clock.set_wall(900_000);
    scene.fails(TWO, "dave").await;
}

#[tokio::test]
async fn neither_addresses_nor_accounts_are_shown() {
    let scene = Scene::new();
    let attempt = scene.attempt(ONE, "alice").await.expect("it passes");
    let mut shown = format!("{attempt:?} {:?}", scene.throttle);
    for _ in 0..4 {
        scene.fails(ONE, "alice").await;
    }
    let refused = scene.attempt(ONE, "alice").await.expect_err("it is refused");
    shown.push_str(&format!("{refused:?} {refused}"));
    assert!(shown.contains("too many failures at this account"), "{shown}");
    for secret in ["alice", ONE, "192, 0, 2, 1"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn a_count_that_cannot_be_read_lets_nobody_in() {
    for (kind, id) in [
        ("throttle-address", &b"4\xc0\x00\x02\x01"[..]),
        ("throttle-account", b"s4\xc0\x00\x02\x01alice"),
        ("throttle-account", b"*alice"),
    ] {
        let scene = Scene::new();
        let key = RecordKey::new(Kind::new(kind), id).expect("a key");
        let payload = Payload::new(*b"garbage").expect("a payload");
        let record = NewRecord::new(key, payload, scene.clock.now().saturating_add(DAY));
        scene.store.memory().create(record).await.expect("room");
        assert_eq!(
            scene.refusal("alice").await,
            (AuthErrorKind::Unavailable, "throttle_unreadable")
        );
    }
}

#[tokio::test]
async fn counts_that_change_each_time_are_given_up() {
    let store = Stubborn(StoreErrorKind::Present);
    let throttle = SignInThrottle::builder(store).build().expect("sound");
    let refused = throttle
        .attempt(ip(ONE), "alice")
        .await
        .expect_err("it cannot tell");
    assert_eq!(refused.kind(), AuthErrorKind::Unavailable);
    assert_eq!(refused.reason(), "throttle_contended");
}
