//! Loading, naming and publishing keys; each algorithm through our own verifier.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portcullis_core::Secret;
use portcullis_jwt::{Algorithm, JwtError, KeyError, LocalKeySet, SigningKey, StaticKeySet};
use portcullis_test::ManualClock;

use crate::support::{API, ASYMMETRIC, Held, NOW, SYMMETRIC, at, signer, verifier};

/// A key of the kit's, so that not every test waits for a new one.
fn rsa_pem() -> Secret<Vec<u8>> {
    Secret::new(include_bytes!("../../crates/portcullis-test/keys/rsa-1.pem").to_vec())
}

fn key_for(algorithm: Algorithm) -> SigningKey {
    let rsa = algorithm.name().starts_with("RS") || algorithm.name().starts_with("PS");
    let key = if rsa {
        SigningKey::from_pkcs8_pem(algorithm, &rsa_pem())
    } else {
        SigningKey::generate(algorithm)
    };
    key.unwrap_or_else(|error| panic!("{algorithm}: {error}"))
}

fn pem(label: &str, der: &[u8]) -> Secret<Vec<u8>> {
    let text = format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    );
    Secret::new(text.into_bytes())
}

fn p256_pkcs8() -> Vec<u8> {
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    document.as_ref().to_vec()
}

#[test]
fn every_algorithm_signs_what_the_verifier_accepts_and_one_changed_bit_is_refused() {
    let clock = ManualClock::at(NOW);
    for algorithm in ASYMMETRIC {
        let keys = Held::of(key_for(algorithm), at(0));
        let published = StaticKeySet::from_jwks(published_jwks(&keys).as_bytes()).expect("public keys");
        let signed = signer(&clock, keys.clone())
            .access_token("alice", API, "web")
            .sign()
            .expect("a key");
        let token = signed.token().expose();
        for verifier in [
            verifier(&clock, published, &[algorithm]),
            verifier(&clock, LocalKeySet::new(keys), &[algorithm]),
        ] {
            assert!(verifier.verify_now(token).is_ok(), "{algorithm}");
            let broken = with_another_bit(token);
            assert_eq!(
                verifier.verify_now(&broken).err(),
                Some(JwtError::Signature),
                "{algorithm}"
            );
        }
    }
}

/// T-SIGN-6
#[test]
fn an_hmac_token_verifies_locally_and_its_secret_is_never_published() {
    let clock = ManualClock::at(NOW);
    for algorithm in SYMMETRIC {
        let key = SigningKey::generate(algorithm).expect("randomness");
        assert_eq!(key.public_jwk(), None);
        let keys = Held::of(key, at(0));
        assert_eq!(published_jwks(&keys), r#"{"keys":[]}"#);
        let signed = signer(&clock, keys.clone())
            .access_token("alice", API, "web")
            .sign();
        let token = signed.expect("a key");
        let verifier = verifier(&clock, LocalKeySet::new(keys), &[algorithm]);
        assert!(verifier.verify_now(token.token().expose()).is_ok(), "{algorithm}");
        let broken = with_another_bit(token.token().expose());
        assert_eq!(verifier.verify_now(&broken).err(), Some(JwtError::Signature));
    }
}

fn published_jwks(keys: &Held) -> String {
    let ring = portcullis_jwt::SigningKeys::current(keys).expect("a ring");
    ring.jwks().as_str().to_owned()
}

fn with_another_bit(token: &str) -> String {
    let (head, signature) = token.rsplit_once('.').expect("three segments");
    let mut signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    signature[10] ^= 1;
    format!("{head}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// RFC 7518 §3.4
#[test]
fn ecdsa_signatures_have_the_fixed_form() {
    let clock = ManualClock::at(NOW);
    for (algorithm, length) in [
        (Algorithm::Es256, 64),
        (Algorithm::Es384, 96),
        (Algorithm::Es512, 132),
    ] {
        let keys = Held::of(key_for(algorithm), at(0));
        for _ in 0..16 {
            let token = signer(&clock, keys.clone())
                .access_token("alice", API, "web")
                .sign()
                .expect("a key");
            let (_, signature) = token.token().expose().rsplit_once('.').expect("three segments");
            assert_eq!(
                URL_SAFE_NO_PAD.decode(signature).expect("base64url").len(),
                length
            );
        }
    }
}

#[test]
fn an_rsa_key_is_generated_with_2048_bits() {
    let key = SigningKey::generate(Algorithm::Ps256).expect("randomness");
    let jwk: serde_json::Value = serde_json::from_str(&key.public_jwk().expect("public")).expect("JSON");
    let n = URL_SAFE_NO_PAD
        .decode(jwk["n"].as_str().expect("n"))
        .expect("base64url");
    assert_eq!((n.len(), n[0] >> 7), (256, 1));
    assert_eq!(
        (jwk["e"].as_str(), jwk["alg"].as_str()),
        (Some("AQAB"), Some("PS256"))
    );
}

#[test]
fn a_key_is_named_by_its_thumbprint_wherever_it_is_loaded_until_it_is_given_a_name() {
    let der = p256_pkcs8();
    let from_pem = SigningKey::from_pkcs8_pem(Algorithm::Es256, &pem("PRIVATE KEY", &der)).expect("a key");
    let from_der = SigningKey::from_pkcs8_der(Algorithm::Es256, &Secret::new(der)).expect("a key");
    assert_eq!(from_pem.kid(), from_der.kid());
    assert_eq!(from_pem.kid().len(), 43);
    let named = from_der.with_kid("2027-\"01\"");
    assert_eq!(named.verifying_key().kid(), Some("2027-\"01\""));
    let jwk: serde_json::Value = serde_json::from_str(&named.public_jwk().expect("public")).expect("JSON");
    assert_eq!(jwk["kid"], "2027-\"01\"");
}

/// RFC 7638 §7: a digest of a secret would help to guess it.
#[test]
fn an_hmac_secret_is_named_alike_everywhere_and_not_by_its_digest() {
    let secret = Secret::new(vec![7; 64]);
    let one = SigningKey::hmac(Algorithm::Hs256, &secret).expect("long enough");
    let two = SigningKey::hmac(Algorithm::Hs256, &secret).expect("long enough");
    assert_eq!(one.kid(), two.kid());
    let canonical = format!(r#"{{"k":"{}","kty":"oct"}}"#, URL_SAFE_NO_PAD.encode([7; 64]));
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical.as_bytes());
    assert!(!URL_SAFE_NO_PAD.encode(digest).starts_with(one.kid()));
}

#[test]
fn a_key_serves_its_algorithm_and_no_other() {
    let key = key_for(Algorithm::Rs256);
    let served: Vec<_> = key.verifying_key().algorithms().collect();
    assert_eq!(served, [Algorithm::Rs256]);
    let der = Secret::new(p256_pkcs8());
    assert!(SigningKey::from_pkcs8_der(Algorithm::Es256, &der).is_ok());
    for other in [
        Algorithm::Es384,
        Algorithm::Rs256,
        Algorithm::EdDsa,
        Algorithm::Hs256,
    ] {
        assert!(SigningKey::from_pkcs8_der(other, &der).is_err(), "{other}");
    }
}

#[test]
fn keys_of_every_curve_are_read_from_pkcs8_and_a_cut_or_longer_one_is_refused() {
    let random = SystemRandom::new();
    let ec = |signing| {
        EcdsaKeyPair::generate_pkcs8(signing, &random)
            .unwrap()
            .as_ref()
            .to_vec()
    };
    let ed: Pkcs8V1Der<'_> = Ed25519KeyPair::generate().unwrap().as_der().unwrap();
    let ed2 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    for (algorithm, der) in [
        (Algorithm::Es256, ec(&ECDSA_P256_SHA256_FIXED_SIGNING)),
        (Algorithm::Es384, ec(&ECDSA_P384_SHA384_FIXED_SIGNING)),
        (Algorithm::Es512, ec(&ECDSA_P521_SHA512_FIXED_SIGNING)),
        (Algorithm::EdDsa, ed.as_ref().to_vec()),
        (Algorithm::Ed25519, ed2.as_ref().to_vec()),
    ] {
        let whole = SigningKey::from_pkcs8_der(algorithm, &Secret::new(der.clone()));
        assert!(whole.is_ok(), "{algorithm}");
        let cut = Secret::new(der[..der.len() - 1].to_vec());
        let cut = SigningKey::from_pkcs8_der(algorithm, &cut);
        assert_eq!(cut.err(), Some(KeyError::Encoding), "{algorithm}");
        let longer = Secret::new([&der[..], &[0]].concat());
        let longer = SigningKey::from_pkcs8_der(algorithm, &longer);
        assert_eq!(longer.err(), Some(KeyError::Encoding), "{algorithm}");
    }
}

/// A2: what cannot verify cannot sign.
#[test]
fn an_rsa_key_that_is_too_small_is_refused() {
    assert!(SigningKey::from_pkcs8_pem(Algorithm::Rs256, &rsa_pem()).is_ok());
    let small = Secret::new(RSA_1024.as_bytes().to_vec());
    let refused = SigningKey::from_pkcs8_pem(Algorithm::Rs256, &small);
    assert_eq!(refused.err(), Some(KeyError::Size));
}

#[test]
fn an_hmac_secret_shorter_than_its_hash_is_refused() {
    let secret = |length| Secret::new(vec![7; length]);
    assert!(SigningKey::hmac(Algorithm::Hs384, &secret(48)).is_ok());
    let short = SigningKey::hmac(Algorithm::Hs384, &secret(47));
    assert_eq!(short.err(), Some(KeyError::Size));
    let public = SigningKey::hmac(Algorithm::Es256, &secret(48));
    assert_eq!(public.err(), Some(KeyError::Unsupported));
}

#[test]
fn only_an_unencrypted_private_key_in_pkcs8_is_read_from_pem() {
    let der = p256_pkcs8();
    let read = |label| SigningKey::from_pkcs8_pem(Algorithm::Es256, &pem(label, &der)).err();
    assert_eq!(read("PRIVATE KEY"), None);
    assert_eq!(read("PUBLIC KEY"), Some(KeyError::Public));
    assert_eq!(read("CERTIFICATE"), Some(KeyError::Public));
    assert_eq!(read("ENCRYPTED PRIVATE KEY"), Some(KeyError::Unsupported));
    assert_eq!(read("EC PRIVATE KEY"), Some(KeyError::Unsupported));
    for bad in [
        "",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN PRIVATE KEY-----\nA*AA\n-----END PRIVATE KEY-----",
    ] {
        let refused = SigningKey::from_pkcs8_pem(Algorithm::Es256, &Secret::new(bad.into()));
        assert_eq!(refused.err(), Some(KeyError::Encoding), "{bad}");
    }
}

/// T-SIGN-6
#[test]
fn debug_shows_the_id_and_the_algorithm_only() {
    let key = SigningKey::generate(Algorithm::Es256)
        .expect("randomness")
        .with_kid("k");
    assert_eq!(
        format!("{key:?}"),
        r#"SigningKey { kid: "k", algorithm: Es256, .. }"#
    );
}

/// `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024`
const RSA_1024: &str = "\
-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBALfB0uy9+n1Ye3xu
Pv7IOCBkF/KEOOp6zqKUL2ZeaspYilXNJsa0fsFRUc5Sw/FqsVPQ9DKnzV+9y13f
VsDbQ0jNCYirNDtVIVxiLBJaWr2crdNosbCykZSsW0D2l39jL2L9nZ9FS+r2wg94
kXIxR0iTDNm76ht2p49ei/WhYZGxAgMBAAECgYAkrtnHjwlhWneUWIHU5O1ncfPh
4wllrcxwYjqwKesRp+k9xa2W/1NKjkxRbu5U1GLAA7esIRl7omzluX8dEuh0Weh2
wRNx0ysmbOsCsb+48Oc3glM9jakP6hKZm3IhVozDuNKwR2003El/1w4ZNztwZMXC
stcX4wfcQvaEKPfWAQJBAPMpdm8E1x77n7YId9JZ4ZWYPbHIBUeU9IR9TwO7AR0U
fQQjb9CNX/haLinB5HvkZ2BUR8KXlVbY5iB1K9fBxpECQQDBdXSH8jTJqpZ+wPjZ
yW5hIVs3jbmRK5h7kO8mTx+I7PfoA+EHGUpzbmTAKnBP1pvE2N3iMqJqj0HQFefB
XekhAkEAzmSUJTl7is3TS0Q2yDIIWtyFCUCY0qBpR4fBKI5zLIa2cmvNvbwyCHAr
HMB5unstD8OZwV6+oJ+r/ULXOuQ8MQJAcdWOO0w+2YeCRJWCGIyZYZgCF59SWOSh
NdxjjFQ0hxqBCUn3CHlOQLvtltGiAqiSQfMmJKqMvU0MecfZ9gMvYQJAbS1/xfwM
8Yoaw5tv5VxqyzZ8mfo39Lkexcb7fprgPxp19+sjQq+m40XuSEJzYvU52iK6zQw+
MNwkpt0mVOnb+A==
-----END PRIVATE KEY-----";
