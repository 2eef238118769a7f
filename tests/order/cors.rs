//! CORS inside and outside ours.

use axum::body::Body;
use http::{Method, Request};
use portcullis_core::{AuthErrorKind, SignedIn};
use portcullis_test::{assert_refused, assert_status};
use portcullis_tower::AuthorizeLayer;
use tower_http::cors::CorsLayer;

use crate::http_layers::routes;
use crate::support::{Mode, Scene};
use crate::wire::{Log, request, send};

fn preflight() -> Request<Body> {
    let headers = [
        ("origin", "https://app.test"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization"),
    ];
    request(Method::OPTIONS, "/me", &headers)
}

/// H14: a preflight carries no credentials. Outside, CORS answers it; inside a place that demands some, it is
/// refused, and the log names the cure, whichever of our layers refused.
#[tokio::test]
async fn a_preflight_is_answered_where_cors_stands_outside() {
    let scene = Scene::new();
    let demand = AuthorizeLayer::needs::<SignedIn>;
    for mode in Mode::ALL {
        let ours = || mode.layer(scene.bearer());
        let cors = CorsLayer::permissive;
        for (what, service, refused) in [
            (
                "outside",
                routes(&scene.reached).layer(ours()).layer(cors()),
                false,
            ),
            (
                "outside of both",
                routes(&scene.reached).layer(demand()).layer(ours()).layer(cors()),
                false,
            ),
            (
                "inside",
                routes(&scene.reached).layer(cors()).layer(ours()),
                mode == Mode::Required,
            ),
            (
                "inside of both",
                routes(&scene.reached).layer(cors()).layer(demand()).layer(ours()),
                true,
            ),
            (
                "in between",
                routes(&scene.reached).layer(demand()).layer(cors()).layer(ours()),
                mode == Mode::Required,
            ),
        ] {
            let (log, _guard) = Log::capture();
            let answer = send(&service, preflight()).await;
            if refused {
                assert_refused(&answer, AuthErrorKind::MissingCredentials);
                assert!(log.text().contains("put CORS outside"), "{what}: {}", log.text());
            } else {
                assert_status(&answer, 200);
                assert_eq!(
                    answer.headers()["access-control-allow-origin"],
                    "*",
                    "{what} {mode:?}"
                );
            }
            assert_eq!(scene.reached.take(), 0);
        }
    }
}

/// A script can read a refusal only where CORS stands outside.
#[tokio::test]
async fn a_refusal_is_readable_across_origins_where_cors_stands_outside() {
    let scene = Scene::new();
    let ours = || Mode::Required.layer(scene.bearer());
    let outside = routes(&scene.reached)
        .layer(ours())
        .layer(CorsLayer::permissive());
    let inside = routes(&scene.reached)
        .layer(CorsLayer::permissive())
        .layer(ours());
    for (service, readable) in [(outside, true), (inside, false)] {
        let asked = request(Method::GET, "/me", &[("origin", "https://app.test")]);
        let answer = send(&service, asked).await;
        assert_refused(&answer, AuthErrorKind::MissingCredentials);
        assert_eq!(
            answer.headers().contains_key("access-control-allow-origin"),
            readable
        );
    }
}
