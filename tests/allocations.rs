//! What a guarded request may allocate more than the same request to the bare router.
//!
//! Allocations do not vary from run to run, so this gate needs no quiet machine and no tool; the other
//! budgets are in `docs/PERFORMANCE.md`. Each bound is what the code does today: lower it when the code
//! gets better, raise it only with a reason in the commit.

#![allow(clippy::expect_used)] // In a test.

use std::convert::Infallible;
use std::hint::black_box;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use portcullis_axum::Authenticated;
use portcullis_jwt::{
    Algorithm, JwtBearer, StaticKeySet, TrustedIssuer, VerifiedClaims, Verifier, VerifierBuilder,
};
use portcullis_test::{ManualClock, SigningKey, TestIssuer, TokenBuilder};
use portcullis_tower::AuthenticateLayer;
use serde::Deserialize;
use tower::{Layer, Service, ServiceExt};

/// No claims are read, or borrowed ones.
const UNREAD: u64 = 3;
/// Nine of them are the texts.
const TYPED: u64 = UNREAD + 9;
/// No claims are read, and the token is remembered.
const CACHED: u64 = 2;
/// The answer 401, in all: the router is not asked.
const REFUSED: u64 = 6;
/// Over the bare router; most of it is what `Router::layer` costs by itself.
const REFUSED_WITHIN: u64 = 5;

#[derive(Deserialize)]
#[allow(dead_code)] // They are read to be counted.
struct Owned {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    jti: String,
    scope: String,
    tenant: String,
    email: String,
    name: String,
}

#[derive(Deserialize)]
#[allow(dead_code)] // They are read to be counted.
struct Borrowed<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    client_id: &'a str,
    jti: &'a str,
    scope: &'a str,
    tenant: &'a str,
    email: &'a str,
    name: &'a str,
}

async fn documents() -> &'static str {
    "documents"
}

async fn unread(caller: Authenticated) -> &'static str {
    black_box(&caller);
    documents().await
}

async fn typed(caller: Authenticated) -> &'static str {
    let claims = caller.details::<VerifiedClaims>().expect("verified claims");
    black_box(claims.read::<Owned>().expect("the nine texts"));
    documents().await
}

async fn borrowed(caller: Authenticated) -> &'static str {
    let claims = caller.details::<VerifiedClaims>().expect("verified claims");
    black_box(claims.read::<Borrowed<'_>>().expect("the nine texts"));
    documents().await
}

fn router() -> Router {
    Router::new()
        .route("/bare", get(documents))
        .route("/unread", get(unread))
        .route("/typed", get(typed))
        .route("/borrowed", get(borrowed))
}

fn issuer(alg: &str) -> TestIssuer {
    TestIssuer::new("https://issuer.test")
        .clock(ManualClock::default())
        .with_key(&SigningKey::generate(alg, "key-1"))
}

fn verifier(issuer: &TestIssuer) -> VerifierBuilder {
    let keys = StaticKeySet::from_jwks(issuer.jwks().as_bytes()).expect("a usable key");
    let trusted = TrustedIssuer::new(issuer.url(), keys).algorithms(Algorithm::RECOMMENDED);
    Verifier::builder()
        .issuer(trusted)
        .audience(TokenBuilder::AUDIENCE)
        .clock(ManualClock::default())
}

fn layer(verifier: VerifierBuilder) -> AuthenticateLayer<JwtBearer> {
    let verifier = verifier.build().expect("the configuration makes sense");
    AuthenticateLayer::required(JwtBearer::new(verifier).expect("a method"))
}

/// The allocations of one request, counted when everything that happens once has happened.
fn allocations<S>(service: &S, path: &str, token: Option<&str>, expected: StatusCode) -> u64
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let mut counted = 0;
    for _ in 0..3 {
        let request = Request::get(path);
        let request = match token {
            Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        };
        let request = request.body(Body::empty()).expect("a request");
        let info = allocation_counter::measure(|| {
            let response = runtime
                .block_on(service.clone().oneshot(request))
                .expect("infallible");
            assert_eq!(response.status(), expected, "{path}");
        });
        counted = info.count_total;
    }
    counted
}

fn bare(token: Option<&str>) -> u64 {
    allocations(&router(), "/bare", token, StatusCode::OK)
}

#[test]
fn a_verified_request_allocates_no_more_than_it_did() {
    for alg in ["RS256", "ES256", "EdDSA"] {
        let issuer = issuer(alg);
        let token = issuer
            .token()
            .scope("documents:read documents:write profile")
            .claim("tenant", "acme-industries")
            .claim("email", "alice@example.test")
            .claim("name", "Alice")
            .build();
        let guarded = layer(verifier(&issuer)).layer(router());
        let remembering = layer(verifier(&issuer).cache_tokens(100)).layer(router());
        let bare = bare(Some(&token));
        for (path, service, bound) in [
            ("/unread", &guarded, UNREAD),
            ("/borrowed", &guarded, UNREAD),
            ("/typed", &guarded, TYPED),
            ("/unread", &remembering, CACHED),
        ] {
            let over = allocations(service, path, Some(&token), StatusCode::OK) - bare;
            assert!(
                over <= bound,
                "{alg} {path}: {over} over the bare router, not {bound}"
            );
        }
    }
}

#[test]
fn a_refused_request_allocates_no_more_than_it_did() {
    let issuer = issuer("RS256");
    let refused = StatusCode::UNAUTHORIZED;
    let around = allocations(&layer(verifier(&issuer)).layer(router()), "/typed", None, refused);
    assert!(around <= REFUSED, "{around}, not {REFUSED}");
    let within = allocations(&router().layer(layer(verifier(&issuer))), "/typed", None, refused) - bare(None);
    assert!(
        within <= REFUSED_WITHIN,
        "{within} over the bare router, not {REFUSED_WITHIN}"
    );
}

/// That the counter counts: without it every bound above holds.
#[test]
fn allocations_are_counted() {
    let count = |size: usize| {
        let info = allocation_counter::measure(|| drop(black_box(Vec::<u8>::with_capacity(size))));
        info.count_total
    };
    assert_eq!((count(1), count(0)), (1, 0));
    assert!(bare(None) > 5);
}
