//! tower-oauth2-resource-server: a layer; jsonwebtoken 11 on aws-lc-rs, which is its choice of two.

use axum::routing::get;
use axum::{Extension, Router};
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;
use tower_oauth2_resource_server::validation::ClaimsValidationSpec;

use super::{start, use_claims};
use crate::bare::PATH;
use crate::{AUDIENCE, Fixture, ISSUER, Owned};

async fn documents(Extension(claims): Extension<Owned>) -> &'static str {
    use_claims(&claims)
}

pub(super) fn app(fixture: Fixture) -> Router {
    let checks = ClaimsValidationSpec::new()
        .exp(true)
        .iss(ISSUER)
        .aud(&vec![AUDIENCE.to_owned()]);
    let tenant = TenantConfiguration::static_builder(fixture.jwks(1)).claims_validation(checks);
    let tenant = tenant.build().expect("a tenant");
    let server = OAuth2ResourceServer::<Owned>::builder()
        .add_tenant(tenant)
        .build();
    let server = start(server).expect("a resource server");
    Router::new()
        .route(PATH, get(documents))
        .layer(server.into_layer())
}
