//! The header: what it may say, and what nobody listens to.

use portcullis_jwt::{JwtError, TrustedIssuer};
use portcullis_test::{SigningKey, fixed};
use serde_json::{Value, json};

use crate::support::{
    ASYMMETRIC, ISSUER, Spy, accepted, assert_refused, builder, built, issuer, issuer_of, verifier,
};

/// What attackers put into a header so that their own key is used.
fn embedded(key: &SigningKey) -> Vec<(&'static str, Value)> {
    vec![
        ("jwk", key.public_jwk()),
        ("jwk", json!("not an object")),
        ("jwk", json!(null)),
        ("jku", json!("https://attacker.test/jwks")),
        ("jku", json!("http://127.0.0.1/jwks")),
        ("jku", json!([1, 2])),
        ("x5u", json!("https://attacker.test/cert.pem")),
        ("x5u", json!("file:///etc/passwd")),
        (
            "x5c",
            json!([fixed::RSA_CERTIFICATE_PEM
                .lines()
                .filter(|line| !line.starts_with('-'))
                .collect::<String>()]),
        ),
        ("x5c", json!([])),
        ("x5t", json!("AAAA")),
        ("x5t#S256", json!("AAAA")),
        ("url", json!("https://attacker.test")),
        ("key", key.public_jwk()),
        ("keys", json!([key.public_jwk()])),
    ]
}

/// T-HDR-1, J7, BCP11: a key that the token brings verifies nothing, and nobody asks for it.
#[test]
fn a_key_that_the_token_brings_is_never_used() {
    let honest = issuer();
    for attacker in [
        SigningKey::es256("key-1"),
        SigningKey::rs256("key-1"),
        SigningKey::eddsa("key-1"),
    ] {
        for (name, value) in embedded(&attacker) {
            let spy = Spy::new(&honest.jwks());
            let trusted = TrustedIssuer::new(ISSUER, spy.clone()).algorithms(ASYMMETRIC);
            let verifier = built(builder().issuer(trusted));
            let forged = honest.token().key(&attacker).header(name, value.clone());
            let expected = if attacker.alg() == "ES256" {
                JwtError::Signature
            } else {
                JwtError::UnknownKey
            };
            assert_refused(&verifier, &forged.build(), expected, name);
            let nameless = forged.without_header("kid").build();
            assert_refused(&verifier, &nameless, expected, name);
            // An unknown key makes the configured source be asked again, and nothing else. This one has
            // nothing newer, and is looked at once more to see.
            let asked = if expected == JwtError::UnknownKey { 2 } else { 0 };
            let looked = 2 + asked;
            assert_eq!(
                (spy.looked_at(), spy.refreshed().len()),
                (looked, asked),
                "{name}"
            );

            let good = honest.token().header(name, value).build();
            let _ = accepted(&verifier, &good);
            assert_eq!(
                (spy.looked_at(), spy.refreshed().len()),
                (looked + 1, asked),
                "{name}"
            );
        }
    }
}

/// T-HDR-1, K9: an embedded key under an unknown id causes what any unknown id does, and no more.
#[test]
fn an_embedded_key_of_an_unknown_id_causes_one_refresh_of_the_configured_keys() {
    let honest = issuer();
    let attacker = SigningKey::es256("unknown");
    let spy = Spy::new(&honest.jwks()).with_newer(&honest.jwks());
    let trusted = TrustedIssuer::new(ISSUER, spy.clone()).algorithms(ASYMMETRIC);
    let verifier = built(builder().issuer(trusted));
    let forged = honest
        .token()
        .key(&attacker)
        .header("jwk", attacker.public_jwk())
        .header("jku", "https://attacker.test");
    let refused = crate::support::ready(verifier.verify(&forged.build()));
    assert_eq!(refused.err(), Some(JwtError::UnknownKey));
    assert_eq!(spy.refreshed().len(), 1);
}

/// T-HDR-2, J4, J5: no extension is understood here, so none may be demanded.
#[test]
fn whatever_crit_demands_is_refused() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let _ = accepted(
        &verifier,
        &issuer.token().header("harmless", json!({"a": 1})).build(),
    );
    for crit in [
        json!(["exp"]),
        json!(["b64"]),
        json!(["alg"]),
        json!(["kid", "kid"]),
        json!(["http://example.com/unknown"]),
        json!([]),
        json!([""]),
        json!([1]),
        json!([null]),
        json!([["exp"]]),
        json!("exp"),
        json!(""),
        json!(null),
        json!(false),
        json!(0),
        json!({}),
    ] {
        let token = issuer.token().header("crit", crit.clone()).header("exp", 1);
        assert_refused(
            &verifier,
            &token.build(),
            JwtError::CriticalExtension,
            &crit.to_string(),
        );
    }
    for b64 in [json!(false), json!(true), json!("false"), json!(null)] {
        let token = issuer.token().header("b64", b64.clone());
        assert_refused(&verifier, &token.build(), JwtError::CriticalExtension, "b64");
    }
    for header in [
        r#"{"alg":"ES256","kid":"key-1","\u0063rit":["exp"]}"#,
        r#"{"alg":"ES256","kid":"key-1","b\u00364":false}"#,
    ] {
        let token = issuer.token().raw_header(header).build();
        assert_refused(&verifier, &token, JwtError::CriticalExtension, header);
    }
    let twice = r#"{"alg":"ES256","kid":"key-1","crit":["exp"],"crit":["exp"]}"#;
    let token = issuer.token().raw_header(twice).build();
    assert_refused(&verifier, &token, JwtError::Header, "twice");
}

/// T-HDR-2, RFC 7797 §3: a payload that stands there unencoded is no payload.
#[test]
fn an_unencoded_payload_is_refused() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let key = issuer.signing_key();
    let header = crate::support::encode(br#"{"alg":"ES256","kid":"key-1","b64":false,"crit":["b64"]}"#);
    let payload = serde_json::to_string(issuer.token().claims())
        .unwrap()
        .replace('.', "\\u002e");
    let signature = crate::support::encode(&key.sign(format!("{header}.{payload}").as_bytes()));
    let token = format!("{header}.{payload}.{signature}");
    assert_refused(&verifier, &token, JwtError::CriticalExtension, "unencoded");
}

/// J6, BCP4, T-DOS-3: encrypted, compressed and nested tokens are told apart and left alone.
#[test]
fn encrypted_compressed_and_nested_tokens_are_refused() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    for (name, value, expected) in [
        ("enc", json!("A256GCM"), JwtError::Encrypted),
        ("zip", json!("DEF"), JwtError::Encrypted),
        ("cty", json!("JWT"), JwtError::Nested),
        ("cty", json!("jwt"), JwtError::Nested),
        ("cty", json!("application/jwt"), JwtError::Nested),
        ("cty", json!(1), JwtError::Header),
    ] {
        let token = issuer.token().header(name, value).build();
        assert_refused(&verifier, &token, expected, name);
    }
    let pbes2 = crate::support::encode(
        br#"{"alg":"PBES2-HS256+A128KW","enc":"A128CBC-HS256","p2s":"AAAA","p2c":2147483647}"#,
    );
    let encrypted = format!("{pbes2}.AAAA.AAAA.AAAA.AAAA");
    assert_refused(&verifier, &encrypted, JwtError::Encrypted, "five segments");
    let disguised = format!("{pbes2}.AAAA.AAAA");
    assert_refused(&verifier, &disguised, JwtError::Encrypted, "three segments");
    let inner = issuer.token().build();
    let nested = issuer.token().raw_payload(inner).build();
    assert_refused(&verifier, &nested, JwtError::Claims, "a token as payload");
}

/// J3, J9, T1: the header is one object, read strictly.
#[test]
fn a_header_that_is_not_one_plain_object_is_refused() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let plain = issuer
        .token()
        .raw_header(r#" {"alg" : "ES256", "\u006bid":"key-1"} "#);
    let _ = accepted(&verifier, &plain.build());
    for header in [
        "null",
        "[]",
        "\"ES256\"",
        "{}",
        "{",
        "\u{feff}{\"alg\":\"ES256\"}",
        r#"{"alg":"ES256"}{}"#,
        r#"{"alg":"ES256",}"#,
        r#"{"alg":"ES256"/*c*/}"#,
        r#"{'alg':'ES256'}"#,
        r#"{"alg":"ES256","kid":"key-1","kid":"key-1"}"#,
        r#"{"alg":"ES256","kid":"key-1","a":{"b":1,"b":1}}"#,
        r#"{"alg":"ES256","kid":""}"#,
        r#"{"alg":"ES256","kid":1}"#,
        r#"{"alg":"ES256","kid":null}"#,
        r#"{"alg":"ES256","kid":["key-1"]}"#,
        r#"{"alg":"ES256","kid":"\ud800"}"#,
        r#"{"alg":"ES256","typ":1}"#,
        r#"{"alg":"ES256","typ":null}"#,
        r#"{"alg":"ES256","typ":["JWT"]}"#,
        "{\"alg\":\"ES256\",\"a\":\"\u{1}\"}",
    ] {
        let token = issuer.token().raw_header(header).build();
        assert_refused(&verifier, &token, JwtError::Header, header);
    }
    let deep = format!(
        r#"{{"alg":"ES256","jwk":{}1{}}}"#,
        "[".repeat(2000),
        "]".repeat(2000)
    );
    let token = issuer.token().raw_header(deep).build();
    assert_refused(&verifier, &token, JwtError::Header, "deep");
    let token = issuer.token().build();
    let [_, payload, signature] = crate::support::segments(&token);
    let binary = crate::support::encode(b"{\"alg\":\"ES256\",\"a\":\"\xff\"}");
    let token = format!("{binary}.{payload}.{signature}");
    assert_refused(&verifier, &token, JwtError::Header, "not UTF-8");
}

/// BCP11, R4: an id is compared and never interpreted, whatever it looks like.
#[test]
fn a_key_id_is_compared_byte_for_byte() {
    let odd = "../../keys'; --\u{202e}\u{0}%00\u{e9}";
    for kid in ["key-1", odd, " ", &"k".repeat(4000)] {
        let key = SigningKey::es256(kid);
        let issuer = issuer_of(&key);
        let verifier = verifier(&issuer);
        let _ = accepted(&verifier, &issuer.token().build());
        for other in [
            "key", "key-", "key-11", "KEY-1", " key-1", "key-1 ", "key-1\0", "../key-1", "*", "%",
        ] {
            let token = issuer.token().kid(other).build();
            assert_refused(&verifier, &token, JwtError::UnknownKey, other);
        }
        let normalised = issuer.token().kid(&format!("{kid}\u{301}")).build();
        assert_refused(&verifier, &normalised, JwtError::UnknownKey, "combined");
    }
}
