//! Tokens: valid ones, and ones with exactly one thing broken.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::SigningKey;
use crate::algorithm::encode;

mod base64url;
mod compact;

/// One of the three parts of a token between its dots (RFC 7515 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // The compact form has three parts and will never have a fourth.
pub enum Segment {
    /// The JOSE header.
    Header,
    /// The claims.
    Payload,
    /// The signature.
    Signature,
}

/// Builds a token: valid from the start, then changed one thing at a time.
///
/// [`TestIssuer::token`](crate::TestIssuer::token) begins one with the header `alg`, `kid`,
/// `typ: "at+jwt"` and the claims of RFC 9068 §2.2: `iss`, `sub` ([`SUBJECT`](Self::SUBJECT)), `aud`
/// ([`AUDIENCE`](Self::AUDIENCE)), `client_id` ([`CLIENT_ID`](Self::CLIENT_ID)), `iat` now, `exp` in
/// 300 seconds and a `jti` of its own. Unless its documentation says otherwise a method changes
/// nothing but what it names, and the signature is made over the changed text, so that a verifier
/// that overlooks the one change accepts the token.
///
/// ```
/// use portcullis_test::TestIssuer;
///
/// let issuer = TestIssuer::new("https://issuer.test");
/// let valid = issuer.token().scope("documents:read").build();
/// let forged = issuer.token().scope("documents:read").tampered_payload().build();
/// assert_eq!(valid.split('.').count(), 3);
/// assert_ne!(valid, forged);
/// ```
#[derive(Clone)]
#[must_use]
pub struct TokenBuilder {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    raw_header: Option<String>,
    raw_payload: Option<Vec<u8>>,
    now: i64,
    signer: Signer,
    damage: Vec<Damage>,
}

#[derive(Clone)]
enum Signer {
    Key(SigningKey),
    Secret { alg: String, secret: Vec<u8> },
    Nobody,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Damage {
    Signature,
    Payload,
    Padding,
    TrailingBits(Segment),
    DerSignature,
}

impl TokenBuilder {
    /// The `sub` of a token that was not told another.
    pub const SUBJECT: &str = "alice";
    /// The `aud` of a token that was not told another.
    pub const AUDIENCE: &str = "https://api.example.test";
    /// The `client_id` of a token that was not told another.
    pub const CLIENT_ID: &str = "test-client";

    const LIFETIME: i64 = 300;

    pub(crate) fn new(issuer: &str, key: &SigningKey, now: u64) -> Self {
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let claims = [
            ("iss", json!(issuer)),
            ("sub", json!(Self::SUBJECT)),
            ("aud", json!(Self::AUDIENCE)),
            ("client_id", json!(Self::CLIENT_ID)),
            ("iat", json!(now)),
            ("exp", json!(now.saturating_add(Self::LIFETIME))),
            ("jti", json!(unique())),
        ];
        let builder = Self {
            header: Map::new(),
            claims: claims
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect(),
            raw_header: None,
            raw_payload: None,
            now,
            signer: Signer::Nobody,
            damage: Vec::new(),
        };
        builder.typ("at+jwt").key(key)
    }

    /// Signs with another key and says so in the header: `alg`, `kid` and signature. The token is
    /// valid wherever that key is trusted.
    ///
    /// ```
    /// # use portcullis_test::{SigningKey, TestIssuer};
    /// let issuer = TestIssuer::new("https://issuer.test");
    /// let second = SigningKey::eddsa("second");
    /// issuer.add_key(&second);
    /// let valid_as_well = issuer.token().key(&second).build();
    /// # assert!(!valid_as_well.is_empty());
    /// ```
    pub fn key(self, key: &SigningKey) -> Self {
        self.alg(key.alg()).kid(key.kid()).signed_by(key)
    }

    /// Sets `sub`.
    pub fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// Sets `aud`: a string, an array, or what should be neither.
    ///
    /// ```
    /// # use portcullis_test::TestIssuer;
    /// use serde_json::json;
    /// # let issuer = TestIssuer::new("https://issuer.test");
    /// let token = issuer.token().audience(json!(["https://api.example.test", "https://other.test"]));
    /// # let _ = token.build();
    /// ```
    pub fn audience(self, audience: impl Into<Value>) -> Self {
        self.claim("aud", audience)
    }

    /// Sets `scope`, separated by spaces (RFC 6749 §3.3).
    pub fn scope(self, scope: &str) -> Self {
        self.claim("scope", scope)
    }

    /// Sets `roles`.
    pub fn roles<'a>(self, roles: impl IntoIterator<Item = &'a str>) -> Self {
        self.claim("roles", roles.into_iter().collect::<Vec<_>>())
    }

    /// Sets a claim to any JSON value.
    ///
    /// ```
    /// # use portcullis_test::TestIssuer;
    /// use serde_json::json;
    /// # let issuer = TestIssuer::new("https://issuer.test");
    /// let token = issuer.token().claim("realm_access", json!({"roles": ["admin"]})).claim("acr", "gold");
    /// # let _ = token.build();
    /// ```
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves a claim out.
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets `exp` to `seconds` from now. Zero and less make a token that has expired: its `iat` moves
    /// back with it, so that its age is all that is wrong with it.
    pub fn lifetime(self, seconds: i64) -> Self {
        let expiry = self.now.saturating_add(seconds);
        let issued = if seconds > 0 {
            self.now
        } else {
            expiry.saturating_sub(Self::LIFETIME)
        };
        self.claim("exp", expiry).claim("iat", issued)
    }

    /// Sets a header parameter to any JSON value.
    ///
    /// ```
    /// # use portcullis_test::TestIssuer;
    /// use serde_json::json;
    /// # let issuer = TestIssuer::new("https://issuer.test");
    /// let token = issuer.token().header("crit", json!(["exp"]));
    /// # let _ = token.build();
    /// ```
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves a header parameter out.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Sets the header's `kid`; the signing key stays.
    pub fn kid(self, kid: &str) -> Self {
        self.header("kid", kid)
    }

    /// Sets the header's `typ`.
    pub fn typ(self, typ: &str) -> Self {
        self.header("typ", typ)
    }

    /// Sets the header's `alg`; the signature stays what the key makes.
    pub fn alg(self, alg: &str) -> Self {
        self.header("alg", alg)
    }

    /// Signs with another key while the header stays: a forgery. For a token that says which key
    /// signed it, see [`key`](Self::key).
    pub fn signed_by(self, key: &SigningKey) -> Self {
        self.with_signer(Signer::Key(key.clone()))
    }

    /// Key confusion: the header says `alg`, an `HS` algorithm, and the signature is the MAC under
    /// `secret`, for which an attacker takes the public key in one of its published forms.
    ///
    /// ```
    /// # use portcullis_test::TestIssuer;
    /// let issuer = TestIssuer::new("https://issuer.test");
    /// let pem = issuer.signing_key().public_pem();
    /// let confused = issuer.token().signed_with_hmac_secret("HS256", pem).build();
    /// # assert!(!confused.is_empty());
    /// ```
    ///
    /// # Panics
    ///
    /// [`build`](Self::build) does when `alg` is not `HS256`, `HS384` or `HS512`.
    pub fn signed_with_hmac_secret(self, alg: &str, secret: impl AsRef<[u8]>) -> Self {
        let signer = Signer::Secret {
            alg: alg.to_owned(),
            secret: secret.as_ref().to_vec(),
        };
        self.alg(alg).with_signer(signer)
    }

    /// Leaves the signature empty: `header.payload.` with the header as it was. Add
    /// [`alg("none")`](Self::alg) for the unsecured form of RFC 7519 §6.
    pub fn unsigned(self) -> Self {
        self.with_signer(Signer::Nobody)
    }

    /// Replaces the header's whole text: duplicate members, anything that is not JSON.
    pub fn raw_header(mut self, header: impl Into<String>) -> Self {
        self.raw_header = Some(header.into());
        self
    }

    /// Replaces the payload's bytes: duplicate members, an array, invalid UTF-8.
    pub fn raw_payload(mut self, payload: impl Into<Vec<u8>>) -> Self {
        self.raw_payload = Some(payload.into());
        self
    }

    /// Flips one bit of the signature.
    pub fn tampered_signature(self) -> Self {
        self.damaged(Damage::Signature)
    }

    /// Changes `sub` to `mallory` after signing.
    pub fn tampered_payload(self) -> Self {
        self.damaged(Damage::Payload)
    }

    /// Sets a bit that base64url leaves unused at the end of a segment (RFC 4648 §3.5): a lax decoder
    /// reads the same bytes. A header or payload without such bits gets a space behind its JSON.
    ///
    /// # Panics
    ///
    /// [`build`](Self::build) does for a signature that leaves no bits unused, as those of ES384,
    /// ES512 and HS384 do.
    pub fn non_canonical_base64url(self, segment: Segment) -> Self {
        self.damaged(Damage::TrailingBits(segment))
    }

    /// Pads every segment with `=` (RFC 7515 §2 forbids it). A header or payload that needs no padding
    /// gets a space behind its JSON.
    pub fn padded(self) -> Self {
        self.damaged(Damage::Padding)
    }

    /// Writes an ECDSA signature as the DER sequence X.509 uses, where RFC 7518 §3.4 wants `R || S`.
    pub fn der_signature(self) -> Self {
        self.damaged(Damage::DerSignature)
    }

    /// The claims so far.
    ///
    /// ```
    /// # use portcullis_test::TestIssuer;
    /// let token = TestIssuer::new("https://issuer.test").token();
    /// assert_eq!(token.claims()["sub"], "alice");
    /// ```
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    fn with_signer(mut self, signer: Signer) -> Self {
        self.signer = signer;
        self
    }

    fn damaged(mut self, damage: Damage) -> Self {
        self.damage.push(damage);
        self
    }
}

impl fmt::Debug for TokenBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBuilder")
            .field("header", &self.header)
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

fn unique() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has randomness");
    encode(&bytes)
}

#[cfg(test)]
mod tests;
