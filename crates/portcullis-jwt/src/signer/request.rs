//! A token in the making.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Secret, Timestamp, is_scope_token};
use serde::Serialize;
use serde_json::Value;

use super::token::Signer;
use super::{ClaimFault, RotationSchedule, SignError, SignedToken, SigningKey};
use crate::json::MAX_DEPTH;
use crate::{MAX_TOKEN_LEN, base64url};

/// What kind of token it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// RFC 9068.
    AccessToken,
    /// Whatever the application makes of it.
    Own,
}

impl Kind {
    const fn typ(self) -> &'static str {
        match self {
            Self::AccessToken => "at+jwt",
            Self::Own => "JWT",
        }
    }
}

/// Claims that are the signer's, or have a setter here.
const RESERVED: [&str; 13] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "scope",
    "auth_time",
    "acr",
    "amr",
    "roles",
];

/// A token in the making: of [`JwtSigner::access_token`](crate::JwtSigner::access_token) or
/// [`JwtSigner::jwt`](crate::JwtSigner::jwt).
///
/// A claim that cannot be had is remembered; [`sign`](Self::sign) returns the first of them.
#[must_use = "a token is made by `sign`"]
pub struct TokenRequest {
    signer: Arc<Signer>,
    kind: Kind,
    subject: String,
    audience: Option<String>,
    client_id: Option<String>,
    lifetime: Duration,
    /// By name; rendered in the order of names.
    claims: BTreeMap<String, Value>,
    fault: Option<SignError>,
}

impl TokenRequest {
    pub(super) fn new(
        signer: Arc<Signer>,
        kind: Kind,
        subject: String,
        audience: Option<&str>,
        client_id: Option<String>,
    ) -> Self {
        let audience = audience.or(signer.audience.as_deref()).map(str::to_owned);
        Self {
            lifetime: signer.lifetime,
            signer,
            kind,
            subject,
            audience,
            client_id,
            claims: BTreeMap::new(),
            fault: None,
        }
    }

    /// Adds scopes: one, or several separated by spaces (RFC 6749 §3.3).
    pub fn scope(mut self, scope: &str) -> Self {
        let added: Vec<_> = scope.split(' ').filter(|token| !token.is_empty()).collect();
        if added.iter().any(|token| !is_scope_token(token)) {
            return self.failing("scope", ClaimFault::Malformed);
        }
        let mut scopes = match self.claims.remove("scope") {
            Some(Value::String(scopes)) => scopes,
            _ => String::new(),
        };
        for token in added {
            if !scopes.split(' ').any(|known| known == token) {
                if !scopes.is_empty() {
                    scopes.push(' ');
                }
                scopes.push_str(token);
            }
        }
        if !scopes.is_empty() {
            self.claims.insert("scope".to_owned(), Value::from(scopes));
        }
        self
    }

    /// The roles of the subject (RFC 9068 §2.2.3.1).
    pub fn roles<R: Into<String>>(self, roles: impl IntoIterator<Item = R>) -> Self {
        self.texts("roles", roles)
    }

    /// When the subject last authenticated (RFC 9068 §2.2.1). A time up to five minutes ahead comes from
    /// another clock and is written as now: nobody authenticates after the token was issued.
    pub fn auth_time(self, at: Timestamp) -> Self {
        let now = self.signer.clock.now();
        if at > now.saturating_add(RotationSchedule::SKEW) {
            return self.failing("auth_time", ClaimFault::InTheFuture);
        }
        self.set("auth_time", Value::from(at.min(now).as_unix_seconds()))
    }

    /// How strongly the subject authenticated, by the name of a class (RFC 9068 §2.2.1).
    pub fn acr(self, class: impl Into<String>) -> Self {
        let class = class.into();
        if class.is_empty() {
            return self.failing("acr", ClaimFault::Empty);
        }
        self.set("acr", Value::from(class))
    }

    /// With which methods the subject authenticated (RFC 8176).
    pub fn amr<M: Into<String>>(self, methods: impl IntoIterator<Item = M>) -> Self {
        self.texts("amr", methods)
    }

    /// Lets this token live shorter than the signer's others. Whole seconds count.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        if lifetime.as_secs() == 0 {
            return self.failing("exp", ClaimFault::Empty);
        }
        if lifetime > self.signer.lifetime {
            self.fault.get_or_insert(SignError::LifetimeTooLong);
        }
        self.lifetime = lifetime;
        self
    }

    /// Adds a claim of the application's own.
    ///
    /// Refused when signing: a claim that the signer sets or that has a setter here; one that is there
    /// already; one that nests deeper than our verifiers read; in an access token, one that makes it a
    /// token of another kind (`nonce`, `events`, …).
    pub fn claim(self, name: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => self.own(name, value),
            // The message may quote the value.
            Err(_) => self.failing(name, ClaimFault::Malformed),
        }
    }

    /// Adds every member of `claims`, which must be a JSON object, as [`claim`](Self::claim) would.
    pub fn claims<T: Serialize + ?Sized>(self, claims: &T) -> Self {
        match serde_json::to_value(claims) {
            Ok(Value::Object(members)) => members
                .into_iter()
                .fold(self, |request, (name, value)| request.own(&name, value)),
            _ => self.failing("claims", ClaimFault::Malformed),
        }
    }

    fn own(self, name: &str, value: Value) -> Self {
        if RESERVED.contains(&name) {
            return self.failing(name, ClaimFault::Reserved);
        }
        if name.is_empty() {
            return self.failing(name, ClaimFault::Empty);
        }
        if self.kind == Kind::AccessToken && crate::claims::FOREIGN.contains(&name) {
            return self.failing(name, ClaimFault::OtherKind);
        }
        if !nests_at_most(&value, MAX_DEPTH - 1) {
            return self.failing(name, ClaimFault::Malformed);
        }
        self.set(name, value)
    }

    fn texts<T: Into<String>>(self, name: &str, texts: impl IntoIterator<Item = T>) -> Self {
        let texts: Vec<String> = texts.into_iter().map(Into::into).collect();
        if texts.iter().any(String::is_empty) {
            return self.failing(name, ClaimFault::Empty);
        }
        self.set(name, Value::from(texts))
    }

    fn set(mut self, name: &str, value: Value) -> Self {
        if self.claims.insert(name.to_owned(), value).is_some() {
            return self.failing(name, ClaimFault::Repeated);
        }
        self
    }

    fn failing(mut self, name: &str, fault: ClaimFault) -> Self {
        self.fault.get_or_insert_with(|| SignError::claim(name, fault));
        self
    }

    /// Signs.
    ///
    /// # Errors
    ///
    /// [`KeysUnavailable`](SignError::KeysUnavailable) when no key may sign;
    /// [`Claim`](SignError::Claim) when the subject, audience or client is empty, or a claim was refused;
    /// [`LifetimeTooLong`](SignError::LifetimeTooLong) and [`TooLong`](SignError::TooLong).
    pub fn sign(mut self) -> Result<SignedToken, SignError> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        self.check_parties()?;
        let ring = self.signer.keys.current()?;
        let key = ring
            .signing_key()
            .ok_or(SignError::KeysUnavailable { retry_after: None })?;
        if self.lifetime > ring.longest_token() {
            return Err(SignError::LifetimeTooLong);
        }
        let token_id = self.signer.token_id()?;
        let issued_at = self.signer.clock.now().as_unix_seconds();
        let expires_at = issued_at.saturating_add(self.lifetime.as_secs());
        let token = self.render(key, &token_id, issued_at, expires_at)?;
        if token.expose().len() > MAX_TOKEN_LEN {
            return Err(SignError::TooLong);
        }
        Ok(SignedToken {
            token,
            token_id: token_id.into(),
            expires_at: Timestamp::from_unix_seconds(expires_at),
        })
    }

    fn check_parties(&self) -> Result<(), SignError> {
        let parties = [
            ("sub", Some(self.subject.as_str())),
            ("aud", Some(self.audience.as_deref().unwrap_or_default())),
            ("client_id", self.client_id.as_deref()),
        ];
        match parties.into_iter().find(|(_, party)| *party == Some("")) {
            Some((name, _)) => Err(SignError::claim(name, ClaimFault::Empty)),
            None => Ok(()),
        }
    }

    fn render(
        &self,
        key: &SigningKey,
        token_id: &str,
        issued_at: u64,
        expires_at: u64,
    ) -> Result<Secret<String>, SignError> {
        let header = Header {
            alg: key.algorithm().name(),
            kid: key.kid(),
            typ: self.kind.typ(),
        };
        let payload = Payload {
            iss: &self.signer.issuer,
            sub: &self.subject,
            aud: self.audience.as_deref().unwrap_or_default(),
            exp: expires_at,
            iat: issued_at,
            jti: token_id,
            client_id: self.client_id.as_deref(),
            own: &self.claims,
        };
        let mut token = segment(&header)?;
        token.push('.');
        token.push_str(&segment(&payload)?);
        let signature = key.sign(token.as_bytes()).map_err(|_| SignError::Cryptography)?;
        token.reserve_exact(1 + signature.len().div_ceil(3) * 4);
        token.push('.');
        token.push_str(&base64url::encode(signature));
        Ok(Secret::new(token))
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("kind", &self.kind)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

/// Whether a claim nests as little as verifiers of ours require.
fn nests_at_most(value: &Value, depth: usize) -> bool {
    let inner = |value: &Value| depth > 0 && nests_at_most(value, depth - 1);
    match value {
        Value::Array(elements) => depth > 0 && elements.iter().all(inner),
        Value::Object(members) => depth > 0 && members.values().all(inner),
        _ => true,
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: u64,
    iat: u64,
    jti: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(flatten)]
    own: &'a BTreeMap<String, Value>,
}

fn segment(value: &impl Serialize) -> Result<String, SignError> {
    let json = serde_json::to_vec(value).map_err(|_| SignError::claim("claims", ClaimFault::Malformed))?;
    Ok(base64url::encode(json))
}
