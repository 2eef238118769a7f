use std::fmt;

use aws_lc_rs::digest;

use crate::{SigningKey, base64url};

/// A JWK set (RFC 7517 §5) to be published: public keys only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwkSet {
    json: Box<str>,
}

impl JwkSet {
    /// The media type of a JWK set (RFC 7517 §8.5.2).
    pub const MEDIA_TYPE: &str = "application/jwk-set+json";

    pub(super) fn of<'k>(keys: impl Iterator<Item = &'k SigningKey>) -> Self {
        let keys: Vec<_> = keys.filter_map(SigningKey::public_jwk).collect();
        Self {
            json: format!(r#"{{"keys":[{}]}}"#, keys.join(",")).into(),
        }
    }

    /// The document. The same keys in the same order make the same bytes.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.json
    }

    /// The SHA-256 of the document in base64url, such as for an entity tag.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        base64url::encode(digest::digest(&digest::SHA256, self.json.as_bytes()))
    }
}

impl fmt::Display for JwkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.json)
    }
}
