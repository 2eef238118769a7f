//! jwt-authorizer: a layer for axum 0.7; jsonwebtoken 9 on ring.

use axum07::routing::{Router, get};
use jwt_authorizer::{Authorizer, IntoLayer, JwtAuthorizer, JwtClaims, Validation};
use tower::Layer;

use super::{start, use_claims};
use crate::bare::PATH;
use crate::{AUDIENCE, Fixture, ISSUER, Owned};

async fn documents(JwtClaims(claims): JwtClaims<Owned>) -> &'static str {
    use_claims(&claims)
}

pub(crate) fn app(fixture: Fixture) -> jwt_authorizer::layer::AuthorizationService<Router, Owned> {
    let validation = Validation::new().iss(&[ISSUER]).aud(&[AUDIENCE]);
    let jwks = fixture.jwks(1);
    let authorizer = JwtAuthorizer::<Owned>::from_jwks_text(&jwks).validation(validation);
    let authorizer: Authorizer<Owned> = start(authorizer.build()).expect("an authorizer");
    let router = Router::new().route(PATH, get(documents));
    authorizer.into_layer().layer(router)
}
