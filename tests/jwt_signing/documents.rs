//! A ring written down and read again; a ring published.

use portcullis_core::Secret;
use portcullis_jwt::{Algorithm, KeyError, KeyRing, KeyRingError, RotationSchedule, SigningKey};
use serde_json::{Value, json};

use crate::support::{ASYMMETRIC, DAY, HOUR, at, key, published, ring_with_a, signing};

/// The members of a private or symmetric key (RFC 7518 §6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

fn read(document: &str) -> Result<KeyRing, KeyRingError> {
    KeyRing::from_secret_bytes(document.as_bytes(), RotationSchedule::new(), at(0))
}

/// Two keys, one of which waits for its turn.
fn two_keys() -> Value {
    let mut ring = ring_with_a();
    ring.rotate(at(0), key("b")).expect("none waits");
    let bytes = ring.to_secret_bytes().expect("a ring");
    serde_json::from_slice(bytes.expose()).expect("JSON")
}

#[test]
fn a_ring_is_read_as_it_was_written() {
    let mut ring = ring_with_a();
    let hmac = SigningKey::hmac(Algorithm::Hs256, &Secret::new(vec![7; 32])).expect("long enough");
    ring.rotate(at(0), hmac.with_kid("h")).expect("none waits");
    let bytes = ring.to_secret_bytes().expect("a ring");
    for (now, signs) in [(0, "a"), (7_199, "a"), (7_200, "h")] {
        let mut again =
            KeyRing::from_secret_bytes(bytes.expose(), RotationSchedule::new(), at(now)).expect("a ring");
        assert_eq!(signing(&again).as_deref(), Some(signs));
        assert_eq!(published(&again), ["a", "h"]);
        assert_eq!(again.jwks(), ring.jwks());
        assert_eq!(
            again.to_secret_bytes().expect("a ring").expose(),
            bytes.expose(),
            "byte for byte"
        );
        assert_eq!(again.rotation_due_at(), ring.rotation_due_at());
        again.advance_to(at(7_200 + 3_900));
        assert_eq!(published(&again), ["h"]);
    }
}

#[test]
fn every_kind_of_key_survives_being_written_down() {
    for algorithm in ASYMMETRIC.into_iter().filter(|algorithm| {
        // One RSA key is enough to wait for.
        !algorithm.name().contains('S') || algorithm.name().starts_with('E') || *algorithm == Algorithm::Rs256
    }) {
        let mut ring = KeyRing::new(RotationSchedule::new(), at(0)).expect("a sound schedule");
        ring.rotate(at(0), SigningKey::generate(algorithm).expect("randomness"))
            .expect("the first");
        let bytes = ring.to_secret_bytes().expect("a ring");
        let again = KeyRing::from_secret_bytes(bytes.expose(), RotationSchedule::new(), at(0));
        assert_eq!(again.expect("a ring").jwks(), ring.jwks(), "{algorithm}");
    }
}

/// T-SIGN-7
#[test]
fn a_document_with_exactly_one_thing_broken_is_refused() {
    let good = two_keys();
    assert!(read(&good.to_string()).is_ok());
    let first = |name: &'static str, value: Value| {
        move |ring: &mut Value| {
            ring["keys"][0][name] = value;
        }
    };
    type Break = Box<dyn Fn(&mut Value)>;
    let boxed = |change: &dyn Fn(Value) -> Value, name: &'static str| -> Break {
        let value = change(good["keys"][0][name].clone());
        let set = first(name, value);
        let set = std::cell::RefCell::new(Some(set));
        Box::new(move |ring| (set.borrow_mut().take().expect("once"))(ring))
    };
    let later = |by: u64| move |value: Value| json!(value.as_u64().expect("a number") + by);
    let cases: Vec<(&str, Break, KeyRingError)> = vec![
        (
            "a later version",
            Box::new(|ring| ring["version"] = json!(2)),
            KeyRingError::Version,
        ),
        (
            "no version",
            Box::new(|ring| drop(ring.as_object_mut().map(|ring| ring.remove("version")))),
            KeyRingError::Malformed,
        ),
        (
            "an unknown member",
            Box::new(|ring| ring["extra"] = json!(1)),
            KeyRingError::Malformed,
        ),
        (
            "an unknown member of a key",
            boxed(&|_| json!(1), "extra"),
            KeyRingError::Malformed,
        ),
        (
            "one id twice",
            boxed(&|_| json!("b"), "kid"),
            KeyRingError::KidTaken,
        ),
        (
            "an empty id",
            boxed(&|_| json!(""), "kid"),
            KeyRingError::KidTaken,
        ),
        (
            "signs before it is published",
            boxed(&later(1), "published_at"),
            KeyRingError::Implausible,
        ),
        (
            "two that sign",
            boxed(&later(1), "signs_until"),
            KeyRingError::Implausible,
        ),
        (
            "two without an end",
            boxed(&|_| Value::Null, "signs_until"),
            KeyRingError::Implausible,
        ),
        (
            "a turn that ends before it begins",
            boxed(&later(20_000), "signs_from"),
            KeyRingError::Implausible,
        ),
        (
            "a turn after the year 9999",
            Box::new(|ring| ring["keys"][1]["signs_from"] = json!(253_402_300_800u64)),
            KeyRingError::Implausible,
        ),
        (
            "tokens without lifetime",
            boxed(&|_| json!(0), "longest_token"),
            KeyRingError::Implausible,
        ),
        (
            "no base64url",
            boxed(&|_| json!("*"), "secret"),
            KeyRingError::Malformed,
        ),
        (
            "no key",
            boxed(&|_| json!("AAAA"), "secret"),
            KeyRingError::Key(KeyError::Encoding),
        ),
        (
            "a key of another algorithm",
            boxed(&|_| json!("none"), "alg"),
            KeyRingError::Key(KeyError::Unsupported),
        ),
        (
            "a fraction of a second",
            boxed(&|_| json!(1.5), "published_at"),
            KeyRingError::Malformed,
        ),
    ];
    for (what, change, expected) in cases {
        let mut broken = good.clone();
        change(&mut broken);
        assert_eq!(read(&broken.to_string()).err(), Some(expected), "{what}");
    }
    for text in ["", "[]", "{", "{\"version\":1}", "{\"version\":1,\"keys\":{}}"] {
        assert_eq!(read(text).err(), Some(KeyRingError::Malformed), "{text}");
    }
    let twice = good.to_string().replacen('{', "{\"version\":1,", 1);
    assert_eq!(read(&twice).err(), Some(KeyRingError::Malformed));
}

/// T-SIGN-6
#[test]
fn no_private_member_is_ever_published() {
    let mut ring = KeyRing::new(RotationSchedule::new(), at(0)).expect("a sound schedule");
    let mut now = 0;
    for algorithm in [
        Algorithm::Rs256,
        Algorithm::Es256,
        Algorithm::Es512,
        Algorithm::Ed25519,
        Algorithm::Hs256,
    ] {
        let key = SigningKey::generate(algorithm).expect("randomness");
        let secret = serde_json::to_value(key.public_jwk()).expect("JSON");
        assert_eq!(secret.is_null(), algorithm.is_symmetric());
        ring.rotate(at(now), key).expect("none waits");
        let document: Value = serde_json::from_str(ring.jwks().as_str()).expect("JSON");
        let keys = document["keys"].as_array().expect("keys");
        assert!(!keys.is_empty());
        for jwk in keys {
            let names: Vec<_> = jwk.as_object().expect("an object").keys().collect();
            assert!(
                !names.iter().any(|name| PRIVATE.contains(&name.as_str())),
                "{names:?}"
            );
            assert_ne!(jwk["kty"], "oct");
        }
        now += 7_200;
    }
}

#[test]
fn the_published_document_is_stable_and_its_fingerprint_changes_with_it() {
    let mut ring = ring_with_a();
    let before = ring.jwks();
    assert_eq!(before, ring.clone().jwks());
    ring.rotate(at(0), key("b")).expect("none waits");
    let after = ring.jwks();
    assert_ne!(before.fingerprint(), after.fingerprint());
    let order = |document: &str| (document.find("\"a\""), document.find("\"b\""));
    let (a, b) = order(after.as_str());
    assert!(a < b, "in the order of their turns");
    ring.advance_to(at(7_200));
    assert_eq!(ring.jwks(), after, "a turn changes nothing that is published");
}

/// T-SIGN-7
/// Whoever plans a change again and again fills a ring, and does not make it unreadable.
#[test]
fn a_ring_is_never_written_with_more_keys_than_are_read() {
    let year = 366 * DAY;
    let schedule = RotationSchedule::new()
        .with_sign_for(year)
        .with_longest_token(year);
    let mut ring = KeyRing::new(schedule, at(0)).expect("a sound schedule");
    let mut now = at(0);
    for number in 0..64 {
        ring.rotate(now, key(&format!("key-{number}")))
            .expect("none waits");
        now = now.saturating_add(2 * HOUR);
        let bytes = ring.to_secret_bytes().expect("a ring");
        let read = KeyRing::from_secret_bytes(bytes.expose(), schedule, now);
        assert_eq!(read.expect("it is read").keys().count(), number + 1);
    }
    assert!(ring.rotate(now, key("one-more")).is_err());
    assert_eq!(published(&ring).len(), 64, "nothing was changed");
    ring.withdraw(now, "key-63").expect("it is there");
    assert_eq!(ring.rotate(now, key("instead")), Ok(()), "an emergency has room");
    assert_eq!(signing(&ring).as_deref(), Some("instead"));
}
