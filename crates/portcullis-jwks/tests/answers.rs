//! Answers that a hostile, broken or merely old server may give.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use portcullis_jwks::{JwksFetchErrorKind, KeyState, RemoteKeySet};
use portcullis_jwt::{Algorithm, JwksError, KeySet};
use portcullis_test::answer::Answer;
use portcullis_test::{SigningKey, TestIssuer, answer};
use serde_json::{Value, json};

use crate::support::{ISSUER, JWKS, Verdict, World, s};

mod support;

fn jwk(kid: &str) -> Value {
    SigningKey::es256(kid).public_jwk()
}

fn with_etag(answer: Answer, etag: &str) -> Answer {
    answer::with_header(answer, "etag", etag)
}

fn etags_asked_for(world: &World) -> Vec<Option<String>> {
    let requests = world.fetch.requests();
    let etag = |request: &http::Request<_>| {
        let etag = request.headers().get(http::header::IF_NONE_MATCH)?;
        etag.to_str().ok().map(str::to_owned)
    };
    requests.iter().map(etag).collect()
}

/// Makes the keys due, asks for one, and lets the fetch end.
async fn refresh(world: &World) {
    world.pass(s(3_700)).await;
    let _ = world.ask("key-1").await;
    world.settle().await;
}

/// T-JWKS-5: each of these leaves the last good set in place
#[tokio::test(start_paused = true)]
async fn no_document_of_an_attacker_panics_or_takes_keys_away() {
    let deep = format!(
        r#"{{"keys":[],"x":{}{}}}"#,
        "[".repeat(60_000),
        "]".repeat(60_000)
    );
    let deep_key = format!(
        r#"{{"keys":[{{"kty":{}1{}}}]}}"#,
        "[".repeat(60_000),
        "]".repeat(60_000)
    );
    let many_members: Vec<String> = (0..9_000).map(|number| format!(r#""m{number}":0"#)).collect();
    let bodies: Vec<Vec<u8>> = vec![
        deep.into(),
        deep_key.into(),
        format!("{{{}}}", many_members.join(",")).into(),
        b"\xef\xbb\xbf{\"keys\":[]}".to_vec(),
        b"{\"keys\":[],\"x\":\"\xff\xfe\"}".to_vec(),
        br#"{"keys":[],"keys":[]}"#.to_vec(),
        br#"{"keys":[]} {"keys":[]}"#.to_vec(),
        br#"{"keys":{}}"#.to_vec(),
        br#"{"keys":null}"#.to_vec(),
        br#"{"keys":"AAAA"}"#.to_vec(),
        br#"{"KEYS":[]}"#.to_vec(),
        br#"{"keys":[null,1,"a",[],{}]}"#.to_vec(),
        br#"{"keys":[{"kty":"RSA","n":"","e":""}]}"#.to_vec(),
        br#"{"keys":[{"kty":"RSA","n":"AA","e":"AQAB"}]}"#.to_vec(),
        br#"{"keys":[{"kty":"EC","crv":"P-256","x":"","y":""}]}"#.to_vec(),
        br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]}"#.to_vec(),
        vec![0; 1024],
        vec![b'['; 128 * 1024],
    ];
    let world = World::warm().await;
    for (number, body) in bodies.into_iter().enumerate() {
        world.fetch.push(answer::json(body));
        world.pass(s(60)).await;
        drop(world.keys.refresh(portcullis_jwt::RefreshReason::UnknownKey));
        world.settle().await;
        let status = world.keys.status();
        assert!(
            matches!(status.last_error, Some(JwksFetchErrorKind::KeySet(_))),
            "{number}"
        );
        assert_eq!(world.ask("key-1").await, Verdict::Known, "{number}");
    }
    assert_eq!(world.fetch.queued(), 0);
}

/// Rule 6 of the crate's documentation: 200 and nothing else
#[tokio::test(start_paused = true)]
async fn a_good_body_under_another_status_is_no_answer() {
    for status in [
        201, 202, 203, 206, 226, 400, 401, 403, 404, 410, 429, 500, 502, 503, 504,
    ] {
        let world = World::warm().await;
        let mut other = answer::json(TestIssuer::new(ISSUER).jwks());
        if let Ok(other) = &mut other {
            *other.status_mut() = status.try_into().expect("a status");
        }
        world.fetch.push(other);
        refresh(&world).await;
        let kind = Some(JwksFetchErrorKind::Status(status));
        assert_eq!(world.keys.status().last_error, kind, "{status}");
        assert_eq!(world.ask("key-1").await, Verdict::Known, "{status}");
    }
}

/// K10: nothing is decompressed, and one content type is one
#[tokio::test(start_paused = true)]
async fn a_coded_body_or_two_content_types_are_refused() {
    let good = || answer::json(TestIssuer::new(ISSUER).jwks());
    for bad in [
        answer::with_header(good(), "content-encoding", "gzip"),
        answer::with_header(good(), "content-encoding", "identity, br"),
        answer::with_header(good(), "content-type", "text/html"),
        answer::with_header(good(), "content-type", "application/json"),
    ] {
        let world = World::warm().await;
        world.fetch.push(bad);
        refresh(&world).await;
        assert_eq!(world.keys.status().failures, 1);
        assert_eq!(world.ask("key-1").await, Verdict::Known);
    }
}

/// T-JWKS-9, K4: decoys of other types, conflicting names, a key twice
#[tokio::test(start_paused = true)]
async fn decoys_in_a_set_do_not_displace_the_key_they_imitate() {
    let world = World::cold();
    let real = world.issuer.signing_key().public_jwk();
    let mut encrypts = jwk("key-1");
    encrypts["use"] = json!("enc");
    let mut wraps = jwk("key-1");
    wraps["key_ops"] = json!(["wrapKey"]);
    let decoys = json!({"keys": [
        SigningKey::eddsa("key-1").public_jwk(),
        SigningKey::generate("ES384", "key-1").public_jwk(),
        SigningKey::rs256("key-1").public_jwk(),
        SigningKey::hs256("key-1").secret_jwk(),
        encrypts, wraps, real, real,
    ]});
    world.fetch.always(move |_| answer::json(decoys.to_string()));
    let verified = world.verify(world.issuer.token()).await;
    assert!(verified.is_ok(), "{verified:?}");
    let keys = world.keys.current().expect("keys");
    assert!(!keys.knows(Some("key-1"), Algorithm::Hs256));
    assert_eq!(world.keys.status().skipped.private, 1);
}

#[tokio::test(start_paused = true)]
async fn lifetimes_that_make_no_sense_stay_within_bounds() {
    for (name, value, fresh_for) in [
        ("cache-control", "max-age=18446744073709551616", 3_600),
        ("cache-control", "max-age=4294967295, immutable", 3_600),
        ("cache-control", "max-age=-1", 300),
        ("cache-control", "max-age=", 300),
        ("cache-control", "max-age=1e9", 300),
        ("cache-control", "max-age=600, max-age=3600", 600),
        ("cache-control", "private, max-age=3600, no-store", 300),
        ("cache-control", "s-maxage=3600", 600),
        ("cache-control", "maxage=3600", 600),
        ("cache-control", ",,;=,", 600),
        ("expires", "Thu, 01 Jan 1970 00:00:00 GMT", 600),
        ("age", "999999999999999999999", 600),
        ("pragma", "no-cache", 600),
    ] {
        let world = World::cold();
        let jwks = answer::json(world.issuer.jwks());
        world.fetch.push(answer::with_header(jwks, name, value));
        world.keys.warm().await.expect("the issuer answers");
        world.pass(s(fresh_for - 1)).await;
        assert_eq!(world.keys.status().state, KeyState::Due, "{name}: {value}");
        world.pass(s(1)).await;
        assert_eq!(world.keys.status().state, KeyState::Stale, "{name}: {value}");
    }
}

/// Rule 1 of the crate's documentation: time spent in caches on the way counts
#[tokio::test(start_paused = true)]
async fn age_shortens_a_lifetime_to_the_floor_at_most() {
    for (age, fresh_for) in [
        ("0", 1_800),
        ("900", 900),
        ("1799", 300),
        ("99999", 300),
        ("x", 1_800),
    ] {
        let world = World::cold();
        let jwks = answer::with_header(answer::json(world.issuer.jwks()), "cache-control", "max-age=1800");
        world.fetch.push(answer::with_header(jwks, "age", age));
        world.keys.warm().await.expect("the issuer answers");
        world.pass(s(fresh_for - 1)).await;
        assert_eq!(world.keys.status().state, KeyState::Due, "{age}");
        world.pass(s(1)).await;
        assert_eq!(world.keys.status().state, KeyState::Stale, "{age}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_etag_is_sent_back_as_it_came_until_another_answer_has_none() {
    let world = World::cold();
    let good = || answer::json(json!({"keys": [jwk("key-1")]}).to_string());
    world.fetch.push(with_etag(good(), "W/\"a, b\""));
    world.keys.warm().await.expect("the issuer answers");
    for (answer, sent) in [
        (answer::status(500), Some("W/\"a, b\"")),
        (with_etag(answer::status(304), "\"other\""), Some("W/\"a, b\"")),
        (good(), Some("W/\"a, b\"")),
        (with_etag(good(), "unquoted"), None),
        (good(), Some("unquoted")),
    ] {
        world.fetch.push(answer);
        refresh(&world).await;
        assert_eq!(etags_asked_for(&world).pop().flatten().as_deref(), sent);
    }
    assert_eq!(world.fetch.arrived(), 6);
}

/// 304 is the issuer's word that the keys are the same: as good as sending them.
#[tokio::test(start_paused = true)]
async fn dead_keys_that_are_confirmed_live_again() {
    let world = World::warm().await;
    world.pass(s(100_000)).await;
    assert_eq!(world.keys.status().state, KeyState::Dead);
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    assert!(etags_asked_for(&world)[1].is_some());
    assert_eq!(world.keys.status().state, KeyState::Fresh);
}

/// T-JWKS-4: the keys at a new address are others, whatever their `ETag` is
#[tokio::test(start_paused = true)]
async fn a_server_that_confirms_everything_cannot_keep_keys_alive_at_a_new_address() {
    let world = World::with(RemoteKeySet::discover(ISSUER), TestIssuer::new(ISSUER));
    assert_eq!(world.ask("key-1").await, Verdict::Known);
    world.issuer.set_jwks_uri("https://issuer.test/moved");
    let issuer = world.issuer.clone();
    world.fetch.always(move |request| match request.uri().path() {
        "/moved" => answer::status(304),
        _ => Ok(issuer.respond(request)),
    });
    refresh(&world).await;
    let kind = Some(JwksFetchErrorKind::Status(304));
    assert_eq!(world.keys.status().last_error, kind);
    world.pass(s(600)).await;
    assert_eq!(world.keys.status().state, KeyState::Dead);
}

/// T-JWKS-5: what the first answer of all may be
#[tokio::test(start_paused = true)]
async fn a_set_without_usable_keys_is_a_failure_and_not_an_empty_set() {
    let world = World::with(RemoteKeySet::at(JWKS), TestIssuer::new(ISSUER));
    world.fetch.push(answer::json(r#"{"keys":[]}"#));
    assert!(matches!(world.ask("key-1").await, Verdict::Unavailable(Some(_))));
    let status = world.keys.status();
    let empty = Some(JwksFetchErrorKind::KeySet(JwksError::NoUsableKeys));
    assert_eq!((status.state, status.last_error), (KeyState::Empty, empty));
}
