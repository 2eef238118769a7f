//! The application's own users, and whom a token speaks of.

use std::future::ready;

use portcullis::core::policy::Tenanted;
use portcullis::{AuthError, AuthenticateRequest, Authentication, Principal, VerifiedClaims};
use serde::Deserialize;

/// The customer to whom everything belongs that names no other.
pub(crate) const HOME: &str = "home";

/// Somebody who uses the API: an account of the issuer, and the customer they belong to.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) principal: Principal,
    pub(crate) tenant: String,
}

impl Tenanted for User {
    type Tenant = str;

    fn tenant(&self) -> Option<&str> {
        Some(&self.tenant)
    }
}

/// What a token may say about the customer: the claim `tenant`, or nothing for those of `home`.
#[derive(Deserialize)]
struct Claims {
    tenant: Option<String>,
}

/// Finds users behind tokens.
pub(crate) fn users(
    method: impl AuthenticateRequest<Principal = Principal>,
) -> impl AuthenticateRequest<Principal = User> {
    method.and_then(|found| ready(user(found).map(Some)))
}

fn user(found: Authentication<Principal>) -> Result<Authentication<User>, AuthError> {
    let claims = found
        .details::<VerifiedClaims>()
        .ok_or_else(|| AuthError::misconfigured("no_claims"))?;
    let claims: Claims = claims
        .read()
        .map_err(|_| AuthError::invalid_credentials("claims_shape"))?;
    let tenant = claims.tenant.unwrap_or_else(|| HOME.to_owned());
    Ok(found.map(|principal| User { principal, tenant }))
}
