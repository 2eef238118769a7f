//! Verification keys: checked by us when they are loaded, parsed once, bound to their algorithms.

mod check;
mod der;
mod jwk;
mod local;
mod pem;

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::ParsedPublicKey;

pub(crate) use self::der::{is_one_sequence, rsa_components};
pub(crate) use self::jwk::{JwkRejected, read_jwk};
use crate::Algorithm;
use crate::algorithm::KeyKind;

/// A key that can verify and that was found sound when it was loaded.
///
/// It serves only algorithms that its type, curve, use, operations and declared algorithm agree on.
/// Made from [PEM](Self::from_pem), [DER](Self::from_der) or an [HMAC secret](Self::hmac); keys of a
/// JWK set are made by [`Keys::from_jwks`](crate::Keys::from_jwks).
///
/// # What is checked at load
///
/// | key | refused |
/// |---|---|
/// | RSA | modulus under 2048 or over 8192 bits, or even; exponent even, 1, or over 40 bits |
/// | EC | coordinates of another length than the curve's, compressed points, points off the curve |
/// | Ed25519 | length other than 32, non-canonical encodings, points of small order |
/// | HMAC | secrets shorter than the hash (RFC 7518 §3.2); a key or certificate in PEM, which is no secret |
#[derive(Clone)]
pub struct VerifyingKey {
    kid: Option<Box<str>>,
    /// A local key without an id of its own serves tokens with any `kid`.
    any_kid: bool,
    kind: KeyKind,
    /// The key's material, to tell two keys apart; never a secret's.
    fingerprint: Box<[u8]>,
    verifiers: Box<[(Algorithm, Verify)]>,
}

#[derive(Clone)]
enum Verify {
    Public(ParsedPublicKey),
    Mac(Box<hmac::Key>),
}

impl VerifyingKey {
    /// Names the key: it then serves only tokens with this `kid`.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<Box<str>>) -> Self {
        self.kid = Some(kid.into());
        self.any_kid = false;
        self
    }

    /// The key's id, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithms the key may be used with.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.verifiers.iter().map(|(algorithm, _)| *algorithm)
    }

    /// Takes away every algorithm but one, which must be among those the key serves.
    pub(crate) fn bound_to(mut self, algorithm: Algorithm) -> Result<Self, KeyError> {
        let verifiers = std::mem::take(&mut self.verifiers);
        self.verifiers = verifiers
            .into_iter()
            .filter(|(served, _)| *served == algorithm)
            .collect();
        if self.verifiers.is_empty() {
            return Err(KeyError::Unsupported);
        }
        Ok(self)
    }

    pub(crate) fn serves(&self, algorithm: Algorithm) -> bool {
        self.algorithms().any(|served| served == algorithm)
    }

    /// Whether a token that names `kid`, or none, may mean this key.
    pub(crate) fn answers_to(&self, kid: Option<&str>) -> bool {
        match kid {
            None => true,
            Some(kid) => self.any_kid || self.kid() == Some(kid),
        }
    }

    pub(crate) const fn is_symmetric(&self) -> bool {
        matches!(self.kind, KeyKind::Hmac)
    }

    /// Whether both are the same material, whatever their names. Secrets are told apart by what they sign.
    pub(crate) fn is_same_key(&self, other: &Self) -> bool {
        let same = self.kind == other.kind && self.fingerprint == other.fingerprint;
        same && (!self.is_symmetric() || self.is_same_secret(other))
    }

    fn is_same_secret(&self, other: &Self) -> bool {
        const PROBE: &[u8] = b"one secret or two";
        match (&*self.verifiers, &*other.verifiers) {
            ([(_, Verify::Mac(one))], [(_, Verify::Mac(two))]) => {
                hmac::verify(two, PROBE, hmac::sign(one, PROBE).as_ref()).is_ok()
            }
            _ => false,
        }
    }

    /// Whether `signature` over `message` holds under this key and `algorithm`.
    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verifier = self.verifiers.iter().find(|(served, _)| *served == algorithm);
        match verifier {
            Some((_, Verify::Public(key))) => key.verify_sig(message, signature).is_ok(),
            Some((_, Verify::Mac(key))) => hmac::verify(key, message, signature).is_ok(),
            None => false,
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("algorithms", &self.algorithms().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Why a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the format it claims to be.
    Encoding,
    /// A private key where a public one belongs.
    Private,
    /// A public key or a certificate where a private key belongs.
    Public,
    /// A type, curve or algorithm that is not supported.
    Unsupported,
    /// No key could be generated: there is no randomness.
    NotGenerated,
    /// Too small or too large: RSA outside 2048–8192 bits, an HMAC secret shorter than its hash.
    Size,
    /// A value no sound key has: an even or trivial RSA exponent, a point off its curve or of small order.
    Weak,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoding => "the key cannot be read",
            Self::Private => "a private key where a public key belongs",
            Self::Public => "a public key where a private key belongs",
            Self::Unsupported => "the key's type, curve or algorithm is not supported",
            Self::NotGenerated => "no key could be generated",
            Self::Size => "the key is too small or too large",
            Self::Weak => "the key is not sound",
        })
    }
}

impl std::error::Error for KeyError {}
