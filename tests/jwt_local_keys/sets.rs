//! Several local keys: told apart, or refused at the start.

use portcullis_jwt::{JwksError, JwtError, StaticKeySet, TrustedIssuer, VerifyingKey};
use portcullis_test::SigningKey;
use serde_json::json;

use crate::support::{ASYMMETRIC, ISSUER, accepted, assert_refused, builder, built, issuer_of, of, set_of};

/// K4, K5, T-JWKS-10: two keys that a token could not tell apart are a mistake at the start.
#[test]
fn keys_that_clash_are_refused_at_the_start() {
    let local = |key: &SigningKey| VerifyingKey::from_pem(key.public_pem().as_bytes()).unwrap();
    let (one, two, ed) = (
        SigningKey::es256("a"),
        SigningKey::es256("b"),
        SigningKey::eddsa("c"),
    );
    assert!(StaticKeySet::new([]).is_err(), "none");
    for clash in [
        [local(&one), local(&two)],
        [local(&one), local(&one)],
        [local(&one).with_kid("a"), local(&two)],
        [local(&one), local(&two).with_kid("b")],
        [local(&one).with_kid("a"), local(&two).with_kid("a")],
    ] {
        assert!(StaticKeySet::new(clash).is_err());
    }
    for fine in [
        vec![local(&one).with_kid("a"), local(&two).with_kid("b")],
        vec![local(&one).with_kid("a"), local(&two).with_kid("A")],
        vec![local(&one), local(&ed)],
        vec![local(&one).with_kid("same"), local(&ed).with_kid("same")],
    ] {
        assert!(StaticKeySet::new(fine).is_ok());
    }
    let rsa = SigningKey::rs256("r");
    assert!(
        StaticKeySet::new([local(&rsa), local(&rsa.with_alg("PS256"))]).is_err(),
        "one RSA key twice"
    );
}

/// K5: a local key without an id serves tokens of any id; one with an id only those.
#[test]
fn a_local_key_without_an_id_answers_to_every_id() {
    let key = SigningKey::es256("key-1");
    let issuer = issuer_of(&key);
    let local = VerifyingKey::from_pem(key.public_pem().as_bytes()).unwrap();
    let any = of(local.clone());
    let named = of(local.with_kid("key-1"));
    let _ = accepted(&named, &issuer.token().build());
    for token in [
        issuer.token(),
        issuer.token().kid("another"),
        issuer.token().without_header("kid"),
    ] {
        let _ = accepted(&any, &token.build());
    }
    let other = issuer.token().kid("another").build();
    assert_refused(&named, &other, JwtError::UnknownKey, "another id");
    let nameless = issuer.token().without_header("kid").build();
    let _ = accepted(&named, &nameless);
    let published = built(
        builder().issuer(TrustedIssuer::new(ISSUER, set_of([without_kid(&key)])).algorithms(ASYMMETRIC)),
    );
    let _ = accepted(&published, &nameless);
    assert_refused(
        &published,
        &other,
        JwtError::UnknownKey,
        "a published key is not asked to guess",
    );
}

fn without_kid(key: &SigningKey) -> serde_json::Value {
    let mut jwk = key.public_jwk();
    jwk.as_object_mut().unwrap().remove("kid");
    jwk
}

/// K1, K6: a key set in a file is read as a fetched one is; secrets in it are never used.
#[test]
fn a_key_set_in_a_file_is_read_as_a_fetched_one() {
    let key = SigningKey::es256("key-1");
    let secret = SigningKey::hs256("shared").secret_jwk();
    let only_secret = json!({"keys": [secret, key.secret_jwk()]}).to_string();
    let refused = StaticKeySet::from_jwks(only_secret.as_bytes()).err();
    assert_eq!(refused, Some(JwksError::NoUsableKeys));
    for document in [
        "",
        "{}",
        "[]",
        "{\"keys\":1}",
        "\u{feff}{\"keys\":[]}",
        key.public_pem().as_str(),
    ] {
        let refused = StaticKeySet::from_jwks(document.as_bytes()).err();
        assert_eq!(refused, Some(JwksError::Malformed), "{document}");
    }
    assert_eq!(StaticKeySet::from_jwks(b"\xff").err(), Some(JwksError::Malformed));
}
