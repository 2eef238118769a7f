//! A valid token verifies under its public key; each method changes exactly one thing.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};

use super::*;
use crate::TestIssuer;

const ALGORITHMS: [&str; 13] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256",
    "HS384", "HS512",
];

fn verification(alg: &str) -> &'static dyn VerificationAlgorithm {
    match alg {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "PS384" => &RSA_PSS_2048_8192_SHA384,
        "PS512" => &RSA_PSS_2048_8192_SHA512,
        "ES256" => &ECDSA_P256_SHA256_FIXED,
        "ES384" => &ECDSA_P384_SHA384_FIXED,
        "ES512" => &ECDSA_P521_SHA512_FIXED,
        _ => &ED25519,
    }
}

/// A decoder that forgives what RFC 7515 does not.
fn lax(segment: &str) -> Vec<u8> {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&URL_SAFE, config).decode(segment).unwrap()
}

fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

fn member(segment: &str) -> Value {
    serde_json::from_slice(&lax(segment)).unwrap()
}

/// Whether the signature is the one the key makes over the text as it stands.
fn verifies(token: &str, key: &SigningKey) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    if key.is_symmetric() {
        return lax(signature) == key.sign(message.as_bytes());
    }
    UnparsedPublicKey::new(verification(key.alg()), key.public_der())
        .verify(message.as_bytes(), &lax(signature))
        .is_ok()
}

fn issuer() -> TestIssuer {
    TestIssuer::new("https://issuer.test").clock(crate::ManualClock::at(1_000_000))
}

#[test]
fn a_valid_token_verifies_under_every_algorithm() {
    for alg in ALGORITHMS {
        let key = SigningKey::generate(alg, "key");
        let issuer = issuer().with_key(&key);
        let token = issuer.token().build();
        let [header, payload, signature] = parts(&token);
        assert!(verifies(&token, &key), "{alg}");
        assert!(
            !verifies(&token, &SigningKey::generate(alg, "key")),
            "{alg}: another key"
        );
        assert_eq!(member(header), json!({"alg": alg, "kid": "key", "typ": "at+jwt"}));
        for segment in [header, payload, signature] {
            URL_SAFE_NO_PAD.decode(segment).expect("canonical base64url");
        }
    }
}

#[test]
fn a_valid_token_has_the_claims_of_rfc_9068() {
    let issuer = issuer();
    let (first, second) = (issuer.token(), issuer.token());
    assert_ne!(first.claims()["jti"], second.claims()["jti"]);
    let mut claims = member(parts(&first.build())[1]);
    claims.as_object_mut().unwrap().remove("jti");
    assert_eq!(
        claims,
        json!({
            "iss": "https://issuer.test", "sub": "alice", "aud": "https://api.example.test",
            "client_id": "test-client", "iat": 1_000_000, "exp": 1_000_300,
        })
    );
}

/// The names of the members that differ.
fn changed(before: &Value, after: &Value) -> Vec<String> {
    let (before, after) = (before.as_object().unwrap(), after.as_object().unwrap());
    let mut names: Vec<_> = before.keys().chain(after.keys()).cloned().collect();
    names.sort();
    names.dedup();
    names.retain(|name| before.get(name) != after.get(name));
    names
}

#[test]
fn each_claim_and_header_method_changes_what_it_names_and_signs_the_change() {
    let issuer = issuer();
    let base = issuer.token();
    let valid = base.build();
    let [header, payload, _] = parts(&valid);
    type Change = fn(TokenBuilder) -> TokenBuilder;
    let table: [(&str, &[&str], &[&str], Change); 14] = [
        ("subject", &[], &["sub"], |t| t.subject("bob")),
        ("audience", &[], &["aud"], |t| t.audience(json!(["a", "b"]))),
        ("scope", &[], &["scope"], |t| t.scope("a b")),
        ("roles", &[], &["roles"], |t| t.roles(["admin"])),
        ("claim", &[], &["nbf"], |t| t.claim("nbf", 5)),
        ("without", &[], &["exp"], |t| t.without("exp")),
        ("lifetime", &[], &["exp"], |t| t.lifetime(60)),
        ("negative lifetime", &[], &["exp", "iat"], |t| t.lifetime(-60)),
        ("header", &["crit"], &[], |t| t.header("crit", json!(["exp"]))),
        ("without_header", &["kid"], &[], |t| t.without_header("kid")),
        ("kid", &["kid"], &[], |t| t.kid("other")),
        ("typ", &["typ"], &[], |t| t.typ("JWT")),
        ("alg", &["alg"], &[], |t| t.alg("none")),
        ("nothing", &[], &[], |t| t),
    ];
    for (name, in_header, in_claims, change) in table {
        let token = change(base.clone()).build();
        let [new_header, new_payload, _] = parts(&token);
        assert_eq!(changed(&member(header), &member(new_header)), in_header, "{name}");
        assert_eq!(
            changed(&member(payload), &member(new_payload)),
            in_claims,
            "{name}"
        );
        assert!(verifies(&token, &issuer.signing_key()), "{name}");
    }
}

#[test]
fn an_expired_token_was_issued_before_it_expired() {
    for seconds in [0, -60] {
        let token = issuer().token().lifetime(seconds);
        assert_eq!(token.claims()["exp"], 1_000_000 + seconds);
        assert!(token.claims()["iat"].as_i64() < token.claims()["exp"].as_i64());
    }
}

#[test]
fn a_forged_or_tampered_token_differs_in_one_segment_and_does_not_verify() {
    let issuer = issuer();
    let key = issuer.signing_key();
    let base = issuer.token();
    let valid = base.build();
    let stranger = SigningKey::es256("key-1");
    for (name, token, segment) in [
        ("signed_by", base.clone().signed_by(&stranger), 2),
        ("tampered_signature", base.clone().tampered_signature(), 2),
        ("tampered_payload", base.clone().tampered_payload(), 1),
    ] {
        let token = token.build();
        for index in 0..2 {
            let same = parts(&valid)[index] == parts(&token)[index];
            assert_eq!(same, index != segment, "{name}: segment {index}");
        }
        assert!(!verifies(&token, &key), "{name}");
    }
    assert!(verifies(&base.signed_by(&stranger).build(), &stranger));
}

#[test]
fn an_unsigned_token_lacks_the_signature_only() {
    let token = issuer().token();
    let [header, payload, _] = parts(&token.build()).map(str::to_owned);
    assert_eq!(token.unsigned().build(), format!("{header}.{payload}."));
}

/// T-ALG-1.
#[test]
fn a_confused_token_carries_a_mac_under_the_public_key() {
    let issuer = issuer().with_key(&SigningKey::rs256("key"));
    let key = issuer.signing_key();
    for form in [
        key.public_pem().into_bytes(),
        key.public_der(),
        key.public_jwk().to_string().into_bytes(),
    ] {
        let token = issuer.token().signed_with_hmac_secret("HS256", &form).build();
        assert_eq!(
            member(parts(&token)[0]),
            json!({"alg": "HS256", "kid": "key", "typ": "at+jwt"})
        );
        assert!(verifies(&token, &SigningKey::from_secret("HS256", "key", &form)));
    }
}

#[test]
fn a_non_canonical_segment_decodes_laxly_to_a_token_that_verifies() {
    let issuer = issuer();
    for segment in [Segment::Header, Segment::Payload, Segment::Signature] {
        let token = issuer.token().non_canonical_base64url(segment).build();
        assert!(verifies(&token, &issuer.signing_key()), "{segment:?}");
        for (index, text) in parts(&token).iter().enumerate() {
            let canonical = URL_SAFE_NO_PAD.decode(text).is_ok();
            assert_eq!(
                canonical,
                index != segment as usize,
                "{segment:?}: segment {index}"
            );
        }
        let _ = member(parts(&token)[0]);
        let _ = member(parts(&token)[1]);
    }
}

#[test]
fn a_padded_token_decodes_laxly_to_a_token_that_verifies() {
    for alg in ["ES256", "ES384"] {
        let issuer = issuer().with_key(&SigningKey::generate(alg, "key"));
        let token = issuer.token().padded().build();
        assert!(verifies(&token, &issuer.signing_key()));
        assert!(parts(&token)[1].ends_with('='));
        let _ = member(parts(&token)[1]);
    }
}

/// RFC 7518 §3.4 (A3): a DER signature is a good signature in the wrong form.
#[test]
fn a_der_signature_is_the_same_signature_in_asn_1() {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1};
    for (alg, asn1) in [
        ("ES256", &ECDSA_P256_SHA256_ASN1),
        ("ES384", &ECDSA_P384_SHA384_ASN1),
        ("ES512", &ECDSA_P521_SHA512_ASN1),
    ] {
        let issuer = issuer().with_key(&SigningKey::generate(alg, "key"));
        let token = issuer.token().der_signature().build();
        let (message, signature) = token.rsplit_once('.').unwrap();
        UnparsedPublicKey::new(asn1, issuer.signing_key().public_der())
            .verify(message.as_bytes(), &lax(signature))
            .expect(alg);
        assert!(!verifies(&token, &issuer.signing_key()), "{alg}");
    }
}

#[test]
fn raw_parts_are_signed_as_they_are() {
    let issuer = issuer();
    let raw = r#"{"alg":"ES256","alg":"none"}"#;
    let token = issuer.token().raw_header(raw).raw_payload(*b"\xff[]").build();
    assert_eq!(lax(parts(&token)[0]), raw.as_bytes());
    assert_eq!(lax(parts(&token)[1]), b"\xff[]");
    assert!(verifies(&token, &issuer.signing_key()));
}
