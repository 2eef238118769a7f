//! The signature check alone: what no layer can do without.

use std::hint::black_box;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};

use crate::{Fixture, Subject};

pub(crate) struct Signature {
    key: ParsedPublicKey,
    message: &'static [u8],
    signature: Vec<u8>,
}

impl Signature {
    pub(crate) fn new(fixture: Fixture) -> Self {
        let (message, signature) = fixture.signed();
        let mut this = Self {
            key: key(fixture),
            message,
            signature,
        };
        this.call();
        this
    }
}

fn key(fixture: Fixture) -> ParsedPublicKey {
    let parsed = match fixture.alg {
        "RS256" => {
            let components = RsaPublicKeyComponents {
                n: fixture.member("n"),
                e: fixture.member("e"),
            };
            components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        }
        "ES256" => {
            let point = [vec![4], fixture.member("x"), fixture.member("y")].concat();
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        }
        _ => ParsedPublicKey::new(&ED25519, fixture.member("x")),
    };
    parsed.expect("a public key")
}

impl Subject for Signature {
    fn prepare(&mut self, _: usize) {}

    fn call(&mut self) {
        let holds = self
            .key
            .verify_sig(black_box(self.message), black_box(&self.signature));
        holds.expect("the signature holds");
    }
}
