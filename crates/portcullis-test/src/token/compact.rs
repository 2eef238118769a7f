//! From the builder to the text: RFC 7515 §7.1, with the damage that was asked for.

use http::HeaderValue;
use serde_json::json;

use super::{Damage, Segment, Signer, TokenBuilder, base64url};
use crate::algorithm::{encode, mac};
use crate::der;

impl TokenBuilder {
    /// The token in compact form.
    #[must_use]
    pub fn build(&self) -> String {
        let header = match &self.raw_header {
            Some(raw) => self.segment(Segment::Header, raw.clone().into_bytes()),
            None => self.segment(Segment::Header, json!(self.header).to_string().into_bytes()),
        };
        let payload = match &self.raw_payload {
            Some(raw) => self.segment(Segment::Payload, raw.clone()),
            None => self.segment(Segment::Payload, json!(self.claims).to_string().into_bytes()),
        };
        let signature = self.signature(format!("{header}.{payload}").as_bytes());
        let signature = self.segment(Segment::Signature, signature);
        let payload = if self.has(Damage::Payload) {
            self.other_payload()
        } else {
            payload
        };
        format!("{header}.{payload}.{signature}")
    }

    /// The token as the value of an `Authorization` field: `Bearer …`.
    ///
    /// ```
    /// # use portcullis_test::TestIssuer;
    /// let value = TestIssuer::new("https://issuer.test").token().bearer();
    /// assert!(value.to_str()?.starts_with("Bearer eyJ"));
    /// # Ok::<(), http::header::ToStrError>(())
    /// ```
    #[must_use]
    pub fn bearer(&self) -> HeaderValue {
        let value = format!("Bearer {}", self.build());
        HeaderValue::try_from(value).expect("a token is made of visible ASCII")
    }

    fn has(&self, damage: Damage) -> bool {
        self.damage.contains(&damage)
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = match &self.signer {
            Signer::Key(key) => key.sign(message),
            Signer::Secret { alg, secret } => mac(alg, secret, message),
            Signer::Nobody => Vec::new(),
        };
        if self.has(Damage::DerSignature) {
            signature = der::ecdsa_signature(&signature);
        }
        if self.has(Damage::Signature) {
            let byte = signature
                .get_mut(8)
                .expect("an empty signature cannot be tampered with");
            *byte ^= 1;
        }
        signature
    }

    fn segment(&self, segment: Segment, mut bytes: Vec<u8>) -> String {
        let trailing = self.has(Damage::TrailingBits(segment));
        let padded = self.has(Damage::Padding);
        if (trailing || padded) && segment != Segment::Signature && bytes.len().is_multiple_of(3) {
            bytes.push(b' ');
        }
        let mut text = encode(&bytes);
        if trailing {
            text = base64url::with_trailing_bits(&text);
        }
        if padded {
            text = base64url::padded(&text);
        }
        text
    }

    fn other_payload(&self) -> String {
        let claims = self.clone().subject("mallory").claims;
        encode(json!(claims).to_string().as_bytes())
    }
}
