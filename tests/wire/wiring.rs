//! Routers put together in every way, the wrong ones included.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use http::{Method, Request, Response};
use portcullis_axum::{AuthRejection, Authenticated, Authorized};
use portcullis_core::{AuthError, AuthErrorKind, HasScope, SignedIn};
use portcullis_test::{assert_no_challenge, assert_problem, assert_refused, assert_status};
use portcullis_tower::AuthenticateLayer;
use tower::Layer;
use tower::util::BoxCloneSyncService;
use tower_http::cors::CorsLayer;

use crate::support::{DocumentsRead, Log, Scene, bearer_value, get_with, request, routes, send};

type App = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// T-WIRE-1: the layer was forgotten.
#[tokio::test]
async fn without_the_layer_every_extractor_answers_500_and_logs_the_cure() {
    let scene = Scene::new();
    let service = routes(&scene.reached);
    let token = bearer_value(&scene.reader().roles(["admin"]).build());
    for path in [
        "/whoami",
        "/me",
        "/documents",
        "/admin",
        "/any",
        "/person",
        "/down",
        "/hers",
    ] {
        for credentials in [None, Some(token.as_str()), Some("Bearer")] {
            let (log, _guard) = Log::capture();
            let response = get_with(&service, path, credentials).await;
            assert_refused(&response, AuthErrorKind::Misconfigured);
            assert_no_challenge(&response);
            let problem = serde_json::json!({"title": "Internal Server Error", "status": 500});
            assert_eq!(assert_problem(&response), problem, "looks like any other");
            let log = log.text();
            assert!(
                log.contains("ERROR") && log.contains("AuthenticateLayer"),
                "{path}: {log}"
            );
            assert!(!log.contains(&token), "{log}");
        }
    }
    assert_eq!(scene.reached.times(), 0);
}

/// T-WIRE-1: the layer speaks of other callers than the handler.
#[tokio::test]
async fn a_layer_for_another_principal_type_is_no_layer() {
    struct User;
    async fn optional(_: Option<Authenticated<User>>) {}
    async fn required(_: Authenticated<User>) {}
    async fn authorized(_: Authorized<SignedIn, User>) {}
    async fn scoped(_: Authorized<HasScope<DocumentsRead>, User>) {}
    let scene = Scene::new();
    let app = Router::new()
        .route("/optional", get(optional))
        .route("/required", get(required))
        .route("/authorized", get(authorized))
        .route("/scoped", get(scoped));
    let token = bearer_value(&scene.reader().build());
    for layer in [
        AuthenticateLayer::required(scene.bearer()),
        AuthenticateLayer::optional(scene.bearer()),
    ] {
        let service = app.clone().layer(layer);
        for path in ["/optional", "/required", "/authorized", "/scoped"] {
            let (log, _guard) = Log::capture();
            let response = get_with(&service, path, Some(&token)).await;
            assert_refused(&response, AuthErrorKind::Misconfigured);
            assert!(log.text().contains("User"), "{}", log.text());
        }
    }
}

fn app<S>(service: S) -> App
where
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    BoxCloneSyncService::new(service)
}

/// Every way to put the layer around `/me`, and where `/me` is then.
fn assemblies(scene: &Scene, required: bool) -> Vec<(&'static str, App, &'static str)> {
    let layer = || match required {
        true => AuthenticateLayer::required(scene.bearer()),
        false => AuthenticateLayer::optional(scene.bearer()),
    };
    let routes = || routes(&scene.reached);
    async fn me(caller: Authorized<SignedIn>) -> String {
        caller.principal().subject().to_owned()
    }
    vec![
        ("around the finished router", app(layer().layer(routes())), "/me"),
        ("Router::layer", app(routes().layer(layer())), "/me"),
        ("Router::route_layer", app(routes().route_layer(layer())), "/me"),
        (
            "MethodRouter::layer",
            app(Router::<()>::new().route("/me", get(me).layer(layer()))),
            "/me",
        ),
        (
            "MethodRouter::route_layer",
            app(Router::<()>::new().route("/me", get(me).route_layer(layer()))),
            "/me",
        ),
        (
            "handler of any method",
            app(Router::<()>::new().route("/me", any(me).layer(layer()))),
            "/me",
        ),
        (
            "nested, layer inside",
            app(Router::new().nest("/api", routes().layer(layer()))),
            "/api/me",
        ),
        (
            "nested, layer outside",
            app(Router::new().nest("/api", routes()).layer(layer())),
            "/api/me",
        ),
        (
            "nested service",
            app(Router::<()>::new().nest_service("/api", layer().layer(routes()))),
            "/api/me",
        ),
        (
            "merged",
            app(Router::new()
                .route("/health", get(|| async {}))
                .merge(routes().layer(layer()))),
            "/me",
        ),
        (
            "merged, layer outside",
            app(Router::new().merge(routes()).layer(layer())),
            "/me",
        ),
        (
            "fallback",
            app(Router::<()>::new().fallback(me).layer(layer())),
            "/nowhere",
        ),
        (
            "fallback service",
            app(Router::<()>::new().fallback_service(routes().layer(layer()))),
            "/me",
        ),
        ("twice", app(routes().layer(layer()).layer(layer())), "/me"),
        (
            "twice, around",
            app(layer().layer(routes().layer(layer()))),
            "/me",
        ),
    ]
}

/// T-WIRE-3
#[tokio::test]
async fn wherever_the_layer_stands_the_protected_handler_is_protected() {
    let scene = Scene::new();
    let good = bearer_value(&scene.reader().build());
    let forged = bearer_value(&scene.issuer.forged_token().build());
    for required in [true, false] {
        for (how, service, path) in assemblies(&scene, required) {
            let before = scene.reached.times();
            let response = get_with(&service, path, None).await;
            assert_refused(&response, AuthErrorKind::MissingCredentials);
            let response = get_with(&service, path, Some(&forged)).await;
            assert_refused(&response, AuthErrorKind::InvalidCredentials);
            let response = get_with(&service, path, Some("Bearer")).await;
            assert_refused(&response, AuthErrorKind::InvalidRequest);
            for method in [
                Method::HEAD,
                Method::OPTIONS,
                Method::POST,
                Method::PUT,
                Method::DELETE,
                Method::PATCH,
                Method::TRACE,
                Method::CONNECT,
                Method::from_bytes(b"PROPFIND").expect("method"),
            ] {
                let response = send(&service, request(method.clone(), path, &[])).await;
                let status = response.status().as_u16();
                assert!(matches!(status, 401 | 405), "{how}: {method} {status}");
            }
            assert_eq!(scene.reached.times(), before, "{how}");

            let response = get_with(&service, path, Some(&good)).await;
            assert_eq!(
                (response.status().as_u16(), &response.body()[..]),
                (200, &b"alice"[..]),
                "{how}"
            );
            let head = send(&service, request(Method::HEAD, path, &[("authorization", &good)])).await;
            assert_eq!(head.status(), 200, "{how}");
        }
    }
}

/// T-WIRE-3: an outer layer in `required` mode is not undone by an inner one that is optional, nor the other
/// way round.
#[tokio::test]
async fn the_stricter_of_two_layers_holds() {
    let scene = Scene::new();
    let good = bearer_value(&scene.reader().build());
    let (required, optional) = (
        || AuthenticateLayer::required(scene.bearer()),
        || AuthenticateLayer::optional(scene.bearer()),
    );
    for service in [
        routes(&scene.reached).layer(required()).layer(optional()),
        routes(&scene.reached).layer(optional()).layer(required()),
    ] {
        for path in ["/open", "/whoami", "/me"] {
            assert_status(&get_with(&service, path, None).await, 401);
            let response = get_with(&service, path, Some(&good)).await;
            assert_status(&response, 200);
            assert_eq!(response.headers().get_all("vary").iter().count(), 1);
        }
    }
}

/// T-WIRE-3: what `Router::layer` covers and `route_layer` does not.
#[tokio::test]
async fn unknown_paths_and_methods_say_nothing_more_than_the_layer_lets_them() {
    let scene = Scene::new();
    let layer = || AuthenticateLayer::required(scene.bearer());
    let whole = routes(&scene.reached).layer(layer());
    assert_status(&get_with(&whole, "/nowhere", None).await, 401);
    assert_status(&send(&whole, request(Method::DELETE, "/me", &[])).await, 401);
    let by_route = routes(&scene.reached).route_layer(layer());
    assert_status(&get_with(&by_route, "/nowhere", None).await, 404);
    assert_eq!(scene.reached.times(), 0);
}

/// H14: a preflight carries no credentials and is answered by CORS outside.
#[tokio::test]
async fn a_preflight_is_answered_outside_and_refused_inside_with_the_cure_in_the_log() {
    let scene = Scene::new();
    let preflight = || {
        let headers = [
            ("origin", "https://app.test"),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
        ];
        request(Method::OPTIONS, "/documents", &headers)
    };
    let outside = scene.required().layer(CorsLayer::permissive());
    let response = send(&outside, preflight()).await;
    assert_status(&response, 200);
    assert_eq!(response.headers()["access-control-allow-origin"], "*");

    let (log, _guard) = Log::capture();
    let inside = routes(&scene.reached)
        .layer(CorsLayer::permissive())
        .layer(AuthenticateLayer::required(scene.bearer()));
    let response = send(&inside, preflight()).await;
    assert_refused(&response, AuthErrorKind::MissingCredentials);
    assert!(log.text().contains("CORS"), "{}", log.text());
    assert_eq!(scene.reached.times(), 0);
}

/// H1, B1: row 1; a refusal that a handler makes up carries the challenge of the place as well.
#[tokio::test]
async fn a_refusal_from_a_handler_carries_the_challenge_of_the_place() {
    let scene = Scene::new();
    let service = Router::new()
        .route(
            "/missing",
            get(|| async { AuthRejection::from(AuthError::missing_credentials()) }),
        )
        .route(
            "/bad",
            get(|| async { AuthRejection::from(AuthError::invalid_credentials("revoked")) }),
        )
        .route(
            "/scope",
            get(|| async { AuthRejection::from(AuthError::insufficient_scope("a:b")) }),
        )
        .route(
            "/denied",
            get(|| async { AuthRejection::from(AuthError::denied("no")) }),
        )
        .layer(AuthenticateLayer::required(scene.bearer()));
    let token = bearer_value(&scene.reader().build());
    for (path, kind, challenge) in [
        (
            "/missing",
            AuthErrorKind::MissingCredentials,
            Some(r#"Bearer realm="api""#),
        ),
        (
            "/bad",
            AuthErrorKind::InvalidCredentials,
            Some(r#"Bearer realm="api", error="invalid_token""#),
        ),
        (
            "/scope",
            AuthErrorKind::InsufficientScope,
            Some(r#"Bearer realm="api", error="insufficient_scope", scope="a:b""#),
        ),
        ("/denied", AuthErrorKind::Denied, None),
    ] {
        let response = get_with(&service, path, Some(&token)).await;
        assert_refused(&response, kind);
        let lines: Vec<_> = response.headers().get_all("www-authenticate").iter().collect();
        assert_eq!(lines, challenge.into_iter().collect::<Vec<_>>(), "{path}");
    }
}
