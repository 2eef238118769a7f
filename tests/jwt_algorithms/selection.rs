//! Which key is taken: exactly one, by id, type, curve, use and algorithm; and what happens while
//! newer ones are waited for.

use std::time::Duration;

use portcullis_jwt::{JwtError, RefreshReason, TrustedIssuer, Verifier};
use portcullis_test::{ManualClock, SigningKey, TestIssuer, TokenBuilder, fixed};
use serde_json::{Value, json};

use crate::support::{
    ASYMMETRIC, ISSUER, NOW, Spy, accepted, assert_refused, builder, built, issuer, issuer_of, ready, set_of,
};

fn verifier_of(keys: impl IntoIterator<Item = Value>) -> Verifier {
    built(builder().issuer(TrustedIssuer::new(ISSUER, set_of(keys)).algorithms(ASYMMETRIC)))
}

/// K4, row 9: one id on keys of every type; each token finds its own.
#[test]
fn decoys_of_other_types_under_the_same_id_do_not_get_in_the_way() {
    let keys =
        ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"].map(|alg| SigningKey::generate(alg, "same"));
    let mut jwks: Vec<_> = keys.iter().map(SigningKey::public_jwk).collect();
    let mut encryption = SigningKey::es256("same").public_jwk();
    encryption["use"] = json!("enc");
    jwks.insert(0, encryption);
    jwks.insert(0, SigningKey::hs256("same").secret_jwk());
    jwks.push(json!({"kty": "EC", "crv": "secp256k1", "kid": "same", "x": "AA", "y": "AA"}));
    jwks.push(SigningKey::es256("same").secret_jwk());
    for _ in 0..jwks.len() {
        jwks.rotate_left(1);
        let verifier = verifier_of(jwks.clone());
        for key in &keys {
            let _ = accepted(&verifier, &issuer_of(key).token().build());
        }
    }
}

/// K4, K5, T-JWKS-10: two keys that a token could mean are none, even when one of them would hold.
#[test]
fn two_keys_that_a_token_could_mean_are_ambiguous() {
    let key = SigningKey::es256("same");
    let other = SigningKey::es256("same");
    let token = issuer_of(&key).token();
    let verifier = verifier_of([key.public_jwk(), other.public_jwk()]);
    assert_refused(&verifier, &token.build(), JwtError::AmbiguousKey, "one id twice");

    let two = verifier_of([key.public_jwk(), other.with_kid("other").public_jwk()]);
    let _ = accepted(&two, &token.build());
    let nameless = token.without_header("kid");
    assert_refused(&two, &nameless.build(), JwtError::AmbiguousKey, "no id, two keys");
    let one = verifier_of([key.public_jwk(), SigningKey::eddsa("other").public_jwk()]);
    let _ = accepted(&one, &nameless.build());
}

/// K2, K3: a key serves only if everything it says about itself agrees.
#[test]
fn a_key_that_says_otherwise_verifies_nothing() {
    let key = SigningKey::es256("key-1");
    let token = issuer_of(&key).token().build();
    let beside = SigningKey::eddsa("beside").public_jwk();
    let with = |name: &str, value: Value| {
        let mut jwk = key.public_jwk();
        jwk[name] = value;
        verifier_of([jwk, beside.clone()])
    };
    for (name, value) in [
        ("use", json!("sig")),
        ("key_ops", json!(["verify"])),
        ("key_ops", json!(["sign", "verify"])),
        ("alg", json!("ES256")),
        ("x5c", json!(["garbage"])),
        ("unknown", json!({"deep": [1]})),
    ] {
        let _ = accepted(&with(name, value), &token);
    }
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!("SIG")),
        ("use", json!("")),
        ("use", json!(["sig"])),
        ("key_ops", json!([])),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!(["encrypt", "wrapKey"])),
        ("key_ops", json!("verify")),
        ("alg", json!("ES384")),
        ("alg", json!("RS256")),
        ("alg", json!("none")),
        ("alg", json!("")),
        ("alg", json!(null)),
        ("alg", json!("ECDH-ES")),
        ("kty", json!("RSA")),
        ("kty", json!("OKP")),
        ("kty", json!("ec")),
        ("crv", json!("P-384")),
        ("crv", json!("Ed25519")),
        ("crv", json!(null)),
        ("kid", json!("KEY-1")),
        ("kid", json!(1)),
        ("d", json!("AAAA")),
        ("d", json!(null)),
        ("k", json!("AAAA")),
        ("y", json!("AAAA")),
    ] {
        let what = format!("{name}: {value}");
        assert_refused(&with(name, value), &token, JwtError::UnknownKey, &what);
    }
}

/// A2, A4, BCP5, T-SIG-1: no key of the list of unsound ones is loaded, and none spoils its set.
#[test]
fn unsound_keys_are_left_out_of_a_set() {
    let good = issuer();
    for (what, jwk) in fixed::refused_jwks() {
        let keys = set_of([jwk, good.signing_key().public_jwk()]);
        use portcullis_jwt::KeySet;
        let keys = keys.current().unwrap();
        assert_eq!((keys.len(), keys.skipped().total()), (1, 1), "{what}");
        let debug = format!("{keys:?}");
        assert!(!debug.contains("refused"), "{what}");
    }
}

/// K8, T-JWKS-3: a key that was published after the keys at hand were loaded.
#[test]
fn a_token_of_a_new_key_verifies_with_the_keys_that_were_waited_for() {
    let issuer = issuer();
    let before = issuer.jwks();
    let old = issuer.token().build();
    issuer.rotate_and_retire();
    let spy = Spy::new(&before).with_newer(&issuer.jwks());
    let verifier = built(builder().issuer(TrustedIssuer::new(ISSUER, spy.clone()).algorithms(ASYMMETRIC)));
    let _ = ready(verifier.verify(&old)).expect("a known key never waits");
    assert!(spy.refreshed().is_empty());
    let _ = ready(verifier.verify(&issuer.token().build())).expect("the new key");
    assert_eq!(spy.refreshed(), [RefreshReason::UnknownKey]);
    assert_refused(
        &verifier,
        &issuer.token().build(),
        JwtError::UnknownKey,
        "without waiting",
    );
}

/// K8: keys are swapped under the verifier's feet; the newer set decides, once.
#[test]
fn keys_that_were_waited_for_decide_alone() {
    let issuer = issuer();
    let before = issuer.jwks();
    issuer.rotate_and_retire();
    let token = issuer.token().build();
    let key = issuer.signing_key();
    let impostor = SigningKey::es256(key.kid());
    let jwks = |keys: &[&SigningKey]| {
        let keys: Vec<_> = keys.iter().map(|key| key.public_jwk()).collect();
        json!({"keys": keys}).to_string()
    };
    for (newer, expected) in [
        (jwks(&[&impostor]), JwtError::Signature),
        (jwks(&[&impostor, &key]), JwtError::AmbiguousKey),
        (before.clone(), JwtError::UnknownKey),
    ] {
        let spy = Spy::new(&before).with_newer(&newer);
        let verifier =
            built(builder().issuer(TrustedIssuer::new(ISSUER, spy.clone()).algorithms(ASYMMETRIC)));
        assert_eq!(ready(verifier.verify(&token)).err(), Some(expected));
        assert_eq!(spy.refreshed().len(), 1, "asked once, whatever came of it");
    }
}

/// K8: keys that came between the look at the old ones and the question for newer ones.
#[test]
fn keys_that_came_while_newer_ones_were_asked_for_decide() {
    let issuer = issuer();
    let before = issuer.jwks();
    let old = issuer.token().build();
    issuer.rotate_and_retire();
    for spy in [Spy::new(&before), Spy::down()] {
        let spy = spy.with_swapped_in(&issuer.jwks());
        let verifier = built(builder().issuer(TrustedIssuer::new(ISSUER, spy).algorithms(ASYMMETRIC)));
        assert!(ready(verifier.verify(&issuer.token().build())).is_ok());
        assert_eq!(
            ready(verifier.verify(&old)).err(),
            Some(JwtError::UnknownKey),
            "withdrawn"
        );
    }
}

/// K9: a bad signature under a known key is no reason to fetch anything; nor are two candidates.
#[test]
fn only_an_unknown_key_is_a_reason_for_newer_keys() {
    let issuer = issuer();
    let second = SigningKey::es256("key-2");
    issuer.add_key(&second);
    let spy = Spy::new(&issuer.jwks()).with_newer(&issuer.jwks());
    let verifier = built(builder().issuer(TrustedIssuer::new(ISSUER, spy.clone()).algorithms(ASYMMETRIC)));
    for (token, expected) in [
        (issuer.forged_token(), JwtError::Signature),
        (issuer.token().tampered_signature(), JwtError::Signature),
        (issuer.token().without_header("kid"), JwtError::AmbiguousKey),
        (issuer.expired_token(), JwtError::Expired),
        (issuer.wrong_audience_token(), JwtError::Audience),
    ] {
        assert_eq!(ready(verifier.verify(&token.build())).err(), Some(expected));
    }
    assert!(spy.refreshed().is_empty());
}

/// T-JWKS-5: no keys is no verdict about the token.
#[test]
fn without_keys_nothing_is_decided() {
    let issuer = issuer();
    let unavailable = JwtError::KeysUnavailable {
        retry_after: Some(Duration::from_secs(7)),
    };
    let down = Spy::down();
    let verifier = built(builder().issuer(TrustedIssuer::new(ISSUER, down.clone()).algorithms(ASYMMETRIC)));
    let token = issuer.token().build();
    assert_eq!(ready(verifier.verify(&token)).err(), Some(unavailable));
    assert_eq!(verifier.verify_now(&token).err(), Some(unavailable));
    assert_eq!(down.refreshed(), [RefreshReason::NoKeys; 2]);

    let late = Spy::down().with_newer(&issuer.jwks());
    let verifier = built(builder().issuer(TrustedIssuer::new(ISSUER, late).algorithms(ASYMMETRIC)));
    assert!(ready(verifier.verify(&token)).is_ok());

    let failing = Spy::new(&issuer.jwks()).with_failing_refresh();
    let verifier = built(builder().issuer(TrustedIssuer::new(ISSUER, failing).algorithms(ASYMMETRIC)));
    let unknown = issuer.token().kid("key-2").build();
    let refused = ready(verifier.verify(&unknown)).err();
    assert_eq!(refused, Some(JwtError::KeysUnavailable { retry_after: None }));
    assert!(ready(verifier.verify(&token)).is_ok(), "a known key goes on");
}

/// T5: the time that counts is the one after the wait.
#[test]
fn a_token_that_expires_while_keys_are_waited_for_is_refused() {
    let issuer: TestIssuer = issuer();
    let clock = ManualClock::at(NOW);
    let spy = Spy::new(&SigningKey::es256("other").public_jwk_set()).with_newer(&issuer.jwks());
    let verifier = Verifier::builder()
        .audience(TokenBuilder::AUDIENCE)
        .clock(clock.clone())
        .issuer(TrustedIssuer::new(ISSUER, spy).algorithms(ASYMMETRIC))
        .build()
        .unwrap();
    let token = issuer.token().build();
    let pending = verifier.verify(&token);
    clock.advance(Duration::from_secs(331));
    assert_eq!(ready(pending).err(), Some(JwtError::Expired));
}

trait PublicSet {
    fn public_jwk_set(&self) -> String;
}

impl PublicSet for SigningKey {
    fn public_jwk_set(&self) -> String {
        json!({"keys": [self.public_jwk()]}).to_string()
    }
}

/// K2: `use` and `key_ops` that contradict each other: RFC 7517 §4.3 wants the information consistent.
#[test]
fn a_key_whose_use_and_operations_contradict_each_other_is_left_out() {
    let key = SigningKey::es256("key-1");
    let token = issuer_of(&key).token().build();
    let beside = SigningKey::eddsa("beside").public_jwk();
    for operations in [
        json!(["verify", "encrypt"]),
        json!(["verify", "deriveBits"]),
        json!(["verify", "verify"]),
    ] {
        let mut jwk = key.public_jwk();
        jwk["key_ops"] = operations.clone();
        let verifier = verifier_of([jwk, beside.clone()]);
        assert_refused(&verifier, &token, JwtError::UnknownKey, &operations.to_string());
    }
}
