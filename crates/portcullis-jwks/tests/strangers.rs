//! What tokens of strangers, made up in every way, make a service fetch.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use portcullis_fetch::FetchErrorKind;
use portcullis_jwks::RemoteKeySet;
use portcullis_jwt::{Algorithm, JwtError, TrustedIssuer, Verifier};
use portcullis_test::{SigningKey, TestIssuer, TokenBuilder, answer};
use serde_json::json;

use crate::support::{ISSUER, JWKS, Verdict, World, s};

mod support;

fn verifier(world: &World) -> Verifier {
    let issuer = TrustedIssuer::new(ISSUER, world.keys.clone())
        .algorithms([Algorithm::Es256, Algorithm::Es384])
        .audience(TokenBuilder::AUDIENCE);
    let builder = Verifier::builder().issuer(issuer).clock(world.clock.clone());
    builder.build().expect("a sound configuration")
}

/// T-JWKS-1: signed tokens, each of a key that nobody published, at a steady rate
#[tokio::test(start_paused = true)]
async fn ten_thousand_tokens_of_unpublished_keys_cause_at_most_two_fetches_in_any_minute() {
    let world = World::warm().await;
    let verifier = verifier(&world);
    let forger = SigningKey::es256("evil");
    let mut starts = Vec::new();
    for request in 0..10_000_u32 {
        let before = world.fetch.arrived();
        let forged = forger.with_kid(&format!("evil-{request}"));
        let token = world.issuer.token().key(&forged).build();
        assert_eq!(verifier.verify(&token).await.err(), Some(JwtError::UnknownKey));
        if request % 100 == 0 {
            let honest = world.issuer.token().build();
            assert!(verifier.verify(&honest).await.is_ok(), "{request}");
        }
        if world.fetch.arrived() > before {
            starts.push(request);
        }
        world.pass(s(180) / 10_000).await;
    }
    assert!(
        (3..=6).contains(&starts.len()),
        "rotation would be noticed: {starts:?}"
    );
    let in_a_minute = 10_000 / 3;
    for window in starts.windows(3) {
        assert!(window[2] - window[0] >= in_a_minute, "{starts:?}");
    }
}

/// T-JWKS-2: up and down, at the worst moments
#[tokio::test(start_paused = true)]
async fn an_hour_of_strangers_and_outages_costs_no_known_caller_anything() {
    let world = World::warm().await;
    let verifier = verifier(&world);
    let honest = world.issuer.token().lifetime(7_200).build();
    let mut starts = Vec::new();
    for second in 0..3_600_u64 {
        match second % 600 {
            0 => world.fetch.serve(&world.issuer),
            240 => world.fetch.always(|_| answer::failure(FetchErrorKind::Connect)),
            420 => world
                .fetch
                .always(|_| answer::with_header(answer::status(429), "retry-after", "20")),
            _ => {}
        }
        let before = world.fetch.arrived();
        let stranger = world.issuer.token().kid(&format!("evil-{second}")).build();
        let refused = verifier.verify(&stranger).await.err();
        let expected = matches!(
            refused,
            Some(JwtError::UnknownKey | JwtError::KeysUnavailable { retry_after: Some(_) })
        );
        assert!(expected, "{second}: {refused:?}");
        assert!(verifier.verify(&honest).await.is_ok(), "{second}");
        world.settle().await;
        if world.fetch.arrived() > before {
            starts.push(second);
        }
        world.pass(s(1)).await;
    }
    for window in starts.windows(3) {
        assert!(window[2] - window[0] >= 60, "{window:?}");
    }
}

/// T-JWKS-2: an issuer that asks to be left alone is, longer than thirty seconds
#[tokio::test(start_paused = true)]
async fn strangers_do_not_break_what_retry_after_asks_for() {
    let world = World::warm().await;
    world.pass(s(30)).await;
    world
        .fetch
        .push(answer::with_header(answer::status(429), "retry-after", "120"));
    for second in 0..120 {
        assert_eq!(
            world.ask("evil").await,
            Verdict::Unavailable(Some(s(120 - second)))
        );
        assert_eq!(world.ask("key-1").await, Verdict::Known);
        world.pass(s(1)).await;
    }
    assert_eq!(world.fetch.arrived(), 2);
    assert_eq!(world.ask("evil").await, Verdict::Unknown);
    assert_eq!(world.fetch.arrived(), 3);
}

/// T-JWKS-1: what can be refused without keys is, before anything is fetched
#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_anyway_causes_no_fetch() {
    let world = World::warm().await;
    world.pass(s(60)).await;
    let verifier = verifier(&world);
    let unknown = || world.issuer.token().kid("evil");
    for (token, error) in [
        (
            unknown().claim("iss", "https://evil.test").build(),
            JwtError::Issuer,
        ),
        (
            unknown().claim("iss", format!("{ISSUER}/")).build(),
            JwtError::Issuer,
        ),
        (unknown().alg("RS256").build(), JwtError::AlgorithmNotAllowed),
        (unknown().alg("HS256").build(), JwtError::AlgorithmNotAllowed),
    ] {
        assert_eq!(verifier.verify(&token).await.err(), Some(error));
    }
    for token in [
        unknown().alg("none").unsigned().build(),
        unknown().header("crit", json!(["exp"])).build(),
        unknown().raw_header("{").build(),
        unknown().padded().build(),
        unknown().kid("").build(),
        unknown().header("kid", json!(7)).build(),
        unknown().header("kid", json!(["key-1"])).build(),
        "a.b.c".to_owned(),
        String::new(),
    ] {
        assert!(verifier.verify(&token).await.is_err());
    }
    assert_eq!(world.fetch.arrived(), 1);
}

/// R4, T-HDR-1: names that look like addresses, lines and paths are compared and nothing else
#[tokio::test(start_paused = true)]
async fn no_key_id_and_no_header_of_a_token_reaches_a_request() {
    let long = "k".repeat(4_000);
    let kids = [
        "https://evil.test/jwks",
        "../../../etc/passwd",
        "?kid=evil",
        "#evil",
        "evil\r\nx-evil: 1",
        "evil\0",
        "',(select evil)--",
        "ключ-evil",
        long.as_str(),
    ];
    let world = World::with(RemoteKeySet::discover(ISSUER), TestIssuer::new(ISSUER));
    world.keys.warm().await.expect("the issuer answers");
    let verifier = verifier(&world);
    for kid in kids {
        world.pass(s(30)).await;
        let before = world.fetch.arrived();
        let token = world
            .issuer
            .token()
            .kid(kid)
            .header("jku", "https://evil.test/jwks")
            .header("x5u", "https://evil.test/x5u")
            .header("jwk", SigningKey::es256("evil").public_jwk())
            .build();
        assert_eq!(
            verifier.verify(&token).await.err(),
            Some(JwtError::UnknownKey),
            "{kid:?}"
        );
        assert_eq!(world.fetch.arrived(), before + 1, "{kid:?}");
    }
    let plain = &world.fetch.requests()[1];
    for request in &world.fetch.requests()[2..] {
        assert_eq!(request.uri(), plain.uri());
        assert!(request.body().is_empty() && request.method() == http::Method::GET);
        let names: Vec<_> = request.headers().keys().map(http::HeaderName::as_str).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names.contains(&"accept") && names.contains(&"if-none-match"));
    }
    assert_eq!(world.ask("key-1").await, Verdict::Known);
}

/// Rule 5 of the crate's documentation: a thousand forgeries under a known name
#[tokio::test(start_paused = true)]
async fn forgeries_under_a_known_key_id_never_fetch() {
    let world = World::warm().await;
    let verifier = verifier(&world);
    for second in 0..400 {
        let token = world.issuer.forged_token().build();
        assert_eq!(
            verifier.verify(&token).await.err(),
            Some(JwtError::Signature),
            "{second}"
        );
        world.pass(s(1)).await;
    }
    assert_eq!(world.fetch.arrived(), 1);
}

/// A known key id under an algorithm that its key does not serve is a key that is not there (K3, K4); it
/// costs what an unknown key id costs.
#[tokio::test(start_paused = true)]
async fn a_known_key_id_under_another_algorithm_is_bounded_as_an_unknown_one() {
    let world = World::warm().await;
    let verifier = verifier(&world);
    for _ in 0..120 {
        let token = world.issuer.token().alg("ES384").build();
        assert_eq!(verifier.verify(&token).await.err(), Some(JwtError::UnknownKey));
        world.pass(s(1)).await;
    }
    assert!(world.fetch.arrived() <= 1 + 4, "{}", world.fetch.arrived());
}

/// T-JWKS-10: without a key id, and with no key that could be meant, the same bound
#[tokio::test(start_paused = true)]
async fn tokens_without_key_id_are_bounded_as_unknown_ones() {
    let world = World::with(
        RemoteKeySet::at(JWKS),
        TestIssuer::new(ISSUER).with_key(&SigningKey::eddsa("key-1")),
    );
    world.keys.warm().await.expect("the issuer answers");
    let verifier = verifier(&world);
    let forger = SigningKey::es256("evil");
    for _ in 0..120 {
        let token = world.issuer.token().key(&forger).without_header("kid").build();
        assert_eq!(verifier.verify(&token).await.err(), Some(JwtError::UnknownKey));
        world.pass(s(1)).await;
    }
    assert!(world.fetch.arrived() <= 1 + 4, "{}", world.fetch.arrived());
}

/// T-JWKS-3: rotation while strangers keep the thirty seconds running
#[tokio::test(start_paused = true)]
async fn a_rotation_in_the_middle_of_a_flood_is_noticed_within_thirty_seconds() {
    let world = World::warm().await;
    let verifier = verifier(&world);
    let mut rotated_at = None;
    for second in 0..120 {
        let evil = world.issuer.token().kid(&format!("evil-{second}")).build();
        let _ = verifier.verify(&evil).await;
        if second == 61 {
            world.issuer.rotate();
            rotated_at = Some(second);
        }
        let refused = verifier.verify(&world.issuer.token().build()).await.err();
        let blind = rotated_at.is_some_and(|rotated| second - rotated < 30);
        assert!(refused.is_none() || blind, "{second}: {refused:?}");
        world.pass(s(1)).await;
    }
}

/// T-JWKS-1: with no keys at all, and one trusted issuer, whose name the stranger does not know
#[tokio::test(start_paused = true)]
async fn a_strangers_token_fetches_nothing_even_when_there_are_no_keys() {
    let world = World::cold();
    let verifier = verifier(&world);
    let stranger = TestIssuer::new("https://stranger.test").clock(world.clock.clone());
    let token = stranger.token().build();
    assert_eq!(verifier.verify(&token).await.err(), Some(JwtError::Issuer));
    assert_eq!(verifier.verify_now(&token).err(), Some(JwtError::Issuer));
    world.settle().await;
    assert_eq!(world.fetch.arrived(), 0);

    // Whoever cannot wait gets keys fetched for whoever comes next.
    let honest = world.issuer.token().build();
    assert!(matches!(
        verifier.verify_now(&honest),
        Err(JwtError::KeysUnavailable { .. })
    ));
    world.settle().await;
    assert!(verifier.verify_now(&honest).is_ok());
}
