//! Where the layer stands, and what is then asked of whom.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::Method;
use portcullis_axum::{Authenticated, Authorized, Claims, Verified};
use portcullis_core::{HasScope, SignedIn};
use portcullis_jwt::JwtBearer;
use tower::Layer;

use crate::handlers::{Anyone, Bearer, Caller, Perhaps, Routes, State, Subject};
use crate::support::{App, Expected, Mode, Need, Scene, Sent, app, assert_expected};
use crate::wire::{DocumentsRead, send};

/// One way to put the layer around the routes, and what else than the routes stands behind it then.
struct Position {
    name: &'static str,
    prefix: &'static str,
    /// Paths that no route has.
    unknown: bool,
    /// Paths whose route has another method.
    other_method: bool,
    build: fn(Routes, Bearer) -> App,
}

/// | position | unknown path, anonymous, `required` | other method, the same |
/// |---|---|---|
/// | around the finished router | 401 | 401 |
/// | `Router::layer` | 401 | 401 |
/// | `Router::route_layer` | 404 | 401 |
/// | `MethodRouter::layer` | 404 | 401 |
/// | `MethodRouter::route_layer` | 404 | 405 |
/// | nested, layer inside | 404, the outer router's | 401 |
/// | nested with a fallback of its own, layer inside | 401 below the prefix | 401 |
/// | nested, layer outside | 401 | 401 |
/// | nested service | 401 below the prefix | 401 |
/// | merged into an open router | 401 (the fallback comes from the merged one) | 401 |
/// | an open router merged into it | 404 (the same) | 401 |
/// | fallback service | 401 | 401 |
const POSITIONS: &[Position] = &[
    Position {
        name: "around the finished router",
        prefix: "",
        unknown: true,
        other_method: true,
        build: |routes, layer| app(layer.layer(routes.router())),
    },
    Position {
        name: "Router::layer",
        prefix: "",
        unknown: true,
        other_method: true,
        build: |routes, layer| app(routes.router().layer(layer)),
    },
    Position {
        name: "Router::route_layer",
        prefix: "",
        unknown: false,
        other_method: true,
        build: |routes, layer| app(routes.router().route_layer(layer)),
    },
    Position {
        name: "MethodRouter::layer",
        prefix: "",
        unknown: false,
        other_method: true,
        build: |routes, layer| app(routes.map(|route| route.layer(layer.clone())).router()),
    },
    Position {
        name: "MethodRouter::route_layer",
        prefix: "",
        unknown: false,
        other_method: false,
        build: |routes, layer| app(routes.map(|route| route.route_layer(layer.clone())).router()),
    },
    Position {
        name: "nested, layer inside",
        prefix: "/api",
        unknown: false,
        other_method: true,
        build: |routes, layer| app(Router::new().nest("/api", routes.router().layer(layer))),
    },
    Position {
        name: "nested with a fallback, layer inside",
        prefix: "/api",
        unknown: true,
        other_method: true,
        build: |routes, layer| {
            let nested = routes.router().fallback(not_found).layer(layer);
            app(Router::new().nest("/api", nested))
        },
    },
    Position {
        name: "nested, layer outside",
        prefix: "/api",
        unknown: true,
        other_method: true,
        build: |routes, layer| app(Router::new().nest("/api", routes.router()).layer(layer)),
    },
    Position {
        name: "nested service",
        prefix: "/api",
        unknown: true,
        other_method: true,
        build: |routes, layer| app(Router::<()>::new().nest_service("/api", layer.layer(routes.router()))),
    },
    Position {
        name: "merged into an open router",
        prefix: "",
        unknown: true,
        other_method: true,
        build: |routes, layer| app(health().merge(routes.router().layer(layer))),
    },
    Position {
        name: "an open router merged into it",
        prefix: "",
        unknown: false,
        other_method: true,
        build: |routes, layer| app(routes.router().layer(layer).merge(health())),
    },
    Position {
        name: "merged, layer outside",
        prefix: "",
        unknown: true,
        other_method: true,
        build: |routes, layer| app(health().merge(routes.router()).layer(layer)),
    },
    Position {
        name: "fallback service",
        prefix: "",
        unknown: true,
        other_method: true,
        build: |routes, layer| app(health().fallback_service(routes.router().layer(layer))),
    },
    Position {
        name: "other methods answered by a handler, Router::layer",
        prefix: "",
        unknown: true,
        other_method: true,
        build: |routes, layer| {
            let router = routes
                .router()
                .method_not_allowed_fallback(not_allowed)
                .layer(layer);
            app(router)
        },
    },
];

async fn not_found() -> http::StatusCode {
    http::StatusCode::NOT_FOUND
}

async fn not_allowed() -> http::StatusCode {
    http::StatusCode::METHOD_NOT_ALLOWED
}

fn health() -> Router {
    Router::new().route("/health", get(|| async { "fine" }))
}

/// The paths of a request, and what the router says about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    Known,
    Unknown,
    OtherMethod,
}

impl Path {
    fn of(self, prefix: &str, method: &Method) -> String {
        let reads = *method == Method::GET || *method == Method::HEAD;
        let path = match self {
            Self::Known => "/all",
            Self::Unknown => "/nowhere",
            Self::OtherMethod if reads => "/only-post",
            Self::OtherMethod => "/only-get",
        };
        format!("{prefix}{path}")
    }
}

impl Position {
    fn expected(&self, mode: Mode, need: Need, path: Path, sent: Sent) -> Expected {
        let (behind, router) = match path {
            Path::Known => {
                let refusal = mode.refuses(sent).or_else(|| need.refuses(sent));
                return Expected::of(refusal);
            }
            Path::Unknown => (self.unknown, 404),
            Path::OtherMethod => (self.other_method, 405),
        };
        match mode.refuses(sent) {
            Some(kind) if behind => Expected::Refused(kind),
            _ => Expected::Router(router),
        }
    }
}

async fn every_position<C: Caller>(need: Need) {
    let scene = Scene::new();
    let state = State::new(&scene);
    for position in POSITIONS {
        for mode in Mode::ALL {
            let service = (position.build)(Routes::asking::<C>(&state), mode.layer(scene.bearer()));
            for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST] {
                for path in [Path::Known, Path::Unknown, Path::OtherMethod] {
                    for sent in Sent::ALL {
                        let uri = path.of(position.prefix, &method);
                        let answer = send(&service, scene.request(method.clone(), &uri, sent)).await;
                        let row = format!("{} {mode:?} {need:?} {method} {path:?} {sent:?}", position.name);
                        let expected = position.expected(mode, need, path, sent);
                        assert_expected(&answer, &scene.reached, expected, &row);
                    }
                }
            }
        }
    }
}

/// T-WIRE-3
#[tokio::test]
async fn a_handler_that_asks_for_nothing_is_behind_the_layer_and_nothing_else() {
    every_position::<Anyone>(Need::Open).await;
}

/// T-WIRE-3
#[tokio::test]
async fn a_handler_that_takes_the_anonymous_gets_them_and_nobody_with_bad_credentials() {
    every_position::<Perhaps>(Need::Perhaps).await;
}

/// T-WIRE-3
#[tokio::test]
async fn an_authenticated_caller_is_one_in_every_position() {
    every_position::<Authenticated>(Need::Caller).await;
}

/// T-WIRE-3
#[tokio::test]
async fn a_signed_in_caller_is_one_in_every_position() {
    every_position::<Authorized<SignedIn>>(Need::Caller).await;
}

/// T-WIRE-3, R7: who lacks the right is told 403 in every position.
#[tokio::test]
async fn a_caller_with_the_scope_is_one_in_every_position() {
    every_position::<Authorized<HasScope<DocumentsRead>>>(Need::Scope).await;
}

/// T-WIRE-3
#[tokio::test]
async fn claims_are_those_of_a_verified_token_in_every_position() {
    every_position::<Claims<Subject>>(Need::Caller).await;
}

/// T-WIRE-3: it decides by itself, with a layer outside and, here below, without.
#[tokio::test]
async fn a_verified_caller_is_one_in_every_position() {
    every_position::<Verified<Arc<JwtBearer>>>(Need::Caller).await;
    let scene = Scene::new();
    let state = State::new(&scene);
    let bare = Routes::asking::<Verified<Arc<JwtBearer>>>(&state).router();
    for sent in Sent::ALL {
        let answer = send(&bare, scene.request(Method::GET, "/all", sent)).await;
        let expected = Expected::of(Need::Caller.refuses(sent));
        assert_expected(&answer, &scene.reached, expected, &format!("{sent:?}"));
    }
}
