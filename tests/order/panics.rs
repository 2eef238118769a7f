//! Methods and policies that panic.

use std::future::{Ready, ready};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::request::Parts;
use http::{Method, Request};
use portcullis_axum::AuthRejection;
use portcullis_core::{
    AuthError, AuthenticateRequest, Authentication, Challenges, Decision, Outcome, Presence, Principal,
};
use portcullis_tower::AuthorizeLayer;
use tower_http::catch_panic::CatchPanicLayer;

use crate::keys::{Checks, keys, whoami, with_key};
use crate::support::{Mode, Reached, Scene, Sent};
use crate::wire::{Log, send};

/// A panic in a check is a 500 where panics are caught, and reaches nothing, wherever they are caught.
#[tokio::test]
async fn a_check_that_panics_lets_nobody_through() {
    for mode in Mode::ALL {
        for key in ["panic", "panic-at-once"] {
            let checks = Checks::new();
            let reached = Reached::default();
            let caught_outside = whoami(&reached)
                .layer(mode.layer(keys(&checks)))
                .layer(CatchPanicLayer::new());
            let answer = send(&caught_outside, with_key(key)).await;
            assert_eq!(
                (answer.status().as_u16(), reached.take()),
                (500, 0),
                "{mode:?} {key}"
            );

            // Nothing catches it but the task: the connection ends.
            let bare = whoami(&reached).layer(mode.layer(keys(&checks)));
            let task = tokio::spawn(async move { send(&bare, with_key(key)).await.status() });
            let ended = task.await;
            assert!(
                !ended.as_ref().is_ok_and(http::StatusCode::is_success),
                "{mode:?} {key}: {ended:?}"
            );
            assert_eq!(reached.take(), 0);
        }
    }
}

/// On demand the check runs inside the application: a panic that is caught there is not thrown a second time by
/// the layer outside.
#[tokio::test]
async fn a_panic_that_was_caught_inside_stays_caught() {
    for key in ["panic", "panic-at-once"] {
        let checks = Checks::new();
        let reached = Reached::default();
        let (log, _guard) = Log::capture();
        let caught_inside = whoami(&reached)
            .layer(CatchPanicLayer::new())
            .layer(Mode::OnDemand.layer(keys(&checks)));
        let answer = send(&caught_inside, with_key(key)).await;
        assert_eq!((answer.status().as_u16(), reached.take()), (500, 0), "{key}");
        assert!(log.text().contains("check_panicked"), "{}", log.text());
    }
}

/// A task that asks for the sake of a log line does not spoil the answer when the check panics, nor does it for
/// those who ask after it: they are refused.
#[tokio::test]
async fn whoever_asks_after_a_panic_is_refused_and_whoever_does_not_is_served() {
    for (ask, status) in [(false, 200), (true, 500)] {
        let checks = Checks::new();
        let app = Router::new()
            .route(
                "/",
                get(move |request: Request<Body>| async move {
                    let outcome = Outcome::<Principal>::of(request.extensions()).expect("a layer");
                    let logging = tokio::spawn(outcome.decide());
                    let _ = logging.await;
                    let shown = format!("{outcome:?}");
                    if ask {
                        outcome.require().await.map_err(AuthRejection::from)?;
                    }
                    Ok::<_, AuthRejection>(shown)
                }),
            )
            .layer(CatchPanicLayer::new())
            .layer(Mode::OnDemand.layer(keys(&checks)));
        let answer = send(&app, with_key("panic")).await;
        assert_eq!(answer.status(), status);
        assert_eq!(checks.started(), 1);
    }
}

/// A policy that panics, and a method that panics when it is asked what is there.
#[tokio::test]
async fn a_policy_or_a_look_that_panics_lets_nobody_through() {
    struct Clumsy(Challenges);
    impl AuthenticateRequest for Clumsy {
        type Principal = Principal;
        type Future = Ready<Result<Option<Authentication<Principal>>, AuthError>>;

        fn presence(&self, _: &Parts) -> Presence {
            panic!("a bug in the method")
        }

        fn authenticate_request(&self, _: &Parts) -> Self::Future {
            ready(Ok(None))
        }

        fn challenges(&self) -> &Challenges {
            &self.0
        }
    }
    let scene = Scene::new();
    for mode in Mode::ALL {
        let challenges = scene.bearer().challenges().clone();
        let clumsy = whoami(&scene.reached)
            .layer(mode.layer(Clumsy(challenges)))
            .layer(CatchPanicLayer::new());
        let policy = AuthorizeLayer::policy(|_: &Authentication<Principal>, (): &()| -> Decision {
            panic!("a bug in the policy")
        });
        let judged = whoami(&scene.reached)
            .layer(policy)
            .layer(mode.layer(scene.bearer()))
            .layer(CatchPanicLayer::new());
        for service in [clumsy, judged] {
            let answer = send(&service, scene.request(Method::GET, "/", Sent::Good)).await;
            assert_eq!(
                (answer.status().as_u16(), scene.reached.take()),
                (500, 0),
                "{mode:?}"
            );
        }
    }
}
