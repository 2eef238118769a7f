//! What many applications write themselves: a middleware function on jsonwebtoken 11 and aws-lc-rs, with
//! keys by `kid`, the checks set up once, and the claims as an extension.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use http::header::AUTHORIZATION;
use jsonwebtoken11::jwk::Jwk;
use jsonwebtoken11::{DecodingKey, Validation, decode, decode_header};

use super::use_claims;
use crate::bare::PATH;
use crate::{AUDIENCE, Fixture, ISSUER, KID, Owned};

struct Keys {
    by_id: HashMap<String, DecodingKey>,
    validation: Validation,
}

async fn authenticate(
    State(keys): State<Arc<Keys>>,
    mut request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let claims = check(&keys, &request).ok_or(StatusCode::UNAUTHORIZED)?;
    request.extensions_mut().insert(Arc::new(claims));
    Ok(next.run(request).await)
}

fn check(keys: &Keys, request: &Request) -> Option<Owned> {
    let sent = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let token = sent.strip_prefix("Bearer ")?;
    let kid = decode_header(token).ok()?.kid?;
    let verified = decode::<Owned>(token, keys.by_id.get(&kid)?, &keys.validation).ok()?;
    Some(verified.claims)
}

async fn documents(Extension(claims): Extension<Arc<Owned>>) -> &'static str {
    use_claims(&claims)
}

pub(super) fn app(fixture: Fixture) -> Router {
    let jwk: Jwk = serde_json::from_str(fixture.jwk).expect("a JWK");
    let key = DecodingKey::from_jwk(&jwk).expect("a key");
    let mut validation = Validation::new(fixture.alg.parse().expect("an algorithm"));
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let keys = Keys {
        by_id: HashMap::from([(KID.to_owned(), key)]),
        validation,
    };
    Router::new()
        .route(PATH, get(documents))
        .layer(from_fn_with_state(Arc::new(keys), authenticate))
}
