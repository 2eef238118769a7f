//! Keys that sign: one type for every algorithm of RFC 7518 §3.1 and RFC 8037.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsBigEndian, AsDer};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use serde_json::{Value, json};

use crate::algorithm::{crv_of, curve_of, encode, mac, mac_of, padding_of};
use crate::{der, fixed};

/// A key that signs tokens, with the algorithm and the `kid` it is published under. A clone is the
/// same key.
///
/// Every constructor makes a new key, except that RSA keys come from a [fixed](crate::fixed) list of
/// three, because making them is slow: three in a row on one thread differ.
///
/// ```
/// use portcullis_test::SigningKey;
///
/// let key = SigningKey::es256("key-1");
/// assert_eq!(key.public_jwk()["kid"], "key-1");
/// assert_eq!(key.sign(b"header.payload").len(), 64);
/// ```
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    alg: String,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Rsa { pair: Arc<RsaKeyPair>, pkcs8: Arc<[u8]> },
    Ec(Arc<EcdsaKeyPair>),
    Ed25519(Arc<Ed25519KeyPair>),
    Hmac(Arc<[u8]>),
}

impl SigningKey {
    /// A new ES256 key.
    #[must_use]
    pub fn es256(kid: &str) -> Self {
        Self::generate("ES256", kid)
    }

    /// One of the fixed RSA keys, for RS256.
    #[must_use]
    pub fn rs256(kid: &str) -> Self {
        Self::generate("RS256", kid)
    }

    /// A new Ed25519 key, under the algorithm name `EdDSA`.
    #[must_use]
    pub fn eddsa(kid: &str) -> Self {
        Self::generate("EdDSA", kid)
    }

    /// A new HS256 secret of 32 bytes.
    #[must_use]
    pub fn hs256(kid: &str) -> Self {
        Self::generate("HS256", kid)
    }

    /// A new key for `alg`: `RS`, `PS`, `ES` or `HS` with `256`, `384` or `512`, `EdDSA`, or
    /// `Ed25519` (the name of RFC 9864).
    ///
    /// # Panics
    ///
    /// When `alg` is none of these.
    #[must_use]
    pub fn generate(alg: &str, kid: &str) -> Self {
        let material = match alg {
            "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => {
                Material::rsa(&der::from_pem(fixed::next_rsa_private_key_pem()))
            }
            "ES256" | "ES384" | "ES512" => Material::Ec(Arc::new(
                EcdsaKeyPair::generate(curve_of(alg)).expect("the system has randomness"),
            )),
            "EdDSA" | "Ed25519" => Material::Ed25519(Arc::new(
                Ed25519KeyPair::generate().expect("the system has randomness"),
            )),
            "HS256" | "HS384" | "HS512" => {
                let mut secret = vec![0; mac_of(alg).digest_algorithm().output_len()];
                aws_lc_rs::rand::fill(&mut secret).expect("the system has randomness");
                Material::Hmac(secret.into())
            }
            _ => panic!("the test kit has no key for the algorithm {alg:?}"),
        };
        Self::new(alg, kid, material)
    }

    /// An HMAC key of a secret of any length, even one that no verifier should take.
    ///
    /// # Panics
    ///
    /// When `alg` is not `HS256`, `HS384` or `HS512`.
    #[must_use]
    pub fn from_secret(alg: &str, kid: &str, secret: &[u8]) -> Self {
        let _ = mac_of(alg);
        Self::new(alg, kid, Material::Hmac(secret.into()))
    }

    /// A private key from PKCS#8 in PEM (`BEGIN PRIVATE KEY`).
    ///
    /// ```
    /// use portcullis_test::{SigningKey, fixed};
    ///
    /// let key = SigningKey::from_pkcs8_pem("PS384", "key-1", fixed::RSA_PRIVATE_KEY_PEM[0]);
    /// assert_eq!(key.alg(), "PS384");
    /// ```
    ///
    /// # Panics
    ///
    /// When it is not a private key that `alg` can use.
    #[must_use]
    pub fn from_pkcs8_pem(alg: &str, kid: &str, pem: &str) -> Self {
        let pkcs8 = der::from_pem(pem);
        let material = match alg {
            "ES256" | "ES384" | "ES512" => Material::Ec(Arc::new(
                EcdsaKeyPair::from_pkcs8(curve_of(alg), &pkcs8).expect("a PKCS#8 key on the right curve"),
            )),
            "EdDSA" | "Ed25519" => Material::Ed25519(Arc::new(
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).expect("a PKCS#8 Ed25519 key"),
            )),
            _ => {
                let _ = padding_of(alg);
                Material::rsa(&pkcs8)
            }
        };
        Self::new(alg, kid, material)
    }

    fn new(alg: &str, kid: &str, material: Material) -> Self {
        Self {
            kid: kid.to_owned(),
            alg: alg.to_owned(),
            material,
        }
    }

    /// The same key material under another algorithm of its kind, as in `RS256` and `PS256`.
    ///
    /// ```
    /// use portcullis_test::SigningKey;
    ///
    /// let key = SigningKey::rs256("key-1");
    /// assert_eq!(key.with_alg("PS512").public_der(), key.public_der());
    /// ```
    ///
    /// # Panics
    ///
    /// When the key cannot be used with `alg`.
    #[must_use]
    pub fn with_alg(&self, alg: &str) -> Self {
        let key = Self::new(alg, &self.kid, self.material.clone());
        let _ = key.sign(b"");
        key
    }

    /// The same key under another `kid`.
    #[must_use]
    pub fn with_kid(&self, kid: &str) -> Self {
        Self::new(&self.alg, kid, self.material.clone())
    }

    /// The key id.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm's name, as in a token's header.
    #[must_use]
    pub fn alg(&self) -> &str {
        &self.alg
    }

    /// Whether the key is a shared secret, which no issuer publishes.
    #[must_use]
    pub const fn is_symmetric(&self) -> bool {
        matches!(self.material, Material::Hmac(_))
    }

    /// The signature of `message` in the form of RFC 7518 §3: for ECDSA that is `R || S`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.material {
            Material::Rsa { pair, .. } => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    padding_of(&self.alg),
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .expect("an RSA key of 2048 bits signs anything");
                signature
            }
            Material::Ec(pair) => {
                assert!(
                    pair.algorithm() == curve_of(&self.alg),
                    "the key's curve is not the one of {}",
                    self.alg
                );
                let signature = pair.sign(&SystemRandom::new(), message);
                signature.expect("an EC key signs anything").as_ref().to_vec()
            }
            Material::Ed25519(pair) => {
                assert!(
                    matches!(self.alg.as_str(), "EdDSA" | "Ed25519"),
                    "an Ed25519 key cannot sign {}",
                    self.alg
                );
                pair.sign(message).as_ref().to_vec()
            }
            Material::Hmac(secret) => mac(&self.alg, secret, message),
        }
    }

    /// The public key as an issuer publishes it: a JWK with `kid`, `alg` and `use`.
    ///
    /// # Panics
    ///
    /// When the key is a shared secret: see [`secret_jwk`](Self::secret_jwk).
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        let mut jwk = match &self.material {
            Material::Rsa { pair, .. } => {
                let integers = der::integers(pair.public_key().as_ref());
                json!({"kty": "RSA", "n": encode(integers[0]), "e": encode(integers[1])})
            }
            Material::Ec(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(point.len() / 2);
                json!({"kty": "EC", "crv": crv_of(&self.alg), "x": encode(x), "y": encode(y)})
            }
            Material::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())})
            }
            Material::Hmac(_) => panic!("a shared secret has no public key"),
        };
        jwk["kid"] = json!(self.kid);
        jwk["alg"] = json!(self.alg);
        jwk["use"] = json!("sig");
        jwk
    }

    /// The key with its secret member (`d`, or `k` of a shared secret), which must never be
    /// published and must be left out by whoever finds it in a published set.
    #[must_use]
    pub fn secret_jwk(&self) -> Value {
        if let Material::Hmac(secret) = &self.material {
            return json!({
                "kty": "oct", "k": encode(secret), "kid": self.kid, "alg": self.alg, "use": "sig",
            });
        }
        let mut jwk = self.public_jwk();
        jwk["d"] = json!(match &self.material {
            Material::Rsa { pkcs8, .. } => encode(der::integers(der::pkcs8_private_key(pkcs8))[3]),
            Material::Ec(pair) => {
                encode(
                    pair.private_key()
                        .as_be_bytes()
                        .expect("an EC key has its number")
                        .as_ref(),
                )
            }
            Material::Ed25519(pair) => {
                let seed = pair.seed().expect("an Ed25519 key has its seed");
                encode(seed.as_be_bytes().expect("a seed has its bytes").as_ref())
            }
            Material::Hmac(_) => String::new(),
        });
        jwk
    }

    /// The public key as DER `SubjectPublicKeyInfo` (RFC 5280 §4.1).
    ///
    /// # Panics
    ///
    /// When the key is a shared secret.
    #[must_use]
    pub fn public_der(&self) -> Vec<u8> {
        let der = match &self.material {
            Material::Rsa { pair, .. } => pair.public_key().as_der(),
            Material::Ec(pair) => pair.public_key().as_der(),
            Material::Ed25519(pair) => pair.public_key().as_der(),
            Material::Hmac(_) => panic!("a shared secret has no public key"),
        };
        der.expect("a public key has a DER form").as_ref().to_vec()
    }

    /// The public key as PEM `SubjectPublicKeyInfo` (`BEGIN PUBLIC KEY`).
    ///
    /// # Panics
    ///
    /// When the key is a shared secret.
    #[must_use]
    pub fn public_pem(&self) -> String {
        der::to_pem("PUBLIC KEY", &self.public_der())
    }

    /// The public key as PKCS#1 in PEM (`BEGIN RSA PUBLIC KEY`).
    ///
    /// # Panics
    ///
    /// When the key is not an RSA key.
    #[must_use]
    pub fn public_pkcs1_pem(&self) -> String {
        let Material::Rsa { pair, .. } = &self.material else {
            panic!("only an RSA key has a PKCS#1 form");
        };
        der::to_pem("RSA PUBLIC KEY", pair.public_key().as_ref())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("alg", &self.alg)
            .finish_non_exhaustive()
    }
}

impl Material {
    fn rsa(pkcs8: &[u8]) -> Self {
        Self::Rsa {
            pair: Arc::new(RsaKeyPair::from_pkcs8(pkcs8).expect("a PKCS#8 RSA key of at least 2048 bits")),
            pkcs8: pkcs8.into(),
        }
    }
}

#[cfg(test)]
mod tests;
