//! The application's own keys, without HTTP.

use std::sync::Arc;

use portcullis_jwt::{Algorithm, JwtError, KeySet, LocalKeySet, SigningKeys};
use portcullis_test::ManualClock;

use crate::support::{API, Held, NOW, at, key, local_verifier, ring_with_a, s, signer};

/// T-SIGN-4
#[test]
fn a_withdrawn_key_stops_verifying_at_once() {
    let clock = ManualClock::at(NOW);
    let keys = crate::support::memory(&clock, portcullis_jwt::RotationSchedule::new());
    let (signer, verifier) = (signer(&clock, keys.clone()), local_verifier(&clock, keys.clone()));
    let token = signer.access_token("alice", API, "web").sign().expect("a key");
    assert!(verifier.verify_now(token.token().expose()).is_ok());
    keys.withdraw("key-1").expect("it is there");
    let refused = verifier.verify_now(token.token().expose());
    assert_eq!(refused.err(), Some(JwtError::UnknownKey));
    let next = signer
        .access_token("alice", API, "web")
        .sign()
        .expect("a new key");
    assert!(verifier.verify_now(next.token().expose()).is_ok());
}

#[test]
fn the_set_is_rebuilt_only_when_the_ring_changed() {
    let source = Held::new(ring_with_a());
    let local = LocalKeySet::new(source.clone());
    let first = local.current().expect("keys");
    assert!(Arc::ptr_eq(&first, &local.current().expect("keys")));
    let mut ring = ring_with_a();
    ring.rotate(at(0), key("b")).expect("none waits");
    source.set(Some(ring));
    let second = local.current().expect("keys");
    assert!(!Arc::ptr_eq(&first, &second));
    assert!(
        second.knows(Some("b"), Algorithm::EdDsa),
        "before its turn already"
    );
    assert!(!first.knows(Some("b"), Algorithm::EdDsa));
}

#[test]
fn without_a_ring_or_without_keys_nothing_can_be_decided() {
    let clock = ManualClock::at(NOW);
    let source = Held::new(ring_with_a());
    let token = signer(&clock, source.clone())
        .access_token("alice", API, "web")
        .sign()
        .expect("a key");
    let verifier = local_verifier(&clock, source.clone());
    assert!(verifier.verify_now(token.token().expose()).is_ok());
    source.set(None);
    let refused = verifier.verify_now(token.token().expose());
    assert_eq!(
        refused.err(),
        Some(JwtError::KeysUnavailable {
            retry_after: Some(s(7))
        })
    );
    let mut empty = ring_with_a();
    empty.withdraw(at(0), "a").expect("it is there");
    source.set(Some(empty));
    assert!(source.current().is_ok());
    let refused = verifier.verify_now(token.token().expose());
    assert_eq!(
        refused.err(),
        Some(JwtError::KeysUnavailable { retry_after: None })
    );
}
