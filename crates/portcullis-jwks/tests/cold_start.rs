//! Keys that one process exports and the next one starts with.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use portcullis_fetch::FetchErrorKind;
use portcullis_jwks::{JwksFetchErrorKind, KeySnapshot, KeyState, RemoteKeySet, RemoteKeySetBuilder};
use portcullis_jwt::{KeySet, RefreshReason};
use portcullis_test::{ManualClock, ScriptedFetch, TestIssuer, answer};

use crate::support::{ISSUER, JWKS, Verdict, World, ask, s};

mod support;

/// What [`ManualClock::default`] shows.
const START: u64 = 1_800_000_000;

/// A process that starts `after` seconds after the first one fetched; its clocks are its own.
fn started(builder: RemoteKeySetBuilder, issuer: TestIssuer, after: u64) -> World {
    let clock = ManualClock::at(START + after);
    let fetch = ScriptedFetch::serving(&issuer);
    let keys = builder
        .fetch(fetch.clone())
        .clock(clock.clone())
        .jitter(|| 0.0)
        .build()
        .expect("a sound configuration");
    World {
        clock,
        issuer,
        fetch,
        keys,
    }
}

async fn exported(max_age: Option<u64>) -> (World, KeySnapshot) {
    let world = World::cold();
    if let Some(seconds) = max_age {
        world.issuer.set_cache_control(&format!("max-age={seconds}"));
    }
    world.keys.warm().await.expect("the issuer answers");
    let snapshot = world.keys.export().expect("there are keys");
    (world, snapshot)
}

/// The same through its bytes, as through a file.
fn through_bytes(snapshot: &KeySnapshot) -> KeySnapshot {
    KeySnapshot::from_bytes(&snapshot.to_bytes()).expect("these bytes were written by us")
}

fn importing(snapshot: &KeySnapshot) -> RemoteKeySetBuilder {
    RemoteKeySet::at(JWKS).import(through_bytes(snapshot))
}

/// T-JWKS-5: an outage at the start takes nobody's keys away.
#[tokio::test(start_paused = true)]
async fn imported_keys_answer_while_the_issuer_is_unreachable_and_without_them_nothing_is_decided() {
    let (first, snapshot) = exported(None).await;
    for (builder, verdict) in [
        (importing(&snapshot), Verdict::Known),
        (RemoteKeySet::at(JWKS), Verdict::Unavailable(Some(s(1)))),
    ] {
        let next = started(builder, first.issuer.clone(), 60);
        next.fetch.always(|_| answer::failure(FetchErrorKind::Connect));
        assert_eq!(next.ask("key-1").await, verdict);
        next.settle().await;
        let failed = Some(JwksFetchErrorKind::Fetch(FetchErrorKind::Connect));
        assert_eq!(next.keys.status().last_error, failed, "both asked for more");
    }
}

#[tokio::test(start_paused = true)]
async fn imported_keys_are_stale_never_waited_for_and_fetched_again_at_once() {
    let (first, snapshot) = exported(None).await;
    let next = started(importing(&snapshot), first.issuer, 0);
    let status = next.keys.status();
    assert_eq!((status.state, status.keys), (KeyState::Stale, 1));
    assert_eq!(status.age, Some(s(0)));
    let hold = next.fetch.hold();
    next.keys.warm().await.expect("there are keys");
    assert!(next.keys.status().fetching, "in the background");
    assert_eq!(next.ask("key-1").await, Verdict::Known);
    hold.release();
    next.settle().await;
    assert_eq!(next.keys.status().state, KeyState::Fresh);
    assert_eq!(next.fetch.arrived(), 1);
}

/// Rule 7 for imported keys. T-JWKS-4
#[tokio::test(start_paused = true)]
async fn a_fetch_replaces_imported_keys_whole() {
    let (first, snapshot) = exported(None).await;
    first.issuer.rotate_and_retire();
    let next = started(importing(&snapshot), first.issuer, 60);
    assert_eq!(next.ask("key-1").await, Verdict::Known, "before the fetch");
    next.settle().await;
    assert_eq!(next.ask("key-1").await, Verdict::Unknown, "after it");
    assert_eq!(next.ask("key-2").await, Verdict::Known);
}

/// T-JWKS-3
#[tokio::test(start_paused = true)]
async fn a_token_of_a_key_newer_than_the_snapshot_is_verified_with_the_first_fetch() {
    let (first, snapshot) = exported(None).await;
    first.issuer.rotate();
    let next = started(importing(&snapshot), first.issuer, 60);
    assert!(next.verify(next.issuer.token()).await.is_ok());
    assert!(next.verify(next.issuer.forged_token()).await.is_err());
    assert_eq!(next.fetch.arrived(), 1);
}

/// T-JWKS-13: keys die when they would have died in the process that fetched them.
#[tokio::test(start_paused = true)]
async fn imported_keys_die_an_hour_after_the_time_that_they_were_fresh_for() {
    for (max_age, life) in [(None, 4200), (Some(300), 3900), (Some(3600), 7200)] {
        let (first, snapshot) = exported(max_age).await;
        let next = started(importing(&snapshot), first.issuer, 60);
        next.fetch.always(|_| answer::failure(FetchErrorKind::Connect));
        next.pass(s(life - 61)).await;
        assert_eq!(next.ask("key-1").await, Verdict::Known, "{max_age:?}");
        next.settle().await;
        next.pass(s(1)).await;
        assert!(
            matches!(next.ask("key-1").await, Verdict::Unavailable(_)),
            "{max_age:?}"
        );
        assert_eq!(next.keys.status().state, KeyState::Dead);
    }
}

/// T-JWKS-13
#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_dead_or_from_the_future_is_ignored() {
    let (first, snapshot) = exported(None).await;
    for (after, state) in [
        (0, KeyState::Stale),
        (4199, KeyState::Stale),
        (4200, KeyState::Empty),
        (1_000_000_000, KeyState::Empty),
    ] {
        let next = started(importing(&snapshot), first.issuer.clone(), after);
        assert_eq!(next.keys.status().state, state, "{after} s later");
    }
    let earlier = ManualClock::at(START - 1);
    let keys = importing(&snapshot)
        .fetch(ScriptedFetch::serving(&first.issuer))
        .clock(earlier)
        .build()
        .expect("not an error: the clock may be wrong");
    assert_eq!(keys.status().state, KeyState::Empty);
    assert!(keys.export().is_none());
    assert_eq!(ask(&keys, "key-1").await, Verdict::Known, "it fetches as ever");
}

/// T-JWKS-11: the wall clock is read once, at the start.
#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_jumps_after_the_import_changes_nothing() {
    let (first, snapshot) = exported(None).await;
    for wall in [0, START * 2] {
        let next = started(importing(&snapshot), first.issuer.clone(), 60);
        next.fetch.always(|_| answer::failure(FetchErrorKind::Connect));
        next.clock.set_wall(wall);
        next.pass(s(4139)).await;
        assert_eq!(next.ask("key-1").await, Verdict::Known);
        next.settle().await;
        next.pass(s(1)).await;
        assert!(matches!(next.ask("key-1").await, Verdict::Unavailable(_)));
    }
}

/// T-JWKS-13: no validator is carried over, so that "not modified" cannot keep imported keys alive.
#[tokio::test(start_paused = true)]
async fn a_server_that_confirms_everything_does_not_keep_imported_keys_alive() {
    let (first, snapshot) = exported(None).await;
    let next = started(importing(&snapshot), first.issuer, 0);
    next.fetch
        .always(|_| answer::with_header(answer::status(304), "etag", "\"any\""));
    for _ in 0..60 {
        assert_eq!(next.ask("key-1").await, Verdict::Known);
        next.settle().await;
        next.pass(s(69)).await;
    }
    assert_eq!(next.ask("key-1").await, Verdict::Known);
    next.pass(s(60)).await;
    assert!(matches!(next.ask("key-1").await, Verdict::Unavailable(_)));
    assert!(next.fetch.arrived() > 10);
    let asked = next.fetch.requests();
    assert!(
        asked
            .iter()
            .all(|request| !request.headers().contains_key("if-none-match"))
    );
}

/// T-JWKS-13
#[tokio::test(start_paused = true)]
async fn a_snapshot_of_another_source_is_a_mistake_in_the_configuration() {
    let (_, at) = exported(None).await;
    let discovering = World::with(RemoteKeySet::discover(ISSUER), TestIssuer::new(ISSUER));
    discovering.keys.warm().await.expect("the issuer answers");
    let discovered = discovering.keys.export().expect("there are keys");
    let queried = World::with(
        RemoteKeySet::at(format!("{JWKS}?tenant=a")),
        TestIssuer::new(ISSUER),
    );
    queried.keys.warm().await.expect("the issuer answers");
    let tenant = queried.keys.export().expect("there are keys");

    let builds = |builder: RemoteKeySetBuilder, snapshot: &KeySnapshot| {
        let builder = builder
            .fetch(ScriptedFetch::new())
            .import(through_bytes(snapshot));
        builder.clock(ManualClock::default()).build().is_ok()
    };
    assert!(builds(RemoteKeySet::at(JWKS), &at));
    assert!(builds(RemoteKeySet::discover(ISSUER), &discovered));
    assert!(builds(RemoteKeySet::at(format!("{JWKS}?tenant=a")), &tenant));
    for other in [
        RemoteKeySet::at("https://other.test/jwks"),
        RemoteKeySet::at("https://issuer.test/jwks/"),
        RemoteKeySet::at(format!("{JWKS}?tenant=b")),
        RemoteKeySet::discover(JWKS),
    ] {
        assert!(!builds(other, &at));
    }
    for other in [
        RemoteKeySet::discover("https://other.test"),
        RemoteKeySet::discover("https://issuer.test/"),
        RemoteKeySet::at(ISSUER),
    ] {
        assert!(!builds(other, &discovered));
    }
    assert!(!builds(RemoteKeySet::at(JWKS), &tenant));
    assert!(!builds(RemoteKeySet::at(format!("{JWKS}?tenant=b")), &tenant));
}

/// An import that was never replaced is as old as it was: exporting it again wins no time.
#[tokio::test(start_paused = true)]
async fn keys_that_are_exported_again_are_as_old_as_before() {
    let (first, snapshot) = exported(None).await;
    let next = started(importing(&snapshot), first.issuer.clone(), 2000);
    next.fetch.always(|_| answer::failure(FetchErrorKind::Connect));
    next.pass(s(1000)).await;
    assert_eq!(next.keys.status().age, Some(s(3000)));
    let again = next.keys.export().expect("they live");
    assert_eq!(again.to_bytes(), snapshot.to_bytes());
    let third = started(importing(&again), first.issuer, 4200);
    assert_eq!(third.keys.status().state, KeyState::Empty);
}

#[tokio::test(start_paused = true)]
async fn keys_are_exported_while_they_live_and_with_their_age() {
    let world = World::cold();
    assert!(world.keys.export().is_none(), "there are none");
    world.keys.warm().await.expect("the issuer answers");
    for (pass, age) in [(0, 0), (599, 599), (3600, 4199)] {
        world.pass(s(pass)).await;
        let snapshot = world.keys.export().expect("they live");
        assert_eq!(snapshot.fetched_at().as_unix_seconds(), START, "{age} s old");
    }
    world.pass(s(1)).await;
    assert!(world.keys.export().is_none(), "they are dead");

    // "Not modified" makes them young again.
    drop(world.keys.refresh(RefreshReason::NoKeys));
    world.settle().await;
    let status = world.keys.status();
    assert_eq!((status.state, status.failures), (KeyState::Fresh, 0));
    let confirmed = world.keys.export().expect("they live");
    assert_eq!(confirmed.fetched_at().as_unix_seconds(), START + 4200);
}
