//! An authorization server in memory: keys, tokens, and the documents it publishes.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_core::{Clock, SystemClock};
use serde_json::{Map, Value, json};

use crate::{SigningKey, TokenBuilder};

mod documents;
mod tokens;

pub(crate) use self::documents::{Document, json_response, status};

/// An issuer in memory. A clone is the same issuer.
///
/// ```
/// use portcullis_test::{ManualClock, SigningKey, TestIssuer};
///
/// let clock = ManualClock::default();
/// let issuer = TestIssuer::new("https://issuer.test")
///     .with_key(&SigningKey::rs256("key-1"))
///     .clock(clock.clone());
/// let token = issuer.token().subject("bob").build();
/// assert!(issuer.jwks().contains("key-1"));
/// # assert!(!token.is_empty());
/// ```
#[derive(Clone)]
#[must_use]
pub struct TestIssuer(Arc<Mutex<State>>);

struct State {
    url: String,
    jwks_uri: String,
    clock: Arc<dyn Clock>,
    signing: SigningKey,
    published: Vec<Value>,
    keys_made: usize,
    metadata: Map<String, Value>,
    cache_control: Option<String>,
}

impl TestIssuer {
    /// An issuer with one ES256 key, `key-1`, and the operating system's clock.
    pub fn new(url: &str) -> Self {
        let signing = SigningKey::es256("key-1");
        Self(Arc::new(Mutex::new(State {
            url: url.to_owned(),
            jwks_uri: format!("{}/jwks", url.trim_end_matches('/')),
            clock: Arc::new(SystemClock::new()),
            published: vec![signing.public_jwk()],
            signing,
            keys_made: 1,
            metadata: Map::new(),
            cache_control: None,
        })))
    }

    /// Signs with `key` from now on and publishes it in place of all others. A shared secret is not
    /// published.
    pub fn with_key(self, key: &SigningKey) -> Self {
        {
            let mut state = self.state();
            state.published.clear();
            if !key.is_symmetric() {
                state.published.push(key.public_jwk());
            }
            state.signing = key.clone();
        }
        self
    }

    /// Takes the time of new tokens from `clock`.
    pub fn clock(self, clock: impl Clock) -> Self {
        self.state().clock = Arc::new(clock);
        self
    }

    /// The issuer identifier: the `iss` of its tokens.
    #[must_use]
    pub fn url(&self) -> String {
        self.state().url.clone()
    }

    /// The key that signs new tokens.
    #[must_use]
    pub fn signing_key(&self) -> SigningKey {
        self.state().signing.clone()
    }

    /// Publishes one more key; the signing key stays. [`TokenBuilder::key`] signs with it.
    ///
    /// # Panics
    ///
    /// When it is a shared secret: to publish one all the same, see
    /// [`publish_jwk`](Self::publish_jwk).
    pub fn add_key(&self, key: &SigningKey) {
        self.publish_jwk(key.public_jwk());
    }

    /// Publishes anything as a member of the key set: a secret, a broken key, a second key of the
    /// same `kid`.
    ///
    /// ```
    /// use portcullis_test::{SigningKey, TestIssuer};
    ///
    /// let issuer = TestIssuer::new("https://issuer.test");
    /// issuer.publish_jwk(SigningKey::hs256("a-mistake").secret_jwk());
    /// assert!(issuer.jwks().contains("oct"));
    /// ```
    pub fn publish_jwk(&self, jwk: Value) {
        self.state().published.push(jwk);
    }

    /// Takes every key of this `kid` out of the published set. Tokens can still be signed with it: as
    /// after a leak.
    pub fn remove_key(&self, kid: &str) {
        self.state().published.retain(|jwk| jwk["kid"] != kid);
    }

    /// Signs with a new key of the same algorithm, `key-2` and so on, and publishes it beside the old
    /// one, whose tokens stay valid.
    ///
    /// ```
    /// use portcullis_test::TestIssuer;
    ///
    /// let issuer = TestIssuer::new("https://issuer.test");
    /// assert_eq!(issuer.rotate().kid(), "key-2");
    /// assert!(issuer.jwks().contains("key-1") && issuer.jwks().contains("key-2"));
    /// ```
    #[allow(clippy::must_use_candidate)] // The rotation is the point, the key a courtesy.
    pub fn rotate(&self) -> SigningKey {
        let mut state = self.state();
        state.keys_made += 1;
        let key = SigningKey::generate(state.signing.alg(), &format!("key-{}", state.keys_made));
        if !key.is_symmetric() {
            state.published.push(key.public_jwk());
        }
        state.signing = key.clone();
        key
    }

    /// As [`rotate`](Self::rotate), and takes the old key out of the published set.
    ///
    /// ```
    /// use portcullis_test::TestIssuer;
    ///
    /// let issuer = TestIssuer::new("https://issuer.test");
    /// issuer.rotate_and_retire();
    /// assert!(!issuer.jwks().contains("key-1"));
    /// ```
    #[allow(clippy::must_use_candidate)] // The rotation is the point, the key a courtesy.
    pub fn rotate_and_retire(&self) -> SigningKey {
        let old = self.signing_key();
        let new = self.rotate();
        self.remove_key(old.kid());
        new
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TestIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("TestIssuer")
            .field("url", &state.url)
            .field("signing", &state.signing)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
