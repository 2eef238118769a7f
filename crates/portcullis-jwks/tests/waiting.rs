//! Who waits, for how long, and for which answer.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_fetch::FetchErrorKind;
use portcullis_jwks::{JwksFetchErrorKind, KeyState, RemoteKeySet};
use portcullis_jwt::{KeySet, RefreshReason};
use portcullis_test::{ManualClock, TestIssuer, answer};
use tokio::time::Instant;

use crate::support::clients::Slow;
use crate::support::{ISSUER, JWKS, Verdict, World, ask, s};

mod support;

const TIMEOUT: Option<JwksFetchErrorKind> = Some(JwksFetchErrorKind::Fetch(FetchErrorKind::Timeout));

/// A set whose client takes as long as `delay` says, and that client.
fn slow(
    builder: portcullis_jwks::RemoteKeySetBuilder,
    delay: impl Fn(&str) -> Duration + Send + Sync + 'static,
) -> (RemoteKeySet, Slow, ManualClock, TestIssuer) {
    let (clock, issuer) = (ManualClock::default(), TestIssuer::new(ISSUER));
    let fetch = Slow::serving(&issuer, delay);
    let builder = builder.fetch(fetch.clone()).clock(clock.clone()).jitter(|| 0.0);
    (
        builder.build().expect("a sound configuration"),
        fetch,
        clock,
        issuer,
    )
}

async fn pass(clock: &ManualClock, time: Duration) {
    clock.advance(time);
    tokio::time::advance(time).await;
    World::yield_to_others().await;
}

fn spawn_ask(keys: &RemoteKeySet, kid: &'static str) -> tokio::task::JoinHandle<(Verdict, Duration)> {
    let keys = keys.clone();
    tokio::spawn(async move {
        let start = Instant::now();
        (ask(&keys, kid).await, start.elapsed())
    })
}

/// Rule 3 of the crate's documentation, T-JWKS-12
#[tokio::test(start_paused = true)]
async fn whoever_comes_late_waits_for_the_same_fetch_and_two_seconds_of_his_own() {
    let (keys, fetch, clock, _issuer) = slow(RemoteKeySet::at(JWKS), |_| s(3));
    let early = spawn_ask(&keys, "key-1");
    World::yield_to_others().await;
    pass(&clock, s(1) + s(1) / 2).await;
    let late = spawn_ask(&keys, "key-1");
    World::yield_to_others().await;
    pass(&clock, s(1) / 2).await;
    assert!(early.is_finished() && !late.is_finished());
    let (verdict, waited) = early.await.expect("it does not panic");
    assert!(matches!(verdict, Verdict::Unavailable(Some(_))), "{verdict:?}");
    assert_eq!(waited, s(2));
    pass(&clock, s(1)).await;
    let (verdict, waited) = late.await.expect("it does not panic");
    assert_eq!((verdict, waited), (Verdict::Known, s(1) + s(1) / 2));
    assert_eq!(fetch.arrived(), 1);
}

/// Rule 3 of the crate's documentation
#[tokio::test(start_paused = true)]
async fn a_fetch_that_nobody_waits_for_any_more_lives_until_its_answer() {
    let (keys, fetch, clock, _issuer) = slow(RemoteKeySet::at(JWKS), |_| s(5) - Duration::from_millis(1));
    let (verdict, waited) = spawn_ask(&keys, "key-1").await.expect("it does not panic");
    assert!(matches!(verdict, Verdict::Unavailable(Some(_))));
    assert_eq!(waited, s(2));
    clock.advance(s(5));
    tokio::time::sleep(s(3)).await;
    World::yield_to_others().await;
    assert_eq!(keys.status().state, KeyState::Fresh);
    assert_eq!((ask(&keys, "key-1").await, fetch.arrived()), (Verdict::Known, 1));
}

/// T-JWKS-12: every single exchange is within its time, their sum is not
#[tokio::test(start_paused = true)]
async fn discovery_and_keys_have_five_seconds_together() {
    let (keys, fetch, _clock, _issuer) = slow(RemoteKeySet::discover(ISSUER), |_| s(3));
    let start = Instant::now();
    assert!(matches!(ask(&keys, "key-1").await, Verdict::Unavailable(_)));
    while keys.status().fetching {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(
        start.elapsed() <= s(5) + Duration::from_millis(20),
        "{:?}",
        start.elapsed()
    );
    assert_eq!((fetch.arrived(), keys.status().last_error), (2, TIMEOUT));
}

/// T-JWKS-12: two places of the document cost no more than one
#[tokio::test(start_paused = true)]
async fn both_places_of_the_document_and_the_keys_have_five_seconds_together() {
    let world = World::with(
        RemoteKeySet::discover(ISSUER).total_timeout(s(1)),
        TestIssuer::new(ISSUER),
    );
    let _hold = world.fetch.hold();
    let start = Instant::now();
    assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(Some(_))));
    assert_eq!(start.elapsed(), s(1), "told as soon as the attempt is over");
    assert_eq!(world.keys.status().last_error, TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_at_once_and_to_all() {
    let world = World::warm().await;
    world.pass(s(30)).await;
    let hold = world.fetch.hold();
    world
        .fetch
        .push(answer::with_header(answer::status(503), "retry-after", "40"));
    let waiting: Vec<_> = (0..64).map(|_| spawn_ask(&world.keys, "new")).collect();
    World::yield_to_others().await;
    hold.release();
    for waiting in waiting {
        let verdict = waiting.await.expect("it does not panic");
        assert_eq!(verdict, (Verdict::Unavailable(Some(s(40))), s(0)));
    }
    assert_eq!(world.fetch.arrived(), 2);
    assert_eq!(world.ask("key-1").await, Verdict::Known);
}

/// The answer came before the waiting future was polled for the first time.
#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_before_anybody_looks_is_not_missed() {
    let world = World::cold();
    let refresh = world.keys.refresh(RefreshReason::NoKeys).expect("worth waiting");
    world.settle().await;
    assert_eq!(world.keys.status().state, KeyState::Fresh);
    let start = Instant::now();
    let keys = refresh.await.expect("they are there");
    assert_eq!((keys.len(), start.elapsed()), (1, s(0)));
}

/// Between "there are no keys" and "fetch some", somebody else fetched them.
#[tokio::test(start_paused = true)]
async fn keys_that_came_between_the_two_questions_are_used() {
    let world = World::cold();
    assert!(world.keys.current().is_err());
    let somebody_else = world.keys.clone();
    assert_eq!(ask(&somebody_else, "key-1").await, Verdict::Known);
    assert!(world.keys.refresh(RefreshReason::NoKeys).is_none());
    assert!(world.keys.current().is_ok());
    assert_eq!(world.fetch.arrived(), 1);
}

/// Between "this key is unknown" and "fetch newer ones", somebody else fetched them.
#[tokio::test(start_paused = true)]
async fn a_set_that_came_between_the_two_questions_is_not_fetched_again() {
    let world = World::warm().await;
    world.pass(s(30)).await;
    let before = world.keys.current().expect("keys");
    world.issuer.rotate();
    assert_eq!(world.ask("key-2").await, Verdict::Known);
    assert!(!before.knows(Some("key-2"), portcullis_jwt::Algorithm::Es256));
    assert!(world.keys.refresh(RefreshReason::UnknownKey).is_none());
    assert!(world.verify(world.issuer.token()).await.is_ok());
    assert_eq!(world.fetch.arrived(), 2);
}

/// Rule 4 of the crate's documentation: counted from the start, not from the end.
#[tokio::test(start_paused = true)]
async fn thirty_seconds_are_counted_from_the_start_of_an_attempt() {
    let delay = Arc::new(AtomicU64::new(0));
    let (keys, fetch, clock, _issuer) = slow(RemoteKeySet::at(JWKS), {
        let delay = Arc::clone(&delay);
        move |_| s(delay.load(Ordering::SeqCst))
    });
    keys.warm().await.expect("the issuer answers");
    pass(&clock, s(30)).await;
    delay.store(4, Ordering::SeqCst);
    drop(keys.refresh(RefreshReason::UnknownKey).expect("worth waiting"));
    World::yield_to_others().await;
    assert_eq!(fetch.arrived(), 2, "starts at 30");
    for _ in 0..4 {
        pass(&clock, s(1)).await;
    }
    assert!(!keys.status().fetching, "ends at 34");
    pass(&clock, s(26) - Duration::from_millis(1)).await;
    assert!(keys.refresh(RefreshReason::UnknownKey).is_none(), "59.999");
    pass(&clock, Duration::from_millis(1)).await;
    assert!(keys.refresh(RefreshReason::UnknownKey).is_some(), "60");
    World::yield_to_others().await;
    assert_eq!(fetch.arrived(), 3);
}

/// K9: an attempt that was begun for another reason counts too.
#[tokio::test(start_paused = true)]
async fn an_attempt_in_the_background_starts_the_thirty_seconds_too() {
    let world = World::warm().await;
    world.pass(s(480)).await;
    assert!(world.keys.current().is_ok());
    world.settle().await;
    world.pass(s(29)).await;
    assert_eq!(world.ask("evil").await, Verdict::Unknown);
    assert_eq!(world.fetch.arrived(), 2);
    world.pass(s(1)).await;
    assert_eq!(world.ask("evil").await, Verdict::Unknown);
    assert_eq!(world.fetch.arrived(), 3);
}

/// T-JWKS-8: requests come and go while one fetch is under way
#[tokio::test(start_paused = true)]
async fn callers_that_come_and_go_change_nothing_for_those_who_stay() {
    let world = World::cold();
    let hold = world.fetch.hold();
    let stays = spawn_ask(&world.keys, "key-1");
    world.fetch.until_arrived(1).await;
    for _ in 0..100 {
        let leaves = spawn_ask(&world.keys, "key-1");
        World::yield_to_others().await;
        leaves.abort();
        assert!(leaves.await.is_err_and(|error| error.is_cancelled()));
    }
    hold.release();
    assert_eq!(stays.await.expect("it does not panic").0, Verdict::Known);
    assert_eq!((world.fetch.arrived(), world.keys.status().failures), (1, 0));
}

/// R3: nor does it wait for a lock that a client holds up
#[tokio::test(start_paused = true)]
async fn known_keys_in_every_usable_state_answer_while_the_issuer_hangs() {
    let world = World::warm().await;
    let _hold = world.fetch.hold();
    let start = Instant::now();
    for age in [0, 30, 450, 120, 3_599] {
        world.clock.advance(s(age));
        drop(world.keys.refresh(RefreshReason::UnknownKey));
        World::yield_to_others().await;
        let verified = world.verify(world.issuer.token()).await;
        assert!(verified.is_ok(), "{age}: {verified:?}");
    }
    assert_eq!(start.elapsed(), s(0));
}

/// Rule 3 of the crate's documentation, with real threads
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_waiters_on_several_threads_share_one_fetch() {
    for _ in 0..20 {
        let world = World::cold();
        let hold = world.fetch.hold();
        let ready = Arc::new(tokio::sync::Barrier::new(64));
        let verdicts = Arc::new(Mutex::new(Vec::new()));
        let waiting: Vec<_> = (0..64)
            .map(|_| {
                let (keys, ready, verdicts) = (world.keys.clone(), ready.clone(), verdicts.clone());
                tokio::spawn(async move {
                    ready.wait().await;
                    let verdict = ask(&keys, "key-1").await;
                    verdicts.lock().expect("not poisoned").push(verdict);
                })
            })
            .collect();
        world.fetch.until_arrived(1).await;
        hold.release();
        for waiting in waiting {
            waiting.await.expect("it does not panic");
        }
        let verdicts = verdicts.lock().expect("not poisoned");
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Known));
        assert_eq!((verdicts.len(), world.fetch.arrived()), (64, 1));
    }
}
