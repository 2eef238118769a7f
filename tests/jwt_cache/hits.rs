//! What is remembered, and what is not.

use portcullis_jwt::JwtError;
use portcullis_test::Segment;
use serde_json::json;

use crate::doubles::{House, cached, entries, same};
use crate::support::{
    accepted, assert_refused, built, encode, hex, minus, segments, signature_of, with_signature,
};

/// A verifier without a cache verifies each time; with one, once.
#[test]
fn a_token_is_verified_once_where_a_cache_was_asked_for() {
    let house = House::new();
    let token = house.issuer.token().build();
    let plain = built(house.builder());
    assert!(!same(&accepted(&plain, &token), &accepted(&plain, &token)));
    let verifier = house.verifier();
    let _ = cached(&verifier, &token);
    assert_eq!(entries(&verifier), 1);
    let other = house.issuer.token().build();
    assert!(!same(&accepted(&verifier, &token), &cached(&verifier, &other)));
}

#[test]
fn a_hit_says_what_the_first_verification_said() {
    let house = House::new();
    let token = house
        .issuer
        .token()
        .scope("a b")
        .roles(["r\u{fc}"])
        .claim("acr", "gold")
        .claim("amr", json!(["pwd", "otp"]))
        .build();
    let verifier = house.verifier();
    let (first, hit) = (accepted(&verifier, &token), accepted(&verifier, &token));
    assert_eq!(first.subject(), hit.subject());
    assert_eq!(first.client_id(), hit.client_id());
    assert_eq!((first.scopes(), first.roles()), (hit.scopes(), hit.roles()));
    assert_eq!(first.is_client(), hit.is_client());
    let [first, hit] = [first, hit].map(|token| token.into_authentication().unwrap());
    assert_eq!(first.principal(), hit.principal());
    assert_eq!(
        (first.acr(), first.factors().len()),
        (hit.acr(), hit.factors().len())
    );
    assert_eq!(first.expires_at(), hit.expires_at());
    assert_eq!(hit.acr(), Some("gold"));
}

/// T-SIG-1: no text but the very same finds what was remembered.
#[test]
fn a_token_with_any_bit_changed_is_no_hit() {
    let house = House::new();
    let verifier = house.verifier();
    let token = house.issuer.token().build();
    let known = cached(&verifier, &token);
    for position in 0..token.len() {
        for bit in 0..7 {
            let mut changed = token.clone().into_bytes();
            changed[position] ^= 1 << bit;
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(verifier.verify_now(&changed).is_err(), "{position} {bit}");
        }
    }
    for changed in [
        format!("{token} "),
        format!(" {token}"),
        format!("{token}A"),
        format!("{token}."),
        format!("{token}\n"),
        token[1..].to_owned(),
        token[..token.len() - 1].to_owned(),
    ] {
        assert!(verifier.verify_now(&changed).is_err(), "{changed:?}");
    }
    assert!(same(&known, &accepted(&verifier, &token)));
    assert_eq!(entries(&verifier), 1);
}

/// T-SIG-1: stray bits in a segment's last character decode to the same bytes elsewhere.
#[test]
fn a_token_in_another_encoding_is_no_hit() {
    let house = House::new();
    let verifier = house.verifier();
    // Of a length that leaves bits over in the payload, as 64 bytes of signature do.
    let token = (0..3)
        .map(|n| house.issuer.token().claim("pad", "x".repeat(n)))
        .find(|token| !segments(&token.build())[1].len().is_multiple_of(4))
        .expect("one of three");
    let _ = cached(&verifier, &token.build());
    for segment in [Segment::Payload, Segment::Signature] {
        let stray = token.clone().non_canonical_base64url(segment).build();
        assert_refused(&verifier, &stray, JwtError::Encoding, &format!("{segment:?}"));
    }
    assert!(verifier.verify_now(&token.padded().build()).is_err());
    assert_eq!(entries(&verifier), 1);
}

/// T-SIG-1: ECDSA's second spelling is good, and is another token for the cache.
#[test]
fn the_twin_of_an_ecdsa_signature_is_no_hit() {
    const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let house = House::new();
    let verifier = house.verifier();
    let token = house.issuer.token().build();
    let known = cached(&verifier, &token);
    let signature = signature_of(&token);
    let (r, s) = signature.split_at(32);
    let twin = with_signature(&token, &[r, &minus(&hex(ORDER), s)].concat());
    let other = cached(&verifier, &twin);
    assert!(!same(&known, &other));
    assert_eq!(entries(&verifier), 2);
    // Both are one token to a revocation list.
    house.revoke(&known);
    assert_refused(&verifier, &token, JwtError::Revoked, "the token");
    assert_refused(&verifier, &twin, JwtError::Revoked, "its twin");
}

/// T-CNF-1: what is refused is not remembered, whatever it is refused for; nor is a bound token.
#[test]
fn a_refused_token_is_never_remembered() {
    let house = House::new();
    let verifier = house.verifier();
    let valid = house.issuer.token();
    let broken = [
        valid.clone().tampered_signature(),
        valid.clone().tampered_payload(),
        valid.clone().lifetime(-31),
        valid.clone().audience("https://other.test"),
        valid.clone().claim("iss", "https://other.test"),
        valid.clone().claim("nbf", crate::support::NOW + 31),
        valid.clone().claim("iat", crate::support::NOW + 31),
        valid.clone().claim("cnf", json!({"jkt": "a"})),
        valid.clone().claim("cnf", json!({"x5t#S256": "a"})),
        valid.clone().without("jti"),
        valid.clone().without("iat"),
        valid.clone().without("exp"),
        valid.clone().typ("id+jwt"),
        valid.clone().kid("unknown"),
        valid.clone().unsigned(),
        valid.clone().header("crit", json!(["exp"])),
        valid.clone().claim("nonce", "a"),
    ];
    for token in broken {
        let text = token.build();
        let first = verifier.verify_now(&text).expect_err("broken");
        assert_refused(&verifier, &text, first, "the same verdict again");
    }
    assert_eq!(entries(&verifier), 0);
    let _ = cached(&verifier, &valid.build());
    assert_eq!(entries(&verifier), 1);
}

/// T-DOS-1: the length is looked at before a digest is made.
#[test]
fn a_token_that_is_too_long_is_refused_as_without_a_cache() {
    let house = House::new();
    let long = format!("a.{}.c", encode(&vec![b'x'; 20_000]));
    for verifier in [built(house.builder()), house.verifier()] {
        assert_refused(&verifier, &long, JwtError::TooLong, "too long");
    }
}
