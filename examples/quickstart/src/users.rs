//! The application's own users, and whom credentials speak of.

use std::convert::Infallible;
use std::future::ready;

use portcullis::apikey::{ApiKeyService, ApiKeys, OwnerNow};
use portcullis::core::policy::Tenanted;
use portcullis::session::SessionAuth;
use portcullis::{
    AuthError, AuthenticateRequest, Authentication, ConfigError, JwtBearer, Principal, VerifiedClaims, any_of,
};
use serde::Deserialize;

use crate::accounts::Account;

/// The customer to whom everything belongs that names no other.
pub(crate) const HOME: &str = "home";

/// Somebody who uses the API: an account, and the customer they belong to.
///
/// Accounts are the issuer's (tokens) or our own (sessions, API keys). This demo believes that both call the same
/// people by the same names; where that is not so, a table says which account is whose.
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

/// Of one of our own accounts.
fn of_home(principal: Principal) -> User {
    let tenant = HOME.to_owned();
    User { principal, tenant }
}

/// What a token may say about the customer: the claim `tenant`, or nothing for those of `home`.
#[derive(Deserialize)]
struct Claims {
    tenant: Option<String>,
}

/// The users behind API keys. A key can do what both it and its owner may, now.
pub(crate) fn users_by_key(keys: &ApiKeyService) -> Result<ApiKeys<User>, ConfigError> {
    let now = |owner: Principal| {
        let account = Account::of(&owner);
        let owner = account
            .map(|account| OwnerNow::new(of_home(owner), account.scopes()).with_roles(account.roles()));
        ready(Ok::<_, Infallible>(owner))
    };
    keys.method().owners(now).build()
}

/// Finds the user behind a token, an API key or a session. A token or a key decides alone, and a session beside it
/// counts for nothing; a token and a key together are refused (400). What does not hold is never made up for by
/// another credential.
pub(crate) fn users(
    tokens: JwtBearer,
    keys: ApiKeys<User>,
    sessions: SessionAuth,
) -> impl AuthenticateRequest<Principal = User> {
    any_of((
        tokens.and_then(|found| ready(of_token(found).map(Some))),
        keys,
        sessions.and_then(|found| ready(Ok(of_session(found)))),
    ))
}

fn of_token(found: Authentication<Principal>) -> Result<Authentication<User>, AuthError> {
    let claims = found
        .details::<VerifiedClaims>()
        .ok_or_else(|| AuthError::misconfigured("no_claims"))?;
    let claims: Claims = claims
        .read()
        .map_err(|_| AuthError::invalid_credentials("claims_shape"))?;
    let tenant = claims.tenant.unwrap_or_else(|| HOME.to_owned());
    Ok(found.map(|principal| User { principal, tenant }))
}

/// An account that is gone leaves nobody.
fn of_session(found: Authentication<Principal>) -> Option<Authentication<User>> {
    Account::of(found.principal())?;
    Some(found.map(of_home))
}
