//! The bytes of a snapshot: what is written, what is read, and what never is.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // Helpers of tests panic as tests do.

use std::error::Error as _;

use portcullis_core::ConfigError;
use portcullis_jwks::{KeySnapshot, KeyState, RemoteKeySet, RemoteKeySetBuilder};
use portcullis_test::{ManualClock, ScriptedFetch, SigningKey, TestIssuer, answer};
use serde_json::{Value, json};

use crate::support::{ISSUER, JWKS, World};

mod support;

/// A snapshot as somebody else might have written it, valid but for what a test changes.
fn sample() -> Value {
    let jwks: Value = serde_json::from_str(&TestIssuer::new(ISSUER).jwks()).expect("JSON");
    json!({
        "version": 1,
        "address": JWKS,
        "fetched_at": 1_800_000_000_u64,
        "fresh_for": 600,
        "jwks": jwks,
    })
}

fn read(snapshot: &Value) -> Result<KeySnapshot, ConfigError> {
    KeySnapshot::from_bytes(snapshot.to_string().as_bytes())
}

fn build(builder: RemoteKeySetBuilder, snapshot: KeySnapshot) -> Result<RemoteKeySet, ConfigError> {
    let builder = builder.fetch(ScriptedFetch::new()).clock(ManualClock::default());
    builder.import(snapshot).build()
}

fn with(name: &str, value: Value) -> Value {
    let mut sample = sample();
    sample[name] = value;
    sample
}

#[tokio::test(start_paused = true)]
async fn the_bytes_are_the_documented_members_and_the_document_as_it_was_received() {
    let document = format!(
        " {{\n \"keys\" : [{},{{\"kty\":\"new\"}}] , \"x\": [1.50] }}\n",
        SigningKey::es256("key-1").public_jwk()
    );
    let world = World::cold();
    world.fetch.push(answer::with_header(
        answer::json(document.clone()),
        "cache-control",
        "max-age=1000",
    ));
    world.keys.warm().await.expect("the issuer answers");
    let bytes = world.keys.export().expect("there are keys").to_bytes();
    assert_eq!(
        String::from_utf8(bytes.clone()).expect("JSON is UTF-8"),
        format!(
            r#"{{"version":1,"address":"{JWKS}","fetched_at":1800000000,"fresh_for":1000,"jwks":{document}}}"#
        )
    );
    let again = KeySnapshot::from_bytes(&bytes).expect("these bytes were written by us");
    assert_eq!(
        again.to_bytes(),
        String::from_utf8_lossy(&bytes)
            .replace(&document, document.trim())
            .as_bytes()
    );
    let keys = build(RemoteKeySet::at(JWKS), again).expect("the same source");
    assert_eq!((keys.status().keys, keys.status().skipped.total()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_discovered_set_names_its_issuer_whatever_characters_it_has() {
    let issuer = "https://issuer.test/a%22b/~c'd";
    let world = World::with(RemoteKeySet::discover(issuer), TestIssuer::new(issuer));
    world.keys.warm().await.expect("the issuer answers");
    let snapshot = world.keys.export().expect("there are keys");
    let members: Value = serde_json::from_slice(&snapshot.to_bytes()).expect("JSON");
    assert_eq!(members["issuer"], issuer);
    assert_eq!(members.get("address"), None);
    assert!(build(RemoteKeySet::discover(issuer), snapshot).is_ok());
}

#[test]
fn a_snapshot_that_was_cut_off_is_refused() {
    let whole = sample().to_string();
    assert!(KeySnapshot::from_bytes(whole.as_bytes()).is_ok());
    for end in 0..whole.len() {
        assert!(
            KeySnapshot::from_bytes(&whole.as_bytes()[..end]).is_err(),
            "{end}"
        );
    }
}

#[test]
fn a_snapshot_with_one_member_broken_is_refused() {
    assert!(read(&sample()).is_ok());
    assert!(read(&with("comment", json!("ignored"))).is_ok());
    for (name, value) in [
        ("version", json!(2)),
        ("version", json!(0)),
        ("version", json!("1")),
        ("version", Value::Null),
        ("issuer", json!(ISSUER)),
        ("address", Value::Null),
        ("address", json!(7)),
        ("fetched_at", json!(-1)),
        ("fetched_at", json!(1.5)),
        ("fetched_at", json!("2027-01-15")),
        ("fresh_for", json!(-1)),
        ("fresh_for", Value::Null),
    ] {
        let broken = with(name, value);
        assert!(read(&broken).is_err(), "{broken}");
    }
    for name in ["version", "address", "fetched_at", "fresh_for", "jwks"] {
        let mut broken = sample();
        broken.as_object_mut().expect("an object").remove(name);
        assert!(read(&broken).is_err(), "without {name}");
    }
    let twice = sample().to_string().replacen('{', "{\"fresh_for\":9,", 1);
    assert!(KeySnapshot::from_bytes(twice.as_bytes()).is_err());
    let behind = format!("{} x", sample());
    assert!(KeySnapshot::from_bytes(behind.as_bytes()).is_err());
    for bytes in [&b"\xff\xfe"[..], b"[]", b"1", b"null", b"\0"] {
        assert!(KeySnapshot::from_bytes(bytes).is_err());
    }
    assert!(KeySnapshot::from_bytes("[".repeat(100_000).as_bytes()).is_err());
}

/// Numbers that no clock shows neither panic nor win time.
#[test]
fn absurd_times_are_the_future_or_no_more_than_an_hour() {
    let state = |snapshot: &Value| {
        let snapshot = read(snapshot).expect("well-formed");
        let keys = build(RemoteKeySet::at(JWKS), snapshot).expect("the same source");
        keys.status().state
    };
    assert_eq!(state(&with("fetched_at", json!(u64::MAX))), KeyState::Empty);
    assert_eq!(state(&with("fetched_at", json!(0))), KeyState::Empty);
    let mut greedy = with("fresh_for", json!(u64::MAX));
    assert_eq!(state(&greedy), KeyState::Stale);
    greedy["fetched_at"] = json!(1_800_000_000 - 7200);
    assert_eq!(state(&greedy), KeyState::Empty);
}

#[test]
fn a_key_set_that_would_not_be_taken_from_the_issuer_is_not_taken_from_a_snapshot() {
    let jwk = |kid: &str| SigningKey::es256(kid).public_jwk();
    let import = |builder: RemoteKeySetBuilder, jwks: Value| {
        build(builder, read(&with("jwks", jwks)).expect("well-formed"))
    };
    let two = json!({"keys": [jwk("a"), jwk("b")]});
    assert!(import(RemoteKeySet::at(JWKS), two.clone()).is_ok());
    assert!(import(RemoteKeySet::at(JWKS).max_keys(1), two.clone()).is_err());
    let size = two.to_string().len();
    assert!(import(RemoteKeySet::at(JWKS).max_body(size), two.clone()).is_ok());
    assert!(import(RemoteKeySet::at(JWKS).max_body(size - 1), two).is_err());
    for unusable in [
        Value::Null,
        json!([]),
        json!({}),
        json!({"keys": []}),
        json!({"keys": [SigningKey::hs256("a").secret_jwk()]}),
    ] {
        let error = import(RemoteKeySet::at(JWKS), unusable).expect_err("not usable");
        assert!(error.source().is_some());
    }
}

/// The query of an address may be a secret.
#[tokio::test(start_paused = true)]
async fn neither_keys_nor_the_query_of_the_address_are_shown() {
    let world = World::with(
        RemoteKeySet::at(format!("{JWKS}?code=hidden")),
        TestIssuer::new(ISSUER),
    );
    world.keys.warm().await.expect("the issuer answers");
    let snapshot = world.keys.export().expect("there are keys");
    let shown = format!("{snapshot:?}");
    assert!(shown.contains(JWKS) && !shown.contains("hidden"), "{shown}");
    assert!(!shown.contains("kty") && !shown.contains("key-1"), "{shown}");
    let error = build(RemoteKeySet::at(format!("{JWKS}?code=other")), snapshot).expect_err("another source");
    let told = format!("{error} {error:?}");
    assert!(!told.contains("hidden") && !told.contains("other\""), "{told}");
}
