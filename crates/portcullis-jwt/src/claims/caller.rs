//! What the claims say about the caller.

use std::sync::Arc;

use portcullis_core::{
    Authentication, Factor, Method, Principal, Roles, Scheme, Scopes, SharedStr, Timestamp,
};

use super::VerifiedClaims;
use crate::JwtError;

/// A token that was verified: its claims, and what they say about the caller. Cheap to clone.
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    pub(crate) claims: Arc<VerifiedClaims>,
    pub(crate) caller: Caller,
}

/// Texts are shared with the claims they stand in.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) subject: Option<SharedStr>,
    pub(crate) client_id: Option<SharedStr>,
    pub(crate) is_client: bool,
    pub(crate) scopes: Scopes,
    pub(crate) roles: Roles,
    pub(crate) authenticated_at: Option<Timestamp>,
    pub(crate) acr: Option<SharedStr>,
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
    /// [claims](VerifiedClaims) as details and as what is asked later whether the token still holds.
    ///
    /// # Errors
    ///
    /// When the token names no subject: there is nobody to speak of.
    pub fn into_authentication(self) -> Result<Authentication<Principal>, JwtError> {
        let Self { claims, caller } = self;
        let subject = caller.subject.ok_or(JwtError::MissingClaim("sub"))?;
        let principal = Principal::new(Arc::clone(claims.issuer_name()), subject);
        let mut authentication = Authentication::assertion(principal, Method::JWT)
            .with_scheme(Scheme::BEARER)
            .with_scopes(caller.scopes)
            .with_roles(caller.roles)
            .with_factors(caller.factors)
            .with_expires_at(claims.expires_at());
        if let Some(client_id) = caller.client_id {
            authentication = authentication.with_client_id(client_id);
        }
        if let Some(acr) = caller.acr {
            authentication = authentication.with_acr(acr);
        }
        if let Some(at) = caller.authenticated_at {
            // How long ago that was counts from now.
            let now = claims.origin().now();
            authentication = authentication.with_authenticated_at(at).with_checked_at(now);
        }
        if caller.is_client {
            authentication = authentication.acting_for_itself();
        }
        let validity = Arc::clone(&claims);
        Ok(authentication.with_validity(validity).with_details(claims))
    }
}
