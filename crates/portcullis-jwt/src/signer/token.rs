//! Who signs tokens, and the signed token.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use portcullis_core::{Clock, ConfigError, Secret, SystemClock, Timestamp};

use super::request::{Kind, TokenRequest};
use super::{SignError, SigningKeys};
use crate::base64url;

/// Signs tokens in the name of one issuer. Cheap to clone.
///
/// # Decision rules
///
/// 1. Every token is signed with the ring's [signing key](crate::KeyRing::signing_key) and names it
///    (`kid`). Without one nothing is signed: 503, never another key.
/// 2. `iss`, `exp`, `iat`, `jti`, `sub` and `aud` are always there and always the signer's. A claim of the
///    application's own never replaces them.
/// 3. `jti` is 128 random bits. `iat` is now, `exp` is `iat` plus the lifetime, both whole seconds.
/// 4. [Access tokens](Self::access_token) are those of RFC 9068, `typ` is `at+jwt`.
///    [Tokens of one's own](Self::jwt) have the `typ` `JWT` and are no access tokens under
///    [`Profile::AccessToken`](crate::Profile::AccessToken), whatever they claim.
///
/// # What this does not check
///
/// Whether the subject may have what the token says: that was decided before. A signed token is valid until
/// it expires; keep lifetimes short.
///
/// ```
/// use portcullis_jwt::{Algorithm, JwtSigner, MemorySigningKeys, SignError};
///
/// let keys = MemorySigningKeys::new(Algorithm::EdDsa)?;
/// let signer = JwtSigner::builder("https://app.example", keys).build()?;
///
/// let signed = signer
///     .access_token("alice", "https://api.example", "web")
///     .scope("documents:read")
///     .claim("tenant", "acme")
///     .sign()?;
/// assert_eq!(signed.token_id().len(), 22);
///
/// let refused = signer.access_token("alice", "https://api.example", "web").claim("sub", "root").sign();
/// assert!(matches!(refused, Err(SignError::Claim { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct JwtSigner(Arc<Signer>);

pub(super) struct Signer {
    pub(super) issuer: Box<str>,
    pub(super) keys: Box<dyn SigningKeys>,
    pub(super) lifetime: Duration,
    pub(super) audience: Option<Box<str>>,
    pub(super) clock: Box<dyn Clock>,
    random: Random,
}

type Random = Box<dyn Fn() -> Result<[u8; 16], SignError> + Send + Sync>;

impl Signer {
    /// A fresh `jti`: 128 random bits in base64url.
    pub(super) fn token_id(&self) -> Result<String, SignError> {
        (self.random)().map(base64url::encode)
    }
}

impl JwtSigner {
    /// Starts a configuration. `issuer` is the `iss` of every token, byte for byte as verifiers have it.
    pub fn builder(issuer: impl Into<Box<str>>, keys: impl SigningKeys) -> JwtSignerBuilder {
        JwtSignerBuilder(Signer {
            issuer: issuer.into(),
            keys: Box::new(keys),
            lifetime: JwtSignerBuilder::LIFETIME,
            audience: None,
            clock: Box::new(SystemClock::new()),
            random: Box::new(|| {
                let mut bits = [0; 16];
                rand::fill(&mut bits).map_err(|_| SignError::Cryptography)?;
                Ok(bits)
            }),
        })
    }

    /// An access token (RFC 9068) that lets `client_id` act for `subject` at `audience`.
    ///
    /// `audience` is one resource server's identifier, or `None` for the
    /// [default](JwtSignerBuilder::audience). For a client that acts for itself, `subject` is its
    /// `client_id` (RFC 9068 §5).
    pub fn access_token<'a>(
        &self,
        subject: impl Into<String>,
        audience: impl Into<Option<&'a str>>,
        client_id: impl Into<String>,
    ) -> TokenRequest {
        let client_id = Some(client_id.into());
        TokenRequest::new(
            Arc::clone(&self.0),
            Kind::AccessToken,
            subject.into(),
            audience.into(),
            client_id,
        )
    }

    /// A token of the application's own, such as an invitation or a download link: `typ` is `JWT`.
    ///
    /// Give each purpose an audience of its own, which no resource server has: a verifier with
    /// [`Profile::Jwt`](crate::Profile::Jwt) tells a token's kind by little else.
    pub fn jwt<'a>(&self, subject: impl Into<String>, audience: impl Into<Option<&'a str>>) -> TokenRequest {
        TokenRequest::new(
            Arc::clone(&self.0),
            Kind::Own,
            subject.into(),
            audience.into(),
            None,
        )
    }

    /// The `iss` of every token.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }
}

impl fmt::Debug for JwtSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtSigner")
            .field("issuer", &self.0.issuer)
            .field("keys", &self.0.keys)
            .field("lifetime", &self.0.lifetime)
            .finish_non_exhaustive()
    }
}

/// Builds a [`JwtSigner`].
#[must_use]
pub struct JwtSignerBuilder(Signer);

impl JwtSignerBuilder {
    /// How long tokens live unless told otherwise: 10 minutes.
    pub const LIFETIME: Duration = Duration::from_secs(10 * 60);

    /// Lets tokens live this long, and no token longer; 10 minutes unless called. Whole seconds count.
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.0.lifetime = lifetime;
        self
    }

    /// The audience of tokens that are given none.
    pub fn audience(mut self, audience: impl Into<Box<str>>) -> Self {
        self.0.audience = Some(audience.into());
        self
    }

    /// Takes the time from `clock`; the system's unless called.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.0.clock = Box::new(clock);
        self
    }

    /// Draws token ids with `random`; the operating system's randomness unless called. For tests: ids
    /// that repeat or can be guessed make deny-lists and replay checks useless.
    pub fn random(mut self, random: impl Fn() -> [u8; 16] + Send + Sync + 'static) -> Self {
        self.0.random = Box::new(move || Ok(random()));
        self
    }

    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// When the issuer or the default audience is empty, the lifetime is under a second, or longer than the
    /// tokens of the ring may live. While the ring is unavailable the latter cannot be known: then signing
    /// refuses.
    pub fn build(self) -> Result<JwtSigner, ConfigError> {
        let signer = self.0;
        if signer.issuer.is_empty() {
            return Err(ConfigError::new("an issuer identifier is not empty"));
        }
        if signer.audience.as_deref() == Some("") {
            return Err(ConfigError::new("an audience is not empty"));
        }
        if signer.lifetime.as_secs() == 0 {
            return Err(ConfigError::new("a token lives at least a second"));
        }
        let longest = signer.keys.current().map(|ring| ring.longest_token());
        if longest.is_ok_and(|longest| signer.lifetime > longest) {
            return Err(ConfigError::new(
                "tokens would outlive their key: give the schedule a `longest_token` of at least the lifetime",
            ));
        }
        Ok(JwtSigner(Arc::new(signer)))
    }
}

impl fmt::Debug for JwtSignerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtSignerBuilder")
            .field("issuer", &self.0.issuer)
            .field("keys", &self.0.keys)
            .field("lifetime", &self.0.lifetime)
            .finish_non_exhaustive()
    }
}

/// A token that was signed, and what is worth remembering of it.
#[derive(Clone, Debug)]
pub struct SignedToken {
    pub(super) token: Secret<String>,
    pub(super) token_id: Box<str>,
    pub(super) expires_at: Timestamp,
}

impl SignedToken {
    /// The token: whoever has it can use it.
    #[must_use]
    pub const fn token(&self) -> &Secret<String> {
        &self.token
    }

    /// The token alone.
    #[must_use]
    pub fn into_token(self) -> Secret<String> {
        self.token
    }

    /// The token's id (`jti`), for deny-lists and logs.
    #[must_use]
    pub const fn token_id(&self) -> &str {
        &self.token_id
    }

    /// When it expires (`exp`).
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}
