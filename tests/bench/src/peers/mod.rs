//! The crates we are compared with: the same route, the same token, the same nine texts for the handler.
//!
//! Each is set up as its documentation says, checks issuer, audience and expiry, and gets the
//! static keys it can take, which for all of them is at least as fast as fetched ones.

mod axum_jwks;
mod axum_jwt_auth;
mod axum_login;
mod by_hand;
mod jwt_authorizer;
mod key_by_hand;
pub(crate) mod stored;
mod tower_oauth2;
mod tower_sessions;

use axum07::Router as Router07;
use axum07::body::Body as Body07;
use axum07::routing::get as get07;
use http::StatusCode;

pub(crate) use self::jwt_authorizer::app as jwt_authorizer;
use crate::bare::{PATH, answer, request, request08};
use crate::{Case, Fixture, InProcess, Owned, Subject};

const PEERS: [&str; 5] = [
    "jwt-authorizer",
    "axum-jwks",
    "axum-jwt-auth",
    "tower-oauth2-resource-server",
    "by-hand",
];

pub(crate) fn cases(algorithms: &[&'static str], anonymous: &'static str) -> Vec<Case> {
    let mut all = Vec::new();
    for group in algorithms.iter().copied().chain([anonymous]) {
        let what = if group == anonymous { "refused" } else { "typed" };
        let bare = Case {
            group,
            who: "bare07",
            what: "",
        };
        all.push(bare);
        // axum-jwks knows RSA keys only: any other key in a set is an error.
        let fits = |who: &&str| *who != "axum-jwks" || ["RS256", anonymous].contains(&group);
        all.extend(
            PEERS
                .into_iter()
                .filter(fits)
                .map(|who| Case { group, who, what }),
        );
    }
    all
}

/// A request to a peer, with the fixture's token or without one.
pub(crate) fn subject(who: &str, sent: Option<Fixture>) -> Box<dyn Subject> {
    let fixture = sent.unwrap_or_else(|| Fixture::of("RS256"));
    let token = sent.map(|fixture| fixture.token);
    let status = match token {
        Some(_) => StatusCode::OK,
        None => StatusCode::UNAUTHORIZED,
    };
    let request07 = move || request::<Body07>(token);
    match who {
        "bare07" => Box::new(InProcess::new(bare07(), StatusCode::OK, request07)),
        "jwt-authorizer" => Box::new(InProcess::new(jwt_authorizer(fixture), status, request07)),
        who => Box::new(InProcess::new(app(who, fixture), status, move || {
            request08(token)
        })),
    }
}

/// The router without anybody, on axum 0.7.
pub(crate) fn bare07() -> Router07 {
    Router07::new().route(PATH, get07(answer))
}

/// The guarded router of a peer on our axum.
pub(crate) fn app(who: &str, fixture: Fixture) -> axum::Router {
    match who {
        "axum-jwks" => axum_jwks::app(fixture),
        "axum-jwt-auth" => axum_jwt_auth::app(fixture),
        "tower-oauth2-resource-server" => tower_oauth2::app(fixture),
        "by-hand" => by_hand::app(fixture),
        _ => panic!("nobody is called {who}"),
    }
}

/// What a handler does with its claims.
fn use_claims(claims: &Owned) -> &'static str {
    std::hint::black_box(claims);
    "documents"
}

/// Waits for what a peer does when it starts.
fn start<T>(started: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(started)
}
