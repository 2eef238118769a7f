//! Attempts to get past the layers, or to be taken for somebody else, by means other than credentials.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::VARY;
use http::{Method, Request, Response};
use portcullis_core::{AuthErrorKind, Outcome, Principal};
use portcullis_test::{TestRequest, assert_refused, caller};
use portcullis_tower::AuthorizeLayer;
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceExt};

use crate::keys::{Checks, collect, keys, name, whoami, with_key};
use crate::support::{Mode, Reached, Scene, Sent};
use crate::wire::{request, send};

/// An outcome planted in the request's extensions before the layer is forgotten by the layer, in every mode.
#[tokio::test]
async fn a_planted_outcome_does_not_survive_the_layer() {
    let scene = Scene::new();
    for mode in Mode::ALL {
        let service = whoami(&scene.reached).layer(mode.layer(scene.bearer()));
        for sent in [Sent::Nothing, Sent::Bad, Sent::Malformed, Sent::Undecidable] {
            let planted = scene
                .request(Method::GET, "/", sent)
                .signed_in_as(caller("mallory"));
            let answer = send(&service, planted).await;
            assert!(!answer.status().is_success(), "{mode:?} {sent:?}");
            assert_eq!(scene.reached.take(), 0);
        }
        let planted = scene
            .request(Method::GET, "/", Sent::Good)
            .signed_in_as(caller("mallory"));
        assert_eq!(send(&service, planted).await.body(), "alice");
        scene.reached.take();
    }
}

/// Two requests wait for their checks in one service, which end in the other order: everybody is who they are.
#[tokio::test]
async fn requests_that_wait_together_are_not_mixed_up() {
    for mode in Mode::ALL {
        let checks = Checks::new();
        let reached = Reached::default();
        let service = mode.layer(keys(&checks)).layer(whoami(&reached));
        let mut shared = service.clone();
        let mut waiting = Vec::new();
        for key in ["slow-alice", "slow-bob"] {
            let ready = ServiceExt::<Request<Body>>::ready(&mut shared).await;
            waiting.push((ready.expect("ready").call(with_key(key)).boxed(), key));
        }
        waiting.push((service.oneshot(with_key("slow-carol")).boxed(), "slow-carol"));
        for (answer, _) in &mut waiting {
            assert!(answer.now_or_never().is_none());
        }
        checks.open();
        for (answer, expected) in waiting.into_iter().rev() {
            let answer = answer.await.expect("infallible");
            assert_eq!(collect(answer).await, expected, "{mode:?}");
        }
        assert_eq!(reached.take(), 3);
    }
}

/// Whoever hangs up while the check goes on has not reached the handler, and takes nobody along.
#[tokio::test]
async fn a_request_that_is_dropped_half_way_reaches_nothing() {
    for mode in Mode::ALL {
        let checks = Checks::new();
        let reached = Reached::default();
        let service = mode.layer(keys(&checks)).layer(whoami(&reached));
        for _ in 0..3 {
            let mut dropped = service.clone().oneshot(with_key("slow-alice")).boxed();
            assert!((&mut dropped).now_or_never().is_none());
        }
        checks.open();
        tokio::task::yield_now().await;
        assert_eq!(reached.take(), 0, "{mode:?}");
        let answer = service.oneshot(with_key("slow-bob")).await.expect("infallible");
        assert_eq!(collect(answer).await, "slow-bob");
    }
}

/// A future that is polled after it was ready runs nothing a second time.
#[tokio::test]
async fn polling_after_the_answer_asks_nobody_again() {
    let reached = Reached::default();
    let inner = Fused(reached.clone());
    let mut cx = Context::from_waker(Waker::noop());
    for mode in Mode::ALL {
        for (key, times) in [("alice", 1), ("", 0)] {
            let checks = Checks::new();
            let mut service = mode
                .layer(keys(&checks))
                .layer(AuthorizeLayer::needs::<portcullis_core::SignedIn>().layer(inner.clone()));
            let sent = match key {
                "" => request(Method::GET, "/", &[]),
                key => with_key(key),
            };
            let mut answer = pin!(service.ready().await.expect("ready").call(sent));
            assert!(answer.as_mut().poll(&mut cx).is_ready(), "{mode:?}");
            for _ in 0..3 {
                assert!(answer.as_mut().poll(&mut cx).is_pending(), "{mode:?}");
            }
            assert_eq!((reached.take(), checks.started()), (times, times), "{mode:?}");
        }
    }
}

/// A service whose futures stay pending after they were ready, and which must be polled ready.
#[derive(Clone)]
struct Fused(Reached);

impl Service<Request<Body>> for Fused {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = futures_util::future::Fuse<Ready<Result<Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        self.0.count();
        ready(Ok(Response::new(Body::empty()))).fuse()
    }
}

/// R5: `call` without `poll_ready` is the caller's fault; what stands inside notices, and nothing is let through.
#[tokio::test]
async fn a_call_that_was_never_ready_reaches_nothing() {
    for mode in Mode::ALL {
        for key in ["alice", "slow-alice"] {
            let checks = Checks::new();
            let reached = Reached::default();
            let limited = ConcurrencyLimitLayer::new(1).layer(Fused(reached.clone()));
            let mut service = mode.layer(keys(&checks)).layer(limited);
            checks.open();
            let called = std::panic::AssertUnwindSafe(async { service.call(with_key(key)).await });
            let panicked = called.catch_unwind().await;
            assert!(panicked.is_err(), "{mode:?} {key}: the limit notices");
            assert_eq!(reached.take(), 0);
        }
    }
}

/// A hundred tasks ask at once: one check, and everybody hears the same.
#[tokio::test]
async fn tasks_that_share_an_undecided_request_get_one_verdict() {
    let checks = Checks::new();
    let app = Router::new()
        .route(
            "/",
            get(|request: Request<Body>| async move {
                let outcome = Outcome::<Principal>::of(request.extensions()).expect("a layer");
                let tasks: Vec<_> = (0..100).map(|_| tokio::spawn(outcome.decide())).collect();
                // Half of them hang up after they have begun.
                tokio::task::yield_now().await;
                let mut names = Vec::new();
                for (index, task) in tasks.into_iter().enumerate() {
                    if index % 2 == 0 {
                        task.abort();
                    } else {
                        let found = task.await.expect("no panic").expect("no refusal");
                        names.push(found.map_or_else(String::new, |caller| name(&caller)));
                    }
                }
                names.dedup();
                names.join(",")
            }),
        )
        .layer(Mode::OnDemand.layer(keys(&checks)));
    let asking = tokio::spawn({
        let app = app.clone();
        async move { send(&app, with_key("slow-alice")).await }
    });
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    checks.open();
    let answer = asking.await.expect("no panic");
    assert_eq!(answer.body(), "slow-alice");
    assert_eq!(checks.started(), 1);
    assert_eq!(answer.headers()[VARY], "x-key");
}

/// Until somebody has asked, an undecided request says nothing about its caller; elsewhere the verdict is there.
#[tokio::test]
async fn looking_without_asking_shows_nobody() {
    let checks = Checks::new();
    for mode in Mode::ALL {
        let app = Router::new()
            .route(
                "/",
                get(|request: Request<Body>| async move {
                    let outcome = Outcome::<Principal>::of(request.extensions()).expect("a layer");
                    match outcome.now() {
                        Some(Ok(Some(caller))) => name(&caller),
                        Some(Ok(None)) => "anonymous".to_owned(),
                        Some(Err(_)) => "refused".to_owned(),
                        None => "undecided".to_owned(),
                    }
                }),
            )
            .layer(mode.layer(keys(&checks)));
        let answer = send(&app, with_key("alice")).await;
        let expected = if mode == Mode::OnDemand {
            "undecided"
        } else {
            "alice"
        };
        assert_eq!(answer.body(), expected, "{mode:?}");
        // What nobody asked about depends on nothing.
        assert_eq!(answer.headers().contains_key(VARY), mode != Mode::OnDemand);
    }
}

/// The refusals that the two layers make up reach no handler even when the answer is never collected.
#[tokio::test]
async fn a_refusal_is_there_before_its_body_is_read() {
    let scene = Scene::new();
    let service = whoami(&scene.reached).layer(Mode::Required.layer(scene.bearer()));
    let mut answer = service
        .oneshot(scene.request(Method::GET, "/", Sent::Bad))
        .boxed();
    let answer = poll_fn(|cx| Pin::new(&mut answer).poll(cx))
        .await
        .expect("infallible");
    let (head, body) = answer.into_parts();
    drop(body);
    assert_refused(
        &Response::from_parts(head, Bytes::new()),
        AuthErrorKind::InvalidCredentials,
    );
    assert_eq!(scene.reached.take(), 0);
}
