//! A private key, checked when it is loaded and bound to one algorithm.

mod load;
mod public;

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaEncoding, RsaKeyPair,
};
use portcullis_core::Secret;

use crate::{Algorithm, VerifyingKey};

/// A private key (or an HMAC secret) that signs with exactly one [`Algorithm`].
///
/// Cheap to clone: clones share the key. [Generated](Self::generate), or read from PKCS#8
/// ([PEM](Self::from_pkcs8_pem), [DER](Self::from_pkcs8_der)) or an [HMAC secret](Self::hmac). Its public
/// half passes every check that [`VerifyingKey`] makes at load; what could not verify cannot sign.
///
/// Its `kid` is, unless [`with_kid`](Self::with_kid) names another, the JWK thumbprint of RFC 7638
/// (SHA-256, base64url): the same key has the same id wherever it is loaded. An HMAC secret's is derived
/// with the secret itself, since a plain digest of a secret helps to guess it (RFC 7638 §7).
///
/// `Debug` shows the id and the algorithm only.
///
/// ```
/// use portcullis_jwt::{Algorithm, SigningKey};
///
/// let key = SigningKey::generate(Algorithm::Es256)?;
/// assert_eq!(key.kid().len(), 43);
/// assert!(key.public_jwk().is_some_and(|jwk| jwk.contains(key.kid())));
/// # Ok::<(), portcullis_jwt::KeyError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    kid: Box<str>,
    pair: Arc<Pair>,
    verifying: VerifyingKey,
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    /// The secret is kept because a ring that is written down needs it.
    Hmac(Box<hmac::Key>, Secret<Vec<u8>>),
}

/// The library would not sign. Does not happen with a key that was loaded.
#[derive(Clone, Copy, Debug)]
pub(super) struct CannotSign;

impl SigningKey {
    /// Names the key. Every instance that holds it must give it the same name, and no other key of the
    /// issuer may ever have had it.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<Box<str>>) -> Self {
        self.kid = kid.into();
        self.verifying = self.verifying.with_kid(self.kid.clone());
        self
    }

    /// The key's id, as it stands in the header of every token it signs.
    #[must_use]
    pub const fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key that verifies what this one signs: under its id and its algorithm, and no other.
    #[must_use]
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// Signs. ECDSA signatures are R ‖ S of fixed length (RFC 7518 §3.4).
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CannotSign> {
        let random = SystemRandom::new();
        match &*self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)
                    .map_err(|_| CannotSign)?;
                Ok(signature)
            }
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| CannotSign)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => {
                let signature = pair.try_sign(message).map_err(|_| CannotSign)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Hmac(key, _) => Ok(hmac::sign(key, message).as_ref().to_vec()),
        }
    }

    /// The private key in PKCS#8, or the HMAC secret as it is.
    pub(super) fn to_secret_der(&self) -> Result<Secret<Vec<u8>>, CannotSign> {
        let der = match &*self.pair {
            Pair::Rsa(pair, _) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| CannotSign)?;
                der.as_ref().to_vec()
            }
            Pair::Ecdsa(pair) => pair.to_pkcs8v1().map_err(|_| CannotSign)?.as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map_err(|_| CannotSign)?.as_ref().to_vec(),
            Pair::Hmac(_, secret) => return Ok(secret.clone()),
        };
        Ok(Secret::new(der))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// How an RSA algorithm pads; the salt of PSS is as long as the hash (RFC 7518 §3.5).
fn rsa_encoding(algorithm: Algorithm) -> Option<&'static dyn RsaEncoding> {
    Some(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
        _ => return None,
    })
}

fn ecdsa_signing(algorithm: Algorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    Some(match algorithm {
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        Algorithm::Es512 => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        _ => return None,
    })
}
