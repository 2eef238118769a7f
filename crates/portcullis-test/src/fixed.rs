//! Keys that do not change: RSA private keys, and public keys that a verifier has to refuse.
//!
//! All of them are public knowledge.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::SigningKey;

/// Three RSA private keys of 2048 bits, PKCS#8 in PEM.
pub const RSA_PRIVATE_KEY_PEM: [&str; 3] = [
    include_str!("../keys/rsa-1.pem"),
    include_str!("../keys/rsa-2.pem"),
    include_str!("../keys/rsa-3.pem"),
];

/// A self-signed certificate of the first of [`RSA_PRIVATE_KEY_PEM`].
pub const RSA_CERTIFICATE_PEM: &str = include_str!("../keys/rsa-1.cert.pem");

/// A public RSA key of 1024 bits: too short (RFC 7518 §3.3).
pub const RSA_1024_JWK: &str = include_str!("../keys/rsa-1024.jwk.json");

/// A public RSA key of 8200 bits: so long that verifying with it is an attack.
pub const RSA_8200_JWK: &str = include_str!("../keys/rsa-8200.jwk.json");

/// Public keys that are well-formed JSON and must not become verification keys, each with what is
/// wrong with it. Every one says `kid: "refused"`, `use: "sig"` and an `alg` that fits its type.
///
/// ```
/// use portcullis_test::fixed;
///
/// assert!(fixed::refused_jwks().iter().all(|(_, jwk)| jwk["kid"] == "refused"));
/// ```
#[must_use]
pub fn refused_jwks() -> Vec<(&'static str, Value)> {
    let rsa = SigningKey::from_pkcs8_pem("RS256", "refused", RSA_PRIVATE_KEY_PEM[0]).public_jwk();
    let ec = fixed_p256();
    let ed25519 = |x: &str| json!({"kty": "OKP", "crv": "Ed25519", "x": x});
    let mut jwks = vec![
        ("RSA of 1024 bits", parse(RSA_1024_JWK)),
        ("RSA of 8200 bits", parse(RSA_8200_JWK)),
        ("RSA exponent 1", with(&rsa, "e", "AQ")),
        ("RSA exponent even", with(&rsa, "e", "AQAA")),
        ("RSA exponent empty", with(&rsa, "e", "")),
        ("RSA modulus even", with(&rsa, "n", &even(&rsa["n"]))),
        ("RSA without modulus", without(&rsa, "n")),
        (
            "EC point off the curve",
            with(&ec, "y", "AFVDiUrz0A7X10Cr29dclrBod7eH219w7qeLkKjXwAo"),
        ),
        (
            "EC coordinate without its leading zero",
            with(&ec, "x", "VUOJSvPQDtfXQKvb11yWsGh3t4fbX3Dup4uQqNfACg"),
        ),
        (
            "EC coordinate with one zero too many",
            with(&ec, "x", "AABVQ4lK89AO19dAq9vXXJawaHe3h9tfcO6ni5Co18AK"),
        ),
        ("EC without y (compressed)", without(&ec, "y")),
        ("EC on an unknown curve", with(&ec, "crv", "P-999")),
        ("Ed25519 of order 1", ed25519(&format!("AQ{}", "A".repeat(41)))),
        ("Ed25519 of order 4", ed25519(&"A".repeat(43))),
        (
            "Ed25519 not canonical (p + 3)",
            ed25519("8P_______________________________________38"),
        ),
        ("Ed25519 one byte short", ed25519(&"A".repeat(42))),
        ("unknown key type", json!({"kty": "XYZ"})),
    ];
    for (_, jwk) in &mut jwks {
        jwk["kid"] = json!("refused");
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(match jwk["kty"].as_str() {
            Some("EC") => "ES256",
            Some("OKP") => "EdDSA",
            _ => "RS256",
        });
    }
    jwks
}

/// The next of the fixed keys, in turn on each thread, so that neighbours differ.
pub(crate) fn next_rsa_private_key_pem() -> &'static str {
    thread_local!(static NEXT: Cell<usize> = const { Cell::new(0) });
    let index = NEXT.get();
    NEXT.set((index + 1) % RSA_PRIVATE_KEY_PEM.len());
    RSA_PRIVATE_KEY_PEM[index]
}

/// A point of P-256 whose x begins with a zero byte, so that its short form is the same number.
fn fixed_p256() -> Value {
    json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "AFVDiUrz0A7X10Cr29dclrBod7eH219w7qeLkKjXwAo",
        "y": "u0yFo9jqKe-q-iRAaRLdhNWxTcMr9lbvbGvVil2UP5I",
    })
}

fn parse(jwk: &str) -> Value {
    serde_json::from_str(jwk).expect("the fixed keys are JSON")
}

fn with(jwk: &Value, name: &str, value: &str) -> Value {
    let mut jwk = jwk.clone();
    jwk[name] = json!(value);
    jwk
}

fn without(jwk: &Value, name: &str) -> Value {
    let mut jwk = jwk.clone();
    if let Some(members) = jwk.as_object_mut() {
        members.remove(name);
    }
    jwk
}

/// The modulus with its lowest byte zero: 256 bytes leave one for the last two characters.
fn even(modulus: &Value) -> String {
    let text = modulus.as_str().unwrap_or_default();
    format!("{}AA", &text[..text.len() - 2])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn number(jwk: &Value, name: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
    }

    fn refused(what: &str) -> Value {
        let found = refused_jwks().into_iter().find(|(name, _)| *name == what);
        found.unwrap_or_else(|| panic!("{what} is not in the list")).1
    }

    #[test]
    fn every_refused_key_is_another_one() {
        let jwks = refused_jwks();
        let names: HashSet<_> = jwks.iter().map(|(name, _)| name).collect();
        let bodies: HashSet<_> = jwks.iter().map(|(_, jwk)| jwk.to_string()).collect();
        assert_eq!((names.len(), bodies.len()), (jwks.len(), jwks.len()));
    }

    #[test]
    fn the_rsa_keys_have_the_sizes_they_claim() {
        for (what, bits) in [("RSA of 1024 bits", 1024), ("RSA of 8200 bits", 8200)] {
            let n = number(&refused(what), "n");
            assert_eq!(n.len() * 8, bits);
            assert!(
                n[0] >= 0x80 && n.last().is_some_and(|last| last % 2 == 1),
                "{what}"
            );
        }
        let n = number(&refused("RSA modulus even"), "n");
        assert_eq!((n.len(), n.last()), (256, Some(&0)));
        assert_eq!(number(&refused("RSA exponent even"), "e"), [1, 0, 0]);
    }

    /// The coordinates are the same number in another length, and nothing else is wrong with them.
    #[test]
    fn the_ec_keys_are_one_good_point_with_one_thing_broken() {
        let good = fixed_p256();
        let point = |jwk: &Value| [vec![4], number(jwk, "x"), number(jwk, "y")].concat();
        let parses = |point: Vec<u8>| ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).is_ok();
        assert!(parses(point(&good)));
        assert!(!parses(point(&refused("EC point off the curve"))));
        let x = number(&good, "x");
        assert_eq!(
            number(&refused("EC coordinate without its leading zero"), "x"),
            x[1..]
        );
        assert_eq!(
            number(&refused("EC coordinate with one zero too many"), "x")[1..],
            x
        );
    }

    #[test]
    fn the_ed25519_keys_have_the_right_length_except_where_they_say_so() {
        for (what, jwk) in refused_jwks() {
            if jwk["crv"] == "Ed25519" {
                let expected = if what.contains("short") { 31 } else { 32 };
                assert_eq!(number(&jwk, "x").len(), expected, "{what}");
            }
        }
    }
}
