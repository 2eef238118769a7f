//! Runtimes that end, clients that panic, handles that go away.

#![allow(clippy::expect_used, clippy::panic)] // Helpers of tests panic as tests do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::task::{Context, Waker};
use std::time::Duration;

use portcullis_fetch::Fetch;
use portcullis_jwks::{JwksFetchErrorKind, KeyState, RemoteKeySet};
use portcullis_jwt::{KeySet, RefreshReason};
use portcullis_test::{ManualClock, TestIssuer};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use crate::support::clients::{Meanwhile, Panicking};
use crate::support::{ISSUER, JWKS, Verdict, World, ask, s};

mod support;

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
}

fn keys_with(fetch: impl Fetch, clock: &ManualClock) -> RemoteKeySet {
    RemoteKeySet::at(JWKS)
        .fetch(fetch)
        .clock(clock.clone())
        .jitter(|| 0.0)
        .build()
        .expect("a sound configuration")
}

/// Runs `work` on a thread of its own and fails where it would wait for a lock for ever.
fn without_deadlock<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || done.send(work()));
    match wait.recv_timeout(Duration::from_secs(20)) {
        Ok(result) => result,
        Err(error) => panic!("deadlock, or a panic: {error}"),
    }
}

/// A runtime that shuts down drops a task as soon as it is spawned, before `spawn` returns.
#[test]
fn a_request_in_a_runtime_that_is_shutting_down_does_not_lock_up() {
    without_deadlock(|| {
        let world = World::cold();
        let first = runtime();
        first.block_on(world.keys.warm()).expect("the issuer answers");
        world.clock.advance(s(500));
        let ended = first.handle().clone();
        drop(first);
        {
            let _inside = ended.enter();
            assert!(world.keys.current().is_ok(), "due keys are served");
            assert!(world.keys.refresh(RefreshReason::UnknownKey).is_some());
        }
        let status = world.keys.status();
        assert_eq!((status.fetching, status.failures), (false, 1));
        assert_eq!(status.last_error, Some(JwksFetchErrorKind::Aborted));

        world.clock.advance(s(60));
        runtime().block_on(async {
            assert_eq!(world.ask("key-1").await, Verdict::Known);
            world.settle().await;
        });
        assert_eq!(world.keys.status().state, KeyState::Fresh);
        assert_eq!(world.fetch.arrived(), 2);
    });
}

#[test]
fn a_runtime_that_ends_in_the_middle_of_a_fetch_gives_way_to_the_next() {
    let world = World::cold();
    let hold = world.fetch.hold();
    let first = runtime();
    let mut waiting = {
        let _inside = first.enter();
        world.keys.refresh(RefreshReason::NoKeys).expect("worth waiting")
    };
    first.block_on(world.fetch.until_arrived(1));
    let second = runtime();
    second.block_on(async {
        let polled = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    });
    drop(first);
    second.block_on(async {
        let start = Instant::now();
        assert!(waiting.await.is_err(), "whoever waits elsewhere is told");
        assert_eq!(start.elapsed(), s(0), "at once");
    });
    let status = world.keys.status();
    assert_eq!((status.fetching, status.state), (false, KeyState::Empty));
    assert_eq!(status.last_error, Some(JwksFetchErrorKind::Aborted));

    hold.release();
    world.clock.advance(s(1));
    assert_eq!(second.block_on(world.ask("key-1")), Verdict::Known);
    assert_eq!((world.fetch.arrived(), world.fetch.answered()), (2, 1));
}

/// A runtime whose `block_on` is over, and which nobody drops, never finishes its tasks.
#[test]
fn an_attempt_that_nobody_drives_is_given_up_when_its_time_is_over() {
    let world = World::cold();
    let idle = runtime();
    let hold = world.fetch.hold();
    idle.block_on(async {
        drop(world.keys.refresh(RefreshReason::NoKeys));
        world.fetch.until_arrived(1).await;
    });
    hold.release();
    runtime().block_on(async {
        assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(_)));
        world.pass(s(60)).await;
        assert_eq!(
            world.ask("key-1").await,
            Verdict::Known,
            "another one was started"
        );
    });
    assert_eq!(world.fetch.arrived(), 2);

    // The one that was given up comes back, with keys that were replaced in the meantime.
    idle.block_on(World::yield_to_others());
    let status = world.keys.status();
    assert_eq!((status.state, status.failures), (KeyState::Fresh, 0));
    assert!(!status.fetching);
}

/// The same, while its successor is still under way.
#[test]
fn an_attempt_that_was_given_up_does_not_end_its_successor() {
    let world = World::cold();
    let (idle, busy) = (runtime(), runtime());
    let hold = world.fetch.hold();
    idle.block_on(async {
        drop(world.keys.refresh(RefreshReason::NoKeys));
        world.fetch.until_arrived(1).await;
    });
    world.clock.advance(s(60));
    busy.block_on(async {
        drop(world.keys.refresh(RefreshReason::NoKeys));
        world.fetch.until_arrived(2).await;
    });
    idle.block_on(World::yield_to_others());
    assert!(world.keys.status().fetching, "the successor is under way");
    hold.release();
    busy.block_on(world.settle());
    let status = world.keys.status();
    assert_eq!((status.state, status.failures), (KeyState::Fresh, 0));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_panics_has_failed_and_everybody_is_told_at_once() {
    let (clock, issuer) = (ManualClock::default(), TestIssuer::new(ISSUER));
    let keys = keys_with(Panicking::serving(&issuer, 2), &clock);
    let start = Instant::now();
    let waiting: Vec<_> = (0..64)
        .map(|_| {
            let keys = keys.clone();
            tokio::spawn(async move { ask(&keys, "key-1").await })
        })
        .collect();
    for verdict in waiting {
        let verdict = verdict.await.expect("no request panics");
        assert_eq!(verdict, Verdict::Unavailable(Some(s(1))));
    }
    assert_eq!(start.elapsed(), s(0));
    let status = keys.status();
    assert_eq!(
        (status.failures, status.last_error),
        (1, Some(JwksFetchErrorKind::Aborted))
    );
    clock.advance(s(1));
    assert!(matches!(ask(&keys, "key-1").await, Verdict::Unavailable(_)));
    assert_eq!(keys.status().failures, 2, "it backs off as for any failure");
    clock.advance(s(2));
    assert_eq!(ask(&keys, "key-1").await, Verdict::Known);
}

#[tokio::test(start_paused = true)]
async fn jitter_that_panics_does_not_end_fetching_for_good() {
    let (clock, issuer) = (ManualClock::default(), TestIssuer::new(ISSUER));
    let broken = Arc::new(AtomicBool::new(true));
    let jitter = {
        let broken = Arc::clone(&broken);
        move || {
            assert!(!broken.swap(false, Ordering::SeqCst), "no randomness");
            0.0
        }
    };
    let keys = RemoteKeySet::at(JWKS)
        .fetch(portcullis_test::ScriptedFetch::serving(&issuer))
        .clock(clock.clone())
        .jitter(jitter)
        .build()
        .expect("a sound configuration");
    assert!(matches!(ask(&keys, "key-1").await, Verdict::Unavailable(_)));
    assert!(!keys.status().fetching, "the attempt is over");
    clock.advance(s(60));
    assert_eq!(ask(&keys, "key-1").await, Verdict::Known);
}

/// A client that authenticates itself with a token of the same issuer looks at the set it feeds.
#[test]
fn a_client_may_look_at_the_set_it_feeds() {
    without_deadlock(|| {
        let (clock, issuer) = (ManualClock::default(), TestIssuer::new(ISSUER));
        let own = Arc::new(OnceLock::<RemoteKeySet>::new());
        let looks = {
            let own = Arc::clone(&own);
            move || {
                let keys = own.get().expect("was built");
                assert!(keys.status().fetching);
                assert!(keys.current().is_err());
                drop(keys.refresh(RefreshReason::NoKeys));
                assert!(!format!("{keys:?}").is_empty());
            }
        };
        let keys = keys_with(Meanwhile::serving(&issuer, looks), &clock);
        own.set(keys.clone()).expect("set once");
        assert_eq!(runtime().block_on(ask(&keys, "key-1")), Verdict::Known);
    });
}

#[tokio::test(start_paused = true)]
async fn no_task_outlives_the_last_handle() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let world = World::cold();
    let before = alive();
    let _hold = world.fetch.hold();
    drop(world.keys.refresh(RefreshReason::NoKeys));
    world.fetch.until_arrived(1).await;
    assert_eq!(alive(), before + 1);
    drop(world.keys);
    World::yield_to_others().await;
    assert_eq!(alive(), before);
}

#[tokio::test(start_paused = true)]
async fn no_task_is_left_when_nothing_is_under_way() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let world = World::warm().await;
    for _ in 0..20 {
        world.pass(s(500)).await;
        assert_eq!(world.ask("key-1").await, Verdict::Known);
        world.settle().await;
    }
    World::yield_to_others().await;
    assert_eq!(alive(), before, "no timer, no loop");
}

/// The handle goes between `spawn` and the task's first step.
#[tokio::test(start_paused = true)]
async fn a_set_that_is_dropped_before_its_fetch_began_sends_nothing() {
    let world = World::cold();
    let waiting = world.keys.refresh(RefreshReason::NoKeys).expect("worth waiting");
    drop(world.keys);
    assert!(waiting.await.is_err());
    World::yield_to_others().await;
    assert_eq!(world.fetch.arrived(), 0);
}
