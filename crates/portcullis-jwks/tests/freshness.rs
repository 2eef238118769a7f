//! When keys are fetched, and by how many.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use portcullis_jwks::{JwksFetchErrorKind, KeyState, RemoteKeySet};
use portcullis_jwt::{KeySet, RefreshReason};
use portcullis_test::{TestIssuer, answer};

use crate::support::{ISSUER, JWKS, Verdict, World, ask, s};

mod support;

/// Rule 3 of the crate's documentation, K9
#[tokio::test(start_paused = true)]
async fn a_hundred_cold_requests_share_one_fetch() {
    let world = World::cold();
    let hold = world.fetch.hold();
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let keys = world.keys.clone();
            tokio::spawn(async move { ask(&keys, "key-1").await })
        })
        .collect();
    World::yield_to_others().await;
    hold.release();
    for verdict in waiting {
        assert_eq!(verdict.await.expect("it does not panic"), Verdict::Known);
    }
    assert_eq!(world.fetch.arrived(), 1);
}

/// Rule 2 of the crate's documentation
#[tokio::test(start_paused = true)]
async fn due_and_stale_keys_answer_at_once_and_start_one_fetch() {
    for (age, state) in [(480, KeyState::Due), (600, KeyState::Stale)] {
        let world = World::warm().await;
        world.pass(s(age)).await;
        assert_eq!(world.keys.status().state, state);
        let hold = world.fetch.hold();
        for _ in 0..100 {
            assert!(world.keys.current().is_ok());
            tokio::task::yield_now().await;
        }
        assert_eq!(world.fetch.arrived(), 2, "{state:?}");
        hold.release();
        world.settle().await;
        assert_eq!(world.keys.status().state, KeyState::Fresh);
    }
}

/// Rule 1 of the crate's documentation
#[tokio::test(start_paused = true)]
async fn freshness_is_what_the_answer_says_within_bounds() {
    for (said, fresh_for) in [
        (None, 600),
        (Some("max-age=900"), 900),
        (Some("max-age=1"), 300),
        (Some("no-store"), 300),
        (Some("no-cache, max-age=900"), 300),
        (Some("max-age=86400"), 3_600),
    ] {
        let world = World::cold();
        if let Some(said) = said {
            world.issuer.set_cache_control(said);
        }
        world.keys.warm().await.expect("the issuer answers");
        world.pass(s(fresh_for - 1)).await;
        assert_eq!(world.keys.status().state, KeyState::Due, "{said:?}");
        world.pass(s(1)).await;
        assert_eq!(world.keys.status().state, KeyState::Stale, "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_set_is_confirmed_by_its_etag() {
    let world = World::warm().await;
    world.pass(s(500)).await;
    assert!(world.keys.current().is_ok());
    world.settle().await;
    let requests = world.fetch.requests();
    let conditional: Vec<_> = requests
        .iter()
        .map(|request| request.headers().contains_key(http::header::IF_NONE_MATCH))
        .collect();
    assert_eq!(conditional, [false, true]);
    let status = world.keys.status();
    assert_eq!(
        (status.state, status.age, status.keys),
        (KeyState::Fresh, Some(s(0)), 1)
    );
    assert_eq!(world.ask("key-1").await, Verdict::Known);
}

#[tokio::test(start_paused = true)]
async fn not_modified_without_a_question_is_a_failure() {
    let world = World::cold();
    world.fetch.push(answer::status(304));
    assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(_)));
    let status = world.keys.status();
    assert_eq!(status.last_error, Some(JwksFetchErrorKind::Status(304)));
    assert_eq!(status.state, KeyState::Empty);
}

#[tokio::test(start_paused = true)]
async fn warming_up_fetches_once_and_says_whether_there_are_keys() {
    let world = World::cold();
    world.fetch.push(answer::status(500));
    let unavailable = world.keys.warm().await.expect_err("the issuer is down");
    assert!(unavailable.retry_after().is_some());
    world.pass(s(60)).await;
    world.keys.warm().await.expect("it is up again");
    world.keys.warm().await.expect("it has keys");
    assert_eq!(world.fetch.arrived(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_ends_a_fetch_that_is_under_way() {
    let world = World::cold();
    let hold = world.fetch.hold();
    let other = world.keys.clone();
    let waiting = world.keys.refresh(RefreshReason::NoKeys).expect("worth waiting");
    world.fetch.until_arrived(1).await;
    drop(other);
    World::yield_to_others().await;
    assert!(world.keys.status().fetching, "one handle is left");

    let World { keys, fetch, .. } = world;
    drop(keys);
    assert!(waiting.await.is_err(), "whoever waits is told");
    hold.release();
    World::yield_to_others().await;
    assert_eq!((fetch.arrived(), fetch.answered()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_status_tells_a_health_endpoint_what_it_needs() {
    let world = World::cold();
    let status = world.keys.status();
    assert_eq!((status.state, status.state.is_ready()), (KeyState::Empty, false));
    assert_eq!((status.keys, status.age, status.failures), (0, None, 0));
    world
        .fetch
        .push(answer::with_header(answer::status(503), "retry-after", "9"));
    assert!(world.keys.warm().await.is_err());
    let status = world.keys.status();
    assert_eq!(status.next_attempt_in, Some(s(9)));
    assert_eq!(status.last_error, Some(JwksFetchErrorKind::Status(503)));
    world.pass(s(9)).await;
    assert_eq!(world.keys.status().next_attempt_in, None);
    world.keys.warm().await.expect("the issuer answers");
    let status = world.keys.status();
    assert_eq!(
        (status.state, status.keys, status.failures),
        (KeyState::Fresh, 1, 0)
    );
    assert_eq!(status.last_error, None);
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_shown_holds_key_material() {
    let world = World::with(RemoteKeySet::at(JWKS), TestIssuer::new(ISSUER));
    world.keys.warm().await.expect("the issuer answers");
    let jwk = world.issuer.signing_key().public_jwk();
    let x = jwk.get("x").and_then(|x| x.as_str()).expect("an EC key");
    let shown = format!("{:?} {:?}", world.keys, world.keys.status());
    assert!(!shown.contains(x), "{shown}");
}
