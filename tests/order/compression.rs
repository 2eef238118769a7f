//! Compression inside and outside ours, in a router and without one.

use axum::body::Body;
use http::header::{CONTENT_ENCODING, VARY};
use http::{HeaderValue, Method, Request, Response};
use portcullis_core::AuthErrorKind;
use portcullis_test::{assert_problem, assert_refused};
use portcullis_tower::AnyBodyLayer;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_http::compression::CompressionLayer;

use crate::http_layers::routes;
use crate::support::{Mode, Scene, Sent};
use crate::wire::{request, send};

/// Compression of a large answer, and a refusal, which stays readable. Around a router no adapter is needed.
#[tokio::test]
async fn answers_are_compressed_on_either_side_and_refusals_stay_readable() {
    let scene = Scene::new();
    let good = scene.value(Sent::Good).expect("sent");
    for mode in Mode::ALL {
        let ours = || mode.layer(scene.bearer());
        let services = [
            routes(&scene.reached)
                .layer(CompressionLayer::new())
                .layer(ours()),
            routes(&scene.reached)
                .layer(ours())
                .layer(CompressionLayer::new()),
        ];
        for (index, service) in services.into_iter().enumerate() {
            let headers = [("authorization", good), ("accept-encoding", "gzip")];
            let answer = send(&service, request(Method::GET, "/me", &headers)).await;
            assert_eq!(answer.headers()[CONTENT_ENCODING], "gzip");
            // One line of `Vary` where ours is the last to write it.
            let lines = answer.headers().get_all(VARY).iter().count();
            assert_eq!(lines, 1 + index, "{:?}", answer.headers());
            let answer = send(
                &service,
                request(Method::GET, "/me", &[("accept-encoding", "gzip")]),
            )
            .await;
            assert_refused(&answer, AuthErrorKind::MissingCredentials);
            let encoded = answer.headers().contains_key(CONTENT_ENCODING);
            // A refusal is compressed by what stands outside of whoever refuses.
            assert_eq!(encoded, index == 1 || mode != Mode::Required, "{mode:?}");
            if !encoded {
                assert_eq!(assert_problem(&answer)["status"], 401);
            }
        }
    }
}

/// Without a router, a layer that changes the body needs the adapter between it and ours.
#[tokio::test]
async fn around_compression_the_adapter_makes_a_body_for_refusals() {
    let scene = Scene::new();
    let inner = service_fn(|_: Request<Body>| async {
        Ok::<_, std::convert::Infallible>(Response::new(Body::from("x".repeat(1_000))))
    });
    let service = ServiceBuilder::new()
        .layer(Mode::Required.layer(scene.bearer()))
        .layer(AnyBodyLayer::new())
        .layer(CompressionLayer::new())
        .service(inner);
    for (sent, status, encoded) in [(Sent::Good, 200, true), (Sent::Nothing, 401, false)] {
        let mut asked = scene.request(Method::GET, "/", sent);
        asked
            .headers_mut()
            .insert("accept-encoding", HeaderValue::from_static("gzip"));
        let answer = service.clone().oneshot(asked).await.expect("infallible");
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers().contains_key(CONTENT_ENCODING), encoded);
        let body = axum::body::to_bytes(Body::new(answer.into_body()), 10_000)
            .await
            .expect("a body");
        assert!(!body.is_empty());
    }
}
