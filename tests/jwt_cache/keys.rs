//! Keys change while a token is remembered.

use std::time::Duration;

use portcullis_jwt::JwtError;
use portcullis_test::{SigningKey, TestIssuer};

use crate::doubles::{HandKeys, House, cached, entries, keys_of, same};
use crate::support::{ASYMMETRIC, accepted, assert_refused, built};

const UNAVAILABLE: JwtError = JwtError::KeysUnavailable {
    retry_after: Some(Duration::from_secs(7)),
};

/// T-JWKS-4: a key that leaves the set takes its remembered tokens with it at once.
#[test]
fn a_withdrawn_key_takes_its_remembered_tokens_with_it() {
    let house = House::new();
    let verifier = house.verifier();
    let token = house.issuer.token().build();
    let _ = cached(&verifier, &token);
    house.withdraw();
    assert_refused(&verifier, &token, JwtError::UnknownKey, "withdrawn");
    assert_refused(&verifier, &token, JwtError::UnknownKey, "withdrawn, again");
    assert_eq!(entries(&verifier), 0);
    house.reload();
    let _ = cached(&verifier, &token);
}

/// T-JWKS-4: the same id, another key.
#[test]
fn a_key_that_was_exchanged_under_its_name_takes_its_tokens_with_it() {
    let house = House::new();
    let verifier = house.verifier();
    let token = house.issuer.token().build();
    let _ = cached(&verifier, &token);
    house.keys.set(Ok(keys_of([&SigningKey::es256("key-1")])));
    assert_refused(&verifier, &token, JwtError::Signature, "another key");
    assert_eq!(entries(&verifier), 0);
}

/// T-JWKS-10: a second key of the same name makes a remembered token ambiguous, as a new one.
#[test]
fn a_name_that_became_ambiguous_ends_the_hits() {
    let house = House::new();
    let verifier = house.verifier();
    let token = house.issuer.token().build();
    let _ = cached(&verifier, &token);
    let (first, second) = (house.issuer.signing_key(), SigningKey::es256("key-1"));
    house.keys.set(Ok(keys_of([&first, &second])));
    assert_refused(&verifier, &token, JwtError::AmbiguousKey, "two of a name");
}

#[test]
fn the_same_keys_loaded_anew_cost_one_verification() {
    let house = House::new();
    let verifier = house.verifier();
    let token = house.issuer.token().build();
    let known = cached(&verifier, &token);
    house.reload();
    let again = cached(&verifier, &token);
    assert!(!same(&known, &again));
    assert_eq!(entries(&verifier), 1);
}

/// T-JWKS-5, T-ERR-1: without keys nothing is decided, not even about a token that is remembered; with
/// the keys it is as good as before.
#[test]
fn without_keys_a_remembered_token_is_undecided() {
    let house = House::new();
    let verifier = house.verifier();
    let token = house.issuer.token().build();
    let _ = cached(&verifier, &token);
    let keys = keys_of([&house.issuer.signing_key()]);
    house.keys.unavailable();
    for _ in 0..2 {
        assert_refused(&verifier, &token, UNAVAILABLE, "no keys");
    }
    house.keys.set(Ok(keys));
    let _ = cached(&verifier, &token);
}

/// The keys of one issuer are nothing to the tokens of another.
#[test]
fn every_issuer_has_its_own_keys() {
    let house = House::new();
    let other = TestIssuer::new("https://other.test")
        .clock(house.clock.clone())
        .with_key(&SigningKey::es256("key-1"));
    let other_keys = HandKeys::new(Ok(keys_of([&other.signing_key()])));
    let trusted = portcullis_jwt::TrustedIssuer::new(other.url(), other_keys.clone()).algorithms(ASYMMETRIC);
    let verifier = built(house.builder().issuer(trusted).cache_tokens(10));
    let (ours, theirs) = (house.issuer.token().build(), other.token().build());
    let (known, known_theirs) = (cached(&verifier, &ours), cached(&verifier, &theirs));
    assert_eq!(known_theirs.claims().issuer(), "https://other.test");

    // What one issuer's key signed is not the other's, before and after it was remembered.
    let forged = house.issuer.token().signed_by(&other.signing_key()).build();
    assert_refused(&verifier, &forged, JwtError::Signature, "forged");

    other_keys.set(Ok(keys_of([&SigningKey::es256("key-2")])));
    assert_refused(&verifier, &theirs, JwtError::UnknownKey, "theirs");
    assert!(same(&known, &accepted(&verifier, &ours)), "ours stay");

    // Each other's keys are no help.
    other_keys.set(Ok(keys_of([&house.issuer.signing_key()])));
    assert_refused(&verifier, &theirs, JwtError::Signature, "theirs with our keys");
    house.keys.set(Ok(keys_of([&other.signing_key()])));
    assert_refused(&verifier, &ours, JwtError::Signature, "ours with their keys");
}
