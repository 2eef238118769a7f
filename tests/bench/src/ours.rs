//! The same router behind portcullis.

use std::hint::black_box;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use portcullis_axum::Authenticated;
use portcullis_jwt::{Algorithm, JwtBearer, StaticKeySet, TrustedIssuer, VerifiedClaims, Verifier};
use portcullis_tower::{Authenticate, AuthenticateLayer};
use tower::Layer;

use crate::bare::{PATH, answer, request08};
use crate::catalogue::DECIDING;
use crate::{AUDIENCE, Borrowed, Fixture, ISSUER, InProcess, Owned, Subject, deciding};

/// What the handler reads out of the token, and how: the one place that says it.
async fn typed(caller: Authenticated) -> Result<&'static str, StatusCode> {
    let claims = caller.details::<VerifiedClaims>();
    let claims = claims.and_then(|claims| claims.read::<Owned>().ok());
    read(black_box(claims))
}

async fn borrowed(caller: Authenticated) -> Result<&'static str, StatusCode> {
    let claims = caller.details::<VerifiedClaims>();
    let claims = claims.and_then(|claims| claims.read::<Borrowed<'_>>().ok());
    read(black_box(claims))
}

async fn unread(caller: Authenticated) -> &'static str {
    black_box(&caller);
    answer().await
}

fn read<C>(claims: Option<C>) -> Result<&'static str, StatusCode> {
    match claims {
        Some(_) => Ok("documents"),
        None => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn router(what: &str) -> Router {
    Router::new().route(
        PATH,
        match what {
            "borrowed" => get(borrowed),
            "unread" | "cached" => get(unread),
            "public" => get(answer),
            _ => get(typed),
        },
    )
}

/// Keys and issuers as many as asked for; the token's are the last ones.
fn verifier(fixture: Fixture, keys: usize, issuers: usize, cached: bool) -> Verifier {
    let algorithm = Algorithm::from_name(fixture.alg).expect("an algorithm");
    let trusted = |name: String| {
        let jwks = fixture.jwks(keys);
        let keys = StaticKeySet::from_jwks(jwks.as_bytes()).expect("a key set");
        TrustedIssuer::new(name, keys).algorithms([algorithm])
    };
    let others = (1..issuers).map(|n| trusted(format!("https://issuer-{n}.example.test")));
    let all = others.chain([trusted(ISSUER.to_owned())]);
    let mut builder = Verifier::builder().audience(AUDIENCE);
    if cached {
        builder = builder.cache_tokens(1_000);
    }
    all.fold(builder, |builder, issuer| builder.issuer(issuer))
        .build()
        .expect("a verifier")
}

pub(crate) fn method(fixture: Fixture, what: &str) -> JwtBearer {
    let count = |word: &str| what.strip_prefix(word).and_then(|count| count.parse().ok());
    let verifier = verifier(
        fixture,
        count("keys-").unwrap_or(1),
        count("issuers-").unwrap_or(1),
        what.starts_with("cached"),
    );
    JwtBearer::new(verifier).expect("a method")
}

/// The layer around the finished router.
pub(crate) fn around(fixture: Fixture, what: &str) -> Authenticate<Router, JwtBearer> {
    AuthenticateLayer::required(method(fixture, what)).layer(router(what))
}

/// A request with the fixture's token. `what` is what differs from "the layer around the finished router,
/// one key, one issuer, the handler reads [`Owned`]".
pub(crate) fn with_token(fixture: Fixture, what: &'static str) -> Box<dyn Subject> {
    let request = move || request08(Some(fixture.token));
    if DECIDING.contains(&what) {
        return deciding::subject(fixture, what);
    }
    if what == "router-layer" {
        let layer = AuthenticateLayer::required(method(fixture, what));
        return Box::new(InProcess::new(router(what).layer(layer), StatusCode::OK, request));
    }
    Box::new(InProcess::new(around(fixture, what), StatusCode::OK, request))
}

/// A request without a token.
pub(crate) fn without_token(what: &'static str) -> Box<dyn Subject> {
    let method = method(Fixture::of("RS256"), what);
    let request = || request08(None);
    let (required, optional) = (AuthenticateLayer::required, AuthenticateLayer::optional);
    let refused = StatusCode::UNAUTHORIZED;
    match what {
        "refused" => {
            let app = required(method).layer(router("typed"));
            Box::new(InProcess::new(app, refused, request))
        }
        "refused/router-layer" => {
            let app = router("typed").layer(required(method));
            Box::new(InProcess::new(app, refused, request))
        }
        "passed" => {
            let app = optional(method).layer(router("public"));
            Box::new(InProcess::new(app, StatusCode::OK, request))
        }
        "passed/router-layer" => {
            let app = router("public").layer(optional(method));
            Box::new(InProcess::new(app, StatusCode::OK, request))
        }
        _ => panic!("nothing is called {what}"),
    }
}
