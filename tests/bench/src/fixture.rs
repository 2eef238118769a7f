//! The token that everybody is asked to verify.
//!
//! Kept in files, so that instruction counts can be compared between commits: an ECDSA check takes
//! another number of instructions for every signature. `cargo run --example fixtures` makes new ones.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub const ISSUER: &str = "https://issuer.example.test";
pub const AUDIENCE: &str = "https://api.example.test";
pub const KID: &str = "2026-11-signing-key";

/// A token and the key it verifies with.
#[derive(Clone, Copy, Debug)]
pub struct Fixture {
    pub alg: &'static str,
    pub token: &'static str,
    pub jwk: &'static str,
}

macro_rules! fixture {
    ($alg:literal) => {
        Fixture {
            alg: $alg,
            token: include_str!(concat!("../fixtures/", $alg, ".token")),
            jwk: include_str!(concat!("../fixtures/", $alg, ".jwk.json")),
        }
    };
}

impl Fixture {
    /// The fixture of an algorithm.
    pub fn of(alg: &str) -> Self {
        match alg {
            "RS256" => fixture!("RS256"),
            "ES256" => fixture!("ES256"),
            "EdDSA" => fixture!("EdDSA"),
            _ => panic!("no fixture for {alg}"),
        }
    }

    pub fn jwk(&self) -> Value {
        serde_json::from_str(self.jwk).expect("a JWK")
    }

    /// The key in a set with so many keys, at its end. The others differ by their names alone.
    pub fn jwks(&self, keys: usize) -> String {
        let named = |kid: String| {
            let mut jwk = self.jwk();
            jwk["kid"] = kid.into();
            jwk
        };
        let mut all: Vec<_> = (1..keys)
            .map(|n| named(format!("2026-11-other-key-{n}")))
            .collect();
        all.push(self.jwk());
        json!({ "keys": all }).to_string()
    }

    /// What is signed, and the signature.
    pub fn signed(&self) -> (&'static [u8], Vec<u8>) {
        let (input, signature) = self.token.rsplit_once('.').expect("a compact JWS");
        (
            input.as_bytes(),
            URL_SAFE_NO_PAD.decode(signature).expect("base64url"),
        )
    }

    /// A member of the JWK that is base64url.
    pub fn member(&self, name: &str) -> Vec<u8> {
        let jwk = self.jwk();
        let text = jwk[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in the JWK"));
        URL_SAFE_NO_PAD.decode(text).expect("base64url")
    }
}
