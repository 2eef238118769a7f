//! The names of RFC 7518 §3.1 and what they stand for.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaSigningAlgorithm, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The MAC of `message` under `alg`, with a secret of any length.
pub(crate) fn mac(alg: &str, secret: &[u8], message: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(mac_of(alg), secret);
    hmac::sign(&key, message).as_ref().to_vec()
}

pub(crate) fn mac_of(alg: &str) -> hmac::Algorithm {
    match alg {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => panic!("{alg:?} is not an HMAC algorithm"),
    }
}

pub(crate) fn curve_of(alg: &str) -> &'static EcdsaSigningAlgorithm {
    match alg {
        "ES256" => &ECDSA_P256_SHA256_FIXED_SIGNING,
        "ES384" => &ECDSA_P384_SHA384_FIXED_SIGNING,
        "ES512" => &ECDSA_P521_SHA512_FIXED_SIGNING,
        _ => panic!("{alg:?} is not an ECDSA algorithm"),
    }
}

pub(crate) fn crv_of(alg: &str) -> &'static str {
    match alg {
        "ES256" => "P-256",
        "ES384" => "P-384",
        _ => "P-521",
    }
}

pub(crate) fn padding_of(alg: &str) -> &'static dyn RsaEncoding {
    match alg {
        "RS256" => &RSA_PKCS1_SHA256,
        "RS384" => &RSA_PKCS1_SHA384,
        "RS512" => &RSA_PKCS1_SHA512,
        "PS256" => &RSA_PSS_SHA256,
        "PS384" => &RSA_PSS_SHA384,
        "PS512" => &RSA_PSS_SHA512,
        _ => panic!("{alg:?} is not an RSA signature algorithm"),
    }
}

/// base64url as RFC 7515 §2 has it.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
