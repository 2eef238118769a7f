//! axum-jwks: an extractor; jsonwebtoken 9 on ring. It does not look at `iss`.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_jwks::{Claims, Jwks, ParseTokenClaims, TokenError};
use http::StatusCode;
use serde::Deserialize;

use super::use_claims;
use crate::bare::PATH;
use crate::{AUDIENCE, Fixture, Owned};

#[derive(Deserialize)]
#[serde(transparent)]
struct Caller(Owned);

impl ParseTokenClaims for Caller {
    type Rejection = Refused;
}

struct Refused;

impl From<TokenError> for Refused {
    fn from(_: TokenError) -> Self {
        Self
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

async fn documents(Claims(Caller(claims)): Claims<Caller>) -> &'static str {
    use_claims(&claims)
}

pub(super) fn app(fixture: Fixture) -> Router {
    let set = serde_json::from_str(&fixture.jwks(1)).expect("a key set");
    let jwks = Jwks::from_jwk_set(set, Some(AUDIENCE), None).expect("keys that it supports");
    Router::new().route(PATH, get(documents)).with_state(jwks)
}
