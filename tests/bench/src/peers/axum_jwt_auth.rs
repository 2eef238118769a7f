//! axum-jwt-auth: an extractor; jsonwebtoken 10 on RustCrypto, which it does not let one change.
//!
//! Its decoder for local keys, which knows one key and looks at no `kid`.

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use axum_jwt_auth::{Claims, Decoder, LocalDecoder};
use jsonwebtoken10::jwk::Jwk;
use jsonwebtoken10::{DecodingKey, Validation};

use super::use_claims;
use crate::bare::PATH;
use crate::{AUDIENCE, Fixture, ISSUER, Owned};

#[derive(Clone)]
struct State(Decoder<Owned>);

impl FromRef<State> for Decoder<Owned> {
    fn from_ref(state: &State) -> Self {
        Arc::clone(&state.0)
    }
}

async fn documents(caller: Claims<Owned>) -> &'static str {
    use_claims(&caller.claims)
}

pub(super) fn app(fixture: Fixture) -> Router {
    let jwk: Jwk = serde_json::from_str(fixture.jwk).expect("a JWK");
    let mut validation = Validation::new(fixture.alg.parse().expect("an algorithm"));
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    let decoder = LocalDecoder::builder()
        .keys(vec![DecodingKey::from_jwk(&jwk).expect("a key")])
        .validation(validation)
        .build()
        .expect("a decoder");
    Router::new()
        .route(PATH, get(documents))
        .with_state(State(Arc::new(decoder)))
}
