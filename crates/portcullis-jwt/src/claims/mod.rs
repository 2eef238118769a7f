//! Claims: read once, strictly, into what the verifier decides on; read again, at will, into the
//! application's own types.

mod compiled;
mod map;
mod presets;
mod read;

use std::fmt;
use std::sync::Arc;

use portcullis_core::{Authentication, Factor, Method, Principal, Roles, Scheme, Scopes, Timestamp};
use serde::Deserialize;

pub(crate) use self::compiled::CompiledClaimMap;
pub use self::map::ClaimMap;
pub(crate) use self::read::{Audience, Expected, Read, peek_issuer, read_claims};
use crate::JwtError;

/// The claims of a token whose signature, issuer, audience, times and kind were verified.
///
/// Born in one place. Holds the payload, so that typed claims can be read when somebody wants them:
/// owned, or borrowing from the payload.
///
/// ```no_run
/// # fn example(claims: &portcullis_jwt::VerifiedClaims) -> Result<(), Box<dyn std::error::Error>> {
/// #[derive(serde::Deserialize)]
/// struct Tenant<'a> {
///     tenant: &'a str,
/// }
///
/// let tenant = claims.read::<Tenant<'_>>()?.tenant;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct VerifiedClaims {
    payload: Box<str>,
    issuer: Arc<str>,
    token_id: Option<Box<str>>,
    issued_at: Option<Timestamp>,
    expires_at: Timestamp,
}

impl VerifiedClaims {
    /// States that these claims **were verified**. Called by the verifier only.
    pub(crate) const fn assertion(
        payload: Box<str>,
        issuer: Arc<str>,
        token_id: Option<Box<str>>,
        issued_at: Option<Timestamp>,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            payload,
            issuer,
            token_id,
            issued_at,
            expires_at,
        }
    }

    /// Reads the claims into a type of the application's own, owned or borrowing.
    ///
    /// No member occurs twice, at any depth: that was checked when the token was verified.
    ///
    /// # Errors
    ///
    /// When the claims do not have the type's shape. The error may quote a claim's value: keep it out
    /// of answers.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.payload)
    }

    /// The payload as it was signed.
    #[must_use]
    pub const fn as_json(&self) -> &str {
        &self.payload
    }

    /// The issuer, as configured (`iss`).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The token's id (`jti`), unique within the issuer. A deny-list names issuer and id, never the token's
    /// text: an ECDSA signature (R, S) holds as (R, n - S) too, so that one token has two.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.as_deref()
    }

    /// When the token was issued (`iat`).
    #[must_use]
    pub const fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    /// When the token expires (`exp`), without the tolerated skew.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl fmt::Debug for VerifiedClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedClaims")
            .field("issuer", &self.issuer)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A token that was verified: its claims, and what they say about the caller.
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    pub(crate) claims: Arc<VerifiedClaims>,
    pub(crate) caller: Caller,
}

/// What the claims say about the caller.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) subject: Option<Box<str>>,
    pub(crate) client_id: Option<Box<str>>,
    pub(crate) is_client: bool,
    pub(crate) scopes: Scopes,
    pub(crate) roles: Roles,
    pub(crate) authenticated_at: Option<Timestamp>,
    pub(crate) acr: Option<Box<str>>,
    pub(crate) factors: Vec<Factor>,
}

impl VerifiedToken {
    /// The claims.
    #[must_use]
    pub const fn claims(&self) -> &Arc<VerifiedClaims> {
        &self.claims
    }

    /// The subject (`sub`), if there is one.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.caller.subject.as_deref()
    }

    /// The client the token was issued to.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.caller.client_id.as_deref()
    }

    /// Whether the client acts for itself: no person is behind the token (RFC 9068 §5).
    #[must_use]
    pub const fn is_client(&self) -> bool {
        self.caller.is_client
    }

    /// The scopes.
    #[must_use]
    pub const fn scopes(&self) -> &Scopes {
        &self.caller.scopes
    }

    /// The roles.
    #[must_use]
    pub const fn roles(&self) -> &Roles {
        &self.caller.roles
    }

    /// The evidence for handlers: a [`Principal`] of (issuer, subject), with the
    /// [claims](VerifiedClaims) as details.
    ///
    /// # Errors
    ///
    /// When the token names no subject: there is nobody to speak of.
    pub fn into_authentication(self) -> Result<Authentication<Principal>, JwtError> {
        let Self { claims, caller } = self;
        let subject = caller.subject.ok_or(JwtError::MissingClaim("sub"))?;
        let principal = Principal::new(Arc::clone(&claims.issuer), subject);
        let mut authentication = Authentication::assertion(principal, Method::JWT)
            .with_scheme(Scheme::BEARER)
            .with_scopes(caller.scopes)
            .with_roles(caller.roles)
            .with_factors(caller.factors)
            .with_expires_at(claims.expires_at);
        if let Some(client_id) = caller.client_id {
            authentication = authentication.with_client_id(client_id);
        }
        if let Some(acr) = caller.acr {
            authentication = authentication.with_acr(acr);
        }
        if let Some(at) = caller.authenticated_at {
            authentication = authentication.with_authenticated_at(at);
        }
        if caller.is_client {
            authentication = authentication.acting_for_itself();
        }
        Ok(authentication.with_details(claims))
    }
}
