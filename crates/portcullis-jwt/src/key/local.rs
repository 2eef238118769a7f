//! Keys from the application's own configuration.

use portcullis_core::Secret;

use super::{KeyError, VerifyingKey, check, der, pem};
use crate::Algorithm;

impl VerifyingKey {
    /// Reads the first section of a PEM file: `PUBLIC KEY` (SPKI), `RSA PUBLIC KEY` (PKCS#1) or
    /// `CERTIFICATE`.
    ///
    /// Of a certificate only the key is used: neither its issuer nor its dates are checked. The key
    /// serves every algorithm of its type that the verifier's allow-list has, and tokens with any
    /// `kid`, until [`with_kid`](Self::with_kid) names it.
    ///
    /// # Errors
    ///
    /// When there is no such section, it holds a private key, or the key is not sound.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let (label, der) = pem::first_section(pem)?;
        match label {
            "PUBLIC KEY" => der::spki(&der),
            "RSA PUBLIC KEY" => der::pkcs1(&der),
            "CERTIFICATE" => der::certificate(&der),
            _ if label.ends_with("PRIVATE KEY") => Err(KeyError::Private),
            _ => Err(KeyError::Unsupported),
        }
    }

    /// Reads a DER-encoded SPKI, PKCS#1 public key or certificate, whichever it is.
    ///
    /// # Errors
    ///
    /// When it is none of these, or the key is not sound.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        [der::spki, der::pkcs1, der::certificate]
            .into_iter()
            .map(|read| read(der))
            .reduce(|found, next| match (&found, &next) {
                // A key that was read and refused says more than a format that did not fit.
                (Ok(_), _) | (Err(KeyError::Size | KeyError::Weak | KeyError::Unsupported), Err(_)) => found,
                _ => next,
            })
            .unwrap_or(Err(KeyError::Encoding))
    }

    /// An HMAC secret that this application shares with the issuer, for exactly one algorithm.
    ///
    /// The secret must be random: a password is no key (RFC 8725 §3.5). Whoever can verify with it can
    /// sign with it.
    ///
    /// # Errors
    ///
    /// When `algorithm` is not symmetric, the secret is shorter than its hash (32, 48 or 64 bytes), or it is
    /// a key in PEM.
    pub fn hmac(algorithm: Algorithm, secret: &Secret<Vec<u8>>) -> Result<Self, KeyError> {
        check::hmac(algorithm, secret.expose())
    }
}
