//! Key ids that are not in the set: rotation is noticed, a flood is not passed on.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::time::Duration;

use portcullis_fetch::FetchErrorKind;
use portcullis_jwks::RemoteKeySet;
use portcullis_jwt::{JwtError, KeySet, RefreshReason};
use portcullis_test::{SigningKey, TestIssuer, answer};
use tokio::time::Instant;

use crate::support::{ISSUER, JWKS, Verdict, World, ask, s};

mod support;

const FLOOD: u32 = 10_000;

/// Ten thousand requests in one minute, each with a key id of its own; the verdicts.
async fn flood(world: &World) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for request in 0..FLOOD {
        verdicts.push(world.ask(&format!("evil-{request}")).await);
        world.pass(s(60) / FLOOD).await;
    }
    verdicts
}

/// T-JWKS-1, K9
#[tokio::test(start_paused = true)]
async fn unknown_kid_flood_of_ten_thousand_causes_at_most_two_fetches_a_minute() {
    let world = World::warm().await;
    for minute in 1..=3 {
        let before = world.fetch.arrived();
        let verdicts = flood(&world).await;
        let fetches = world.fetch.arrived() - before;
        assert!(fetches <= 2, "{fetches} in minute {minute}");
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Unknown));
    }
    assert!(world.fetch.arrived() > 1, "rotation would be noticed");
}

/// T-JWKS-2, K9
#[tokio::test(start_paused = true)]
async fn unknown_kid_flood_while_the_issuer_is_down_spares_it_and_the_known_keys() {
    let world = World::warm().await;
    world.fetch.always(|_| answer::failure(FetchErrorKind::Connect));
    world.pass(s(30)).await;
    let mut starts = Vec::new();
    for request in 0..FLOOD {
        let before = world.fetch.arrived();
        let verdict = world.ask(&format!("evil-{request}")).await;
        assert!(matches!(verdict, Verdict::Unavailable(Some(_))), "{verdict:?}");
        assert_eq!(world.ask("key-1").await, Verdict::Known);
        if world.fetch.arrived() > before {
            starts.push(request);
        }
        world.pass(s(60) / FLOOD).await;
    }
    assert_eq!(starts, [0, FLOOD / 2], "every thirty seconds");
}

/// T-JWKS-2: the back-off, where there are no keys that could answer
#[tokio::test(start_paused = true)]
async fn a_flood_without_any_keys_backs_off() {
    let world = World::with(RemoteKeySet::at(JWKS), TestIssuer::new(ISSUER));
    world.fetch.always(|_| answer::failure(FetchErrorKind::Connect));
    for _ in 0..FLOOD {
        let verdict = world.ask("key-1").await;
        assert!(matches!(verdict, Verdict::Unavailable(Some(_))), "{verdict:?}");
        world.pass(s(60) / FLOOD).await;
    }
    // Jitter at its lowest: never more than one in a second.
    assert!(world.fetch.arrived() <= 61, "{}", world.fetch.arrived());
    let status = world.keys.status();
    assert_eq!(status.failures as usize, world.fetch.arrived());
}

/// T-JWKS-3, K8
#[tokio::test(start_paused = true)]
async fn a_rotated_key_is_fetched_once_and_the_first_request_with_it_succeeds() {
    let world = World::warm().await;
    world.pass(s(30)).await;
    let old = world.issuer.signing_key();
    world.issuer.rotate();
    for _ in 0..3 {
        let verified = world.verify(world.issuer.token()).await;
        assert!(verified.is_ok(), "{verified:?}");
    }
    assert_eq!(world.fetch.arrived(), 2);
    let verified = world.verify(world.issuer.token().key(&old)).await;
    assert!(verified.is_ok(), "still published: {verified:?}");
    assert_eq!(world.fetch.arrived(), 2);
}

/// R8, K9
#[tokio::test(start_paused = true)]
async fn fifty_unknown_kids_at_once_share_one_fetch() {
    let world = World::warm().await;
    world.pass(s(30)).await;
    let hold = world.fetch.hold();
    let waiting: Vec<_> = (0..50)
        .map(|request| {
            let keys = world.keys.clone();
            tokio::spawn(async move { ask(&keys, &format!("evil-{request}")).await })
        })
        .collect();
    World::yield_to_others().await;
    hold.release();
    for verdict in waiting {
        assert_eq!(verdict.await.expect("it does not panic"), Verdict::Unknown);
    }
    assert_eq!(world.fetch.arrived(), 2);
}

/// R3
#[tokio::test(start_paused = true)]
async fn a_known_key_does_not_wait_for_the_fetch_of_an_unknown_one() {
    let world = World::warm().await;
    world.pass(s(30)).await;
    let hold = world.fetch.hold();
    let keys = world.keys.clone();
    let evil = tokio::spawn(async move { ask(&keys, "evil").await });
    world.fetch.until_arrived(2).await;

    let start = Instant::now();
    let verified = world.verify(world.issuer.token()).await;
    assert!(verified.is_ok(), "{verified:?}");
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(!evil.is_finished());
    hold.release();
    assert_eq!(evil.await.expect("it does not panic"), Verdict::Unknown);
}

/// R4
#[tokio::test(start_paused = true)]
async fn the_key_id_of_a_caller_is_sent_nowhere() {
    let world = World::warm().await;
    world.pass(s(30)).await;
    let refused = world.verify(world.issuer.token().kid("evil-kid")).await;
    assert_eq!(refused.err(), Some(JwtError::UnknownKey));
    assert_eq!(world.fetch.arrived(), 2, "it was asked for");
    assert_eq!(world.fetch.request_uris(), [JWKS, JWKS]);
    for request in world.fetch.requests() {
        assert!(!format!("{request:?}").contains("evil"), "{request:?}");
    }
}

/// Rule 5 of the crate's documentation
#[tokio::test(start_paused = true)]
async fn a_known_key_whose_signature_fails_never_fetches() {
    let world = World::warm().await;
    world.pass(s(60)).await;
    let forger = SigningKey::es256("key-1");
    for token in [
        world.issuer.token().tampered_signature(),
        world.issuer.token().signed_by(&forger),
    ] {
        let refused = world.verify(token).await;
        assert_eq!(refused.err(), Some(JwtError::Signature));
    }
    assert_eq!(world.fetch.arrived(), 1);
}

/// T-JWKS-10
#[tokio::test(start_paused = true)]
async fn two_keys_of_one_name_are_ambiguous_and_cause_no_fetch() {
    let issuer = TestIssuer::new(ISSUER);
    issuer.add_key(&SigningKey::es256("key-1"));
    let world = World::with(RemoteKeySet::at(JWKS), issuer);
    world.keys.warm().await.expect("the issuer answers");
    world.pass(s(60)).await;
    let refused = world.verify(world.issuer.token()).await;
    assert_eq!(refused.err(), Some(JwtError::AmbiguousKey));
    assert_eq!(world.fetch.arrived(), 1);
}

/// T-JWKS-10, K5
#[tokio::test(start_paused = true)]
async fn a_token_without_kid_needs_exactly_one_key() {
    let world = World::warm().await;
    let verified = world.verify(world.issuer.token().without_header("kid")).await;
    assert!(verified.is_ok(), "one candidate: {verified:?}");

    world.issuer.rotate();
    world.pass(s(600)).await;
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    world.settle().await;
    let before = world.fetch.arrived();
    let refused = world.verify(world.issuer.token().without_header("kid")).await;
    assert_eq!(refused.err(), Some(JwtError::AmbiguousKey));
    assert_eq!(world.fetch.arrived(), before);
}

/// The verdict of an unknown key id: 401 after a good attempt, 503 after a failed one
#[tokio::test(start_paused = true)]
async fn an_unknown_kid_is_refused_only_if_the_source_is_well() {
    let world = World::warm().await;
    assert!(
        world.keys.refresh(RefreshReason::UnknownKey).is_none(),
        "cool-down"
    );
    let refused = world.verify(world.issuer.token().kid("evil")).await;
    assert_eq!(refused.err(), Some(JwtError::UnknownKey));

    world.pass(s(30)).await;
    world.fetch.push(answer::status(500));
    for _ in 0..2 {
        let undecided = world.verify(world.issuer.token().kid("new")).await;
        let undecided = matches!(undecided, Err(JwtError::KeysUnavailable { retry_after: Some(_) }));
        assert!(undecided);
    }
    assert_eq!(world.fetch.arrived(), 2);

    world.pass(s(30)).await;
    let refused = world.verify(world.issuer.token().kid("evil")).await;
    assert_eq!(refused.err(), Some(JwtError::UnknownKey), "it is well again");
}
