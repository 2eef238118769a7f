//! Where signing keys come from.

use std::sync::Arc;

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis_core::Secret;

use super::{Pair, SigningKey, ecdsa_signing, public, rsa_encoding};
use crate::algorithm::KeyKind;
use crate::key::is_one_sequence;
use crate::{Algorithm, KeyError, VerifyingKey, base64url};

impl SigningKey {
    /// Generates a key with the operating system's randomness.
    ///
    /// RSA keys have 2048 bits and take up to some seconds: away from requests, please. Larger ones are
    /// [loaded](Self::from_pkcs8_pem). The others take microseconds. HMAC secrets are as long as their hash.
    ///
    /// # Errors
    ///
    /// [`NotGenerated`](KeyError::NotGenerated) when there is no randomness to be had.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let pair = match algorithm.key_kind() {
            KeyKind::Rsa => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::NotGenerated)?;
                Pair::Rsa(pair, rsa_encoding(algorithm).ok_or(KeyError::Unsupported)?)
            }
            KeyKind::Ec(_) => {
                let signing = ecdsa_signing(algorithm).ok_or(KeyError::Unsupported)?;
                Pair::Ecdsa(EcdsaKeyPair::generate(signing).map_err(|_| KeyError::NotGenerated)?)
            }
            KeyKind::Ed25519 => {
                Pair::Ed25519(Ed25519KeyPair::generate().map_err(|_| KeyError::NotGenerated)?)
            }
            KeyKind::Hmac => {
                let (_, length) = algorithm.hmac().ok_or(KeyError::Unsupported)?;
                let mut secret = vec![0; length];
                rand::fill(&mut secret).map_err(|_| KeyError::NotGenerated)?;
                return Self::hmac(algorithm, &Secret::new(secret));
            }
        };
        Self::of(algorithm, pair)
    }

    /// Reads the first section of a PEM file, which must be `PRIVATE KEY`: PKCS#8, not encrypted.
    ///
    /// The older forms (`RSA PRIVATE KEY`, `EC PRIVATE KEY`) are converted with
    /// `openssl pkcs8 -topk8 -nocrypt`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Public`] for a public key or a certificate, [`KeyError::Unsupported`] for another form
    /// or a key that `algorithm` cannot use, otherwise as [`from_pkcs8_der`](Self::from_pkcs8_der).
    pub fn from_pkcs8_pem(algorithm: Algorithm, pem: &Secret<Vec<u8>>) -> Result<Self, KeyError> {
        let (label, encoded) = section(pem.expose())?;
        match label {
            "PRIVATE KEY" => {}
            "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => return Err(KeyError::Public),
            _ => return Err(KeyError::Unsupported),
        }
        let der = STANDARD
            .decode(encoded.expose())
            .map_err(|_| KeyError::Encoding)?;
        Self::from_pkcs8_der(algorithm, &Secret::new(der))
    }

    /// Reads a PKCS#8 document (RFC 5208, RFC 5958), not encrypted.
    ///
    /// # Errors
    ///
    /// When `algorithm` is symmetric, the document cannot be read or holds a key of another type or
    /// curve, the key contradicts itself, or its public half is refused by [`VerifyingKey`].
    pub fn from_pkcs8_der(algorithm: Algorithm, pkcs8: &Secret<Vec<u8>>) -> Result<Self, KeyError> {
        let pkcs8 = pkcs8.expose();
        if !is_one_sequence(pkcs8) {
            return Err(KeyError::Encoding);
        }
        let pair = match algorithm.key_kind() {
            KeyKind::Rsa => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|error| rejected(&error))?;
                Pair::Rsa(pair, rsa_encoding(algorithm).ok_or(KeyError::Unsupported)?)
            }
            KeyKind::Ec(_) => {
                let signing = ecdsa_signing(algorithm).ok_or(KeyError::Unsupported)?;
                let pair = EcdsaKeyPair::from_pkcs8(signing, pkcs8).map_err(|error| rejected(&error))?;
                Pair::Ecdsa(pair)
            }
            KeyKind::Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|error| rejected(&error))?;
                Pair::Ed25519(pair)
            }
            KeyKind::Hmac => return Err(KeyError::Unsupported),
        };
        Self::of(algorithm, pair)
    }

    /// An HMAC secret, for exactly one algorithm. For tokens that only this application reads: whoever
    /// can verify with it can sign with it, and it is never published.
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::hmac`].
    pub fn hmac(algorithm: Algorithm, secret: &Secret<Vec<u8>>) -> Result<Self, KeyError> {
        let verifying = VerifyingKey::hmac(algorithm, secret)?;
        let (mac, _) = algorithm.hmac().ok_or(KeyError::Unsupported)?;
        let key = hmac::Key::new(mac, secret.expose());
        let tag = hmac::sign(&key, b"portcullis: the id of this key");
        let kid = base64url::encode(tag.as_ref().get(..16).unwrap_or_default()).into_boxed_str();
        Ok(Self {
            algorithm,
            verifying: verifying.with_kid(kid.clone()),
            kid,
            pair: Arc::new(Pair::Hmac(Box::new(key), secret.clone())),
        })
    }

    fn of(algorithm: Algorithm, pair: Pair) -> Result<Self, KeyError> {
        let verifying = public::verifying_key(&pair)?.bound_to(algorithm)?;
        let kid = public::thumbprint(&pair)?.into_boxed_str();
        Ok(Self {
            algorithm,
            verifying: verifying.with_kid(kid.clone()),
            kid,
            pair: Arc::new(pair),
        })
    }
}

/// The library's words for what is wrong.
fn rejected(error: &KeyRejected) -> KeyError {
    match error.to_string().as_str() {
        "TooSmall" | "TooLarge" => KeyError::Size,
        "InconsistentComponents" | "InvalidComponent" | "PrivateModulusLenNotMultipleOf512Bits" => {
            KeyError::Weak
        }
        "WrongAlgorithm" => KeyError::Unsupported,
        _ => KeyError::Encoding,
    }
}

/// The label and the base64 of the first section (RFC 7468).
fn section(pem: &[u8]) -> Result<(&str, Secret<String>), KeyError> {
    let text = std::str::from_utf8(pem).map_err(|_| KeyError::Encoding)?;
    let mut lines = text.lines().map(str::trim);
    let label = lines
        .find_map(|line| line.strip_prefix(BEGIN)?.strip_suffix("-----"))
        .ok_or(KeyError::Encoding)?;
    // As long as it can get, so that no shorter copy is left behind when it grows.
    let mut encoded = String::with_capacity(text.len());
    for line in lines {
        if let Some(end) = line.strip_prefix(END) {
            let ends = end.strip_suffix("-----") == Some(label);
            let encoded = Secret::new(encoded);
            return if ends {
                Ok((label, encoded))
            } else {
                Err(KeyError::Encoding)
            };
        }
        encoded.push_str(line);
    }
    drop(Secret::new(encoded));
    Err(KeyError::Encoding)
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
