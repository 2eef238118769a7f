//! The same routers for a real server.

use axum::Router;
use portcullis_jwt::JwtBearer;
use portcullis_tower::Authenticate;

use crate::{Fixture, bare, ours};

/// The router without us.
pub fn bare() -> Router {
    bare::router()
}

/// The router behind us; see `ours::with_token` for what there is.
pub fn ours(what: &str) -> Authenticate<Router, JwtBearer> {
    ours::around(Fixture::of("RS256"), what)
}

/// The guarded router of a peer on the same axum.
#[cfg(feature = "peers")]
pub fn peer(who: &str) -> Router {
    crate::peers::app(who, Fixture::of("RS256"))
}

/// The router without anybody, on axum 0.7.
#[cfg(feature = "peers")]
pub fn bare07() -> axum07::Router {
    crate::peers::bare07()
}

/// The peer on axum 0.7.
#[cfg(feature = "peers")]
pub fn jwt_authorizer() -> jwt_authorizer::layer::AuthorizationService<axum07::Router, crate::Owned> {
    crate::peers::jwt_authorizer(Fixture::of("RS256"))
}
