//! Tokens of the issuer: the valid one, and the usual wrong ones ready made.

use super::{TestIssuer, TokenBuilder};
use crate::SigningKey;

impl TestIssuer {
    /// A valid token, to be changed one thing at a time.
    ///
    /// ```
    /// use portcullis_test::TestIssuer;
    ///
    /// let issuer = TestIssuer::new("https://issuer.test");
    /// let reader = issuer.token().scope("documents:read").build();
    /// # assert!(!reader.is_empty());
    /// ```
    pub fn token(&self) -> TokenBuilder {
        let state = self.state();
        TokenBuilder::new(&state.url, &state.signing, state.clock.now().as_unix_seconds())
    }

    /// A token that expired an hour ago and is valid otherwise.
    pub fn expired_token(&self) -> TokenBuilder {
        self.token().lifetime(-3600)
    }

    /// A token for another resource server.
    pub fn wrong_audience_token(&self) -> TokenBuilder {
        self.token().audience("https://other.example.test")
    }

    /// A token of this issuer's key that names another issuer.
    pub fn wrong_issuer_token(&self) -> TokenBuilder {
        self.token().claim("iss", "https://other-issuer.test")
    }

    /// A token whose header names another algorithm than its key has. With an RSA key the signature
    /// is good under that algorithm (`PS256` where the key says `RS256`), so that a verifier which
    /// believes the header accepts it.
    pub fn wrong_algorithm_token(&self) -> TokenBuilder {
        let key = self.signing_key();
        match key.alg() {
            "RS256" => self.token().key(&key.with_alg("PS256")),
            alg if alg.starts_with("RS") || alg.starts_with("PS") => self.token().key(&key.with_alg("RS256")),
            "ES256" => self.token().alg("ES384"),
            _ => self.token().alg("ES256"),
        }
    }

    /// A token whose signature was made by a stranger, under this issuer's `kid`.
    pub fn forged_token(&self) -> TokenBuilder {
        let key = self.signing_key();
        let mut other = SigningKey::generate(key.alg(), key.kid());
        // The fixed RSA keys come round again.
        while !key.is_symmetric() && other.public_der() == key.public_der() {
            other = SigningKey::generate(key.alg(), key.kid());
        }
        self.token().signed_by(&other)
    }
}
