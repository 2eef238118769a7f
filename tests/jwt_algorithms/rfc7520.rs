//! RFC 7520 §4: the keys of §3 and the signatures over a sentence, which is no JWT: a verifier that
//! finds the signature good goes on to refuse the claims.

use portcullis_core::Secret;
use portcullis_jwt::{Algorithm, JwtError, StaticKeySet, TrustedIssuer, VerifyingKey};
use serde_json::{Value, json};

use crate::support::{ASYMMETRIC, ISSUER, assert_refused, builder, built, decode, set_of, with_signature};

const PAYLOAD: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0\
     aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91\
     IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";
const KID: &str = "bilbo.baggins@hobbiton.example";
const MAC_KID: &str = "018c0ae5-4d9b-471b-bfd6-eef314bc7037";
const RS256: &str = "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7P\
     NDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9e\
     Ro4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4\
     uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";
const PS384: &str = "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dD\
     DItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ij\
     Q7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAj\
     VKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw";
const ES512: &str = "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPB\
     u_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2";
const HS256: &str = "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0";

fn rsa() -> Value {
    let n = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_\
              AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpP\
              e7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg\
              _3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";
    json!({"kty": "RSA", "kid": KID, "use": "sig", "n": n, "e": "AQAB"})
}

fn ec() -> Value {
    json!({
        "kty": "EC",
        "kid": KID,
        "use": "sig",
        "crv": "P-521",
        "x": "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
        "y": "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1",
    })
}

fn token(alg: &str, kid: &str, signature: &str) -> String {
    let header = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
    format!(
        "{}.{PAYLOAD}.{signature}",
        crate::support::encode(header.as_bytes())
    )
}

/// T-SIG-1, RFC 7520 §4.1, §4.2, §4.3
#[test]
fn the_published_signatures_hold_and_with_one_bit_changed_they_do_not() {
    let trusted = TrustedIssuer::new(ISSUER, set_of([rsa(), ec()])).algorithms(ASYMMETRIC);
    let verifier = built(builder().issuer(trusted));
    for (alg, signature) in [("RS256", RS256), ("PS384", PS384), ("ES512", ES512)] {
        let token = token(alg, KID, signature);
        assert_refused(&verifier, &token, JwtError::Claims, "only the claims are wrong");
        let mut flipped = decode(signature);
        flipped[20] ^= 4;
        assert_refused(
            &verifier,
            &with_signature(&token, &flipped),
            JwtError::Signature,
            alg,
        );
    }
}

/// T-SIG-1, RFC 7520 §4.4
#[test]
fn the_published_mac_holds_and_with_one_bit_changed_it_does_not() {
    let secret = Secret::new(decode("hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"));
    let key = VerifyingKey::hmac(Algorithm::Hs256, &secret)
        .unwrap()
        .with_kid(MAC_KID);
    let keys = StaticKeySet::new([key]).unwrap();
    let trusted = TrustedIssuer::new(ISSUER, keys).algorithms([Algorithm::Hs256]);
    let verifier = built(builder().issuer(trusted));
    let token = token("HS256", MAC_KID, HS256);
    assert_refused(&verifier, &token, JwtError::Claims, "only the claims are wrong");
    let mut flipped = decode(HS256);
    flipped[20] ^= 4;
    assert_refused(
        &verifier,
        &with_signature(&token, &flipped),
        JwtError::Signature,
        "MAC",
    );
}

/// J1, RFC 7520 §4.5: detached content leaves the payload empty.
#[test]
fn a_detached_payload_is_refused() {
    let trusted = TrustedIssuer::new(ISSUER, set_of([rsa()])).algorithms(ASYMMETRIC);
    let verifier = built(builder().issuer(trusted));
    let detached = token("RS256", KID, RS256).replace(PAYLOAD, "");
    assert_refused(&verifier, &detached, JwtError::NotCompact, "detached");
}
