//! Keys outlive the outages of their issuer, for a while.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::task::{Context, Poll, Waker};

use portcullis_fetch::FetchErrorKind;
use portcullis_jwks::{JwksFetchErrorKind, KeyState, RemoteKeySet};
use portcullis_jwt::{JwksError, JwtError, KeySet, RefreshReason};
use portcullis_test::answer::Answer;
use portcullis_test::{SigningKey, TestIssuer, answer};
use serde_json::json;
use tokio::time::Instant;

use crate::support::{ISSUER, JWKS, Verdict, World, ask, s};

mod support;

fn of_type(content_type: &str) -> Answer {
    let world = TestIssuer::new(ISSUER);
    let mut answer = answer::json(world.jwks());
    if let Ok(answer) = &mut answer {
        let value = content_type.parse().expect("a header value");
        answer.headers_mut().insert(http::header::CONTENT_TYPE, value);
    }
    answer
}

fn set_of(count: usize) -> Answer {
    let key = SigningKey::es256("key").public_jwk();
    answer::json(json!({"keys": vec![key; count]}).to_string())
}

fn too_large() -> Answer {
    answer::json(" ".repeat(128 * 1024 + 1))
}

/// Every way in which an answer can be bad, and what it is called.
fn bad_answers() -> Vec<(Answer, JwksFetchErrorKind)> {
    use JwksFetchErrorKind::{Fetch, KeySet, Status};
    vec![
        (answer::status(500), Status(500)),
        (answer::status(404), Status(404)),
        (answer::status(204), Status(204)),
        (
            answer::failure(FetchErrorKind::Timeout),
            Fetch(FetchErrorKind::Timeout),
        ),
        (
            answer::failure(FetchErrorKind::Connect),
            Fetch(FetchErrorKind::Connect),
        ),
        (answer::json("garbage"), KeySet(JwksError::Malformed)),
        (answer::json(""), KeySet(JwksError::Malformed)),
        (answer::json("[]"), KeySet(JwksError::Malformed)),
        (answer::json("{}"), KeySet(JwksError::Malformed)),
        (answer::json(r#"{"keys":[]}"#), KeySet(JwksError::NoUsableKeys)),
        (
            answer::json(r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#),
            KeySet(JwksError::NoUsableKeys),
        ),
        (set_of(101), KeySet(JwksError::TooManyKeys)),
        (too_large(), Fetch(FetchErrorKind::TooLarge)),
        (of_type("text/html"), Fetch(FetchErrorKind::MediaType)),
        (
            answer::with_header(answer::status(302), "location", "https://evil.test/jwks"),
            Fetch(FetchErrorKind::Redirect),
        ),
    ]
}

/// T-JWKS-5
#[tokio::test(start_paused = true)]
async fn a_bad_answer_keeps_the_last_good_set_for_an_hour_and_then_nothing_is_decided() {
    for (bad, kind) in bad_answers() {
        let world = World::warm().await;
        world.fetch.always(move |_| bad.clone());
        world.pass(s(500)).await;
        assert_eq!(world.ask("key-1").await, Verdict::Known);
        world.settle().await;
        let status = world.keys.status();
        assert_eq!((status.failures, status.last_error), (1, Some(kind)));
        assert_eq!((status.state, status.keys), (KeyState::Due, 1), "{kind:?}");

        world.pass(s(3_699)).await;
        assert_eq!(world.keys.status().state, KeyState::Stale, "{kind:?}");
        let verified = world.verify(world.issuer.token()).await;
        assert!(verified.is_ok(), "{kind:?}: {verified:?}");
        world.settle().await;

        world.pass(s(1)).await;
        assert_eq!(world.keys.status().state, KeyState::Dead, "{kind:?}");
        let refused = world.verify(world.issuer.token()).await.err();
        let undecided = matches!(refused, Some(JwtError::KeysUnavailable { retry_after: Some(_) }));
        assert!(undecided, "{kind:?}: {refused:?}");
    }
}

/// T-JWKS-5: the way back
#[tokio::test(start_paused = true)]
async fn dead_keys_come_back_with_the_first_good_answer() {
    let world = World::warm().await;
    world.fetch.always(|_| answer::status(500));
    world.pass(s(10_000)).await;
    assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(Some(_))));
    world.fetch.serve(&world.issuer);
    world.pass(s(60)).await;
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    let status = world.keys.status();
    assert_eq!((status.state, status.failures), (KeyState::Fresh, 0));
}

/// T-JWKS-4: removal is revocation
#[tokio::test(start_paused = true)]
async fn a_removed_key_is_refused_after_the_next_good_answer_and_not_before() {
    let world = World::warm().await;
    let removed = world.issuer.signing_key();
    world.issuer.rotate_and_retire();
    world.fetch.push(answer::status(500));
    let old_token = || world.issuer.token().key(&removed);
    world.pass(s(500)).await;
    assert!(world.verify(old_token()).await.is_ok());
    world.settle().await;
    assert!(
        world.verify(old_token()).await.is_ok(),
        "a failure removes nothing"
    );

    world.pass(s(30)).await;
    assert!(world.verify(old_token()).await.is_ok(), "it never waits");
    world.settle().await;
    assert_eq!(world.fetch.arrived(), 3);
    let refused = world.verify(old_token()).await;
    assert_eq!(refused.err(), Some(JwtError::UnknownKey));
    assert!(world.verify(world.issuer.token()).await.is_ok());
}

/// T-JWKS-6, SS2
#[tokio::test(start_paused = true)]
async fn a_redirect_is_refused_and_its_target_never_asked() {
    for status in [301, 302, 303, 307, 308] {
        let world = World::cold();
        let elsewhere = answer::with_header(answer::status(status), "location", "https://evil.test/jwks");
        world.fetch.push(elsewhere);
        assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(_)));
        let redirected = JwksFetchErrorKind::Fetch(FetchErrorKind::Redirect);
        assert_eq!(world.keys.status().last_error, Some(redirected), "{status}");
        assert_eq!(world.fetch.request_uris(), [JWKS], "{status}");
    }
}

/// T-JWKS-7, K10
#[tokio::test(start_paused = true)]
async fn a_body_or_a_set_at_the_cap_is_taken_and_one_over_it_is_not() {
    let padded = |length: usize| {
        let jwks = TestIssuer::new(ISSUER).jwks();
        answer::json(format!("{jwks}{}", " ".repeat(length - jwks.len())))
    };
    let distinct = |count: usize| {
        let key = SigningKey::es256("key-1");
        let jwk = |kid: usize| key.with_kid(&format!("key-{kid}")).public_jwk();
        let keys: Vec<_> = (1..=count).map(jwk).collect();
        answer::json(json!({"keys": keys}).to_string())
    };
    for (answer, taken) in [
        (padded(128 * 1024), true),
        (padded(128 * 1024 + 1), false),
        (distinct(100), true),
        (distinct(101), false),
    ] {
        let world = World::cold();
        world.fetch.push(answer);
        assert_eq!(world.ask("key-1").await == Verdict::Known, taken);
    }
    let world = World::cold();
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    let limits = world.fetch.limits().expect("a request");
    assert_eq!((limits.max_body(), limits.total_timeout()), (128 * 1024, s(5)));
    assert_eq!(limits.connect_timeout(), s(2));
}

/// K10
#[tokio::test(start_paused = true)]
async fn json_is_taken_under_its_usual_names_only() {
    for (content_type, taken) in [
        ("application/json", true),
        ("application/json; charset=utf-8", true),
        ("application/jwk-set+json", true),
        ("text/html", false),
        ("text/plain", false),
    ] {
        let world = World::cold();
        world.fetch.push(of_type(content_type));
        let known = world.ask("key-1").await == Verdict::Known;
        assert_eq!(known, taken, "{content_type}");
    }
}

/// T-JWKS-9, K1, K6
#[tokio::test(start_paused = true)]
async fn one_bad_key_does_not_spoil_the_others_and_is_counted() {
    let issuer = TestIssuer::new(ISSUER);
    issuer.publish_jwk(json!("no key at all"));
    issuer.publish_jwk(json!({"kty": "EC", "crv": "P-256", "kid": "half", "x": "AA"}));
    issuer.publish_jwk(json!({"kty": "quantum", "kid": "new"}));
    issuer.publish_jwk(SigningKey::hs256("shared").secret_jwk());
    issuer.publish_jwk(SigningKey::es256("private").secret_jwk());
    let world = World::with(RemoteKeySet::at(JWKS), issuer);
    let verified = world.verify(world.issuer.token()).await;
    assert!(verified.is_ok(), "{verified:?}");
    let status = world.keys.status();
    assert_eq!((status.keys, status.skipped.total()), (1, 5));
    assert_eq!((status.skipped.private, status.skipped.unsupported), (2, 1));
    for kid in ["half", "new", "shared", "private"] {
        assert_eq!(world.ask(kid).await, Verdict::Unknown, "{kid}");
    }
}

/// T-JWKS-8
#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_does_not_end_the_fetch_for_others() {
    let world = World::cold();
    let hold = world.fetch.hold();
    let start = |keys: &RemoteKeySet| {
        let keys = keys.clone();
        tokio::spawn(async move { ask(&keys, "key-1").await })
    };
    let impatient = start(&world.keys);
    world.fetch.until_arrived(1).await;
    let patient = start(&world.keys);
    World::yield_to_others().await;
    impatient.abort();
    assert!(impatient.await.is_err_and(|error| error.is_cancelled()));
    hold.release();
    assert_eq!(patient.await.expect("it does not panic"), Verdict::Known);
    assert_eq!(world.fetch.arrived(), 1);
}

/// T-JWKS-8: nobody waits any more
#[tokio::test(start_paused = true)]
async fn a_fetch_that_everybody_left_still_brings_keys() {
    let world = World::cold();
    let hold = world.fetch.hold();
    drop(world.keys.refresh(RefreshReason::NoKeys));
    world.fetch.until_arrived(1).await;
    hold.release();
    world.settle().await;
    assert_eq!(world.keys.status().state, KeyState::Fresh);
    assert!(world.keys.current().is_ok());
}

/// T-JWKS-11
#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_jumps_changes_nothing() {
    let world = World::warm().await;
    for wall in [0, 10_000_000_000, 1_800_000_000] {
        world.clock.set_wall(wall);
        assert_eq!(world.keys.status().state, KeyState::Fresh, "{wall}");
        assert_eq!(world.ask("key-1").await, Verdict::Known, "{wall}");
        assert_eq!(world.ask("evil").await, Verdict::Unknown, "{wall}");
    }
    assert_eq!(world.fetch.arrived(), 1);
}

/// T-JWKS-12
#[tokio::test(start_paused = true)]
async fn an_issuer_that_never_answers_costs_a_request_two_seconds_and_an_attempt_five() {
    let world = World::cold();
    let hold = world.fetch.hold();
    let start = Instant::now();
    assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(Some(_))));
    assert_eq!(start.elapsed(), s(2));
    assert!(world.keys.status().fetching, "the attempt goes on");
    tokio::time::sleep(s(3)).await;
    world.settle().await;
    assert_eq!(start.elapsed(), s(5));
    let timeout = JwksFetchErrorKind::Fetch(FetchErrorKind::Timeout);
    assert_eq!(world.keys.status().last_error, Some(timeout));
    assert_eq!((world.fetch.arrived(), world.fetch.answered()), (1, 0));
    hold.release();
}

/// Rule 6 of the crate's documentation
#[tokio::test(start_paused = true)]
async fn retry_after_holds_attempts_back_for_at_most_five_minutes() {
    for (asked, waits) in [("7", 7), ("300", 300), ("86400", 300), ("soon", 1)] {
        let world = World::cold();
        let busy = answer::with_header(answer::status(503), "retry-after", asked);
        world.fetch.push(busy);
        assert_eq!(
            world.ask("key-1").await,
            Verdict::Unavailable(Some(s(waits))),
            "{asked}"
        );
        world.pass(s(waits) - s(1) / 2).await;
        assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(_)));
        assert_eq!(world.fetch.arrived(), 1, "{asked}");
        world.pass(s(1) / 2).await;
        assert_eq!(world.ask("key-1").await, Verdict::Known, "{asked}");
    }
}

#[test]
fn without_a_runtime_nothing_is_fetched_and_nothing_panics() {
    let world = World::cold();
    assert!(world.keys.current().is_err());
    let mut refresh = world.keys.refresh(RefreshReason::NoKeys).expect("an answer");
    let answer = refresh.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(answer, Poll::Ready(Err(_))));
    assert_eq!((world.fetch.arrived(), world.keys.status().fetching), (0, false));
}
