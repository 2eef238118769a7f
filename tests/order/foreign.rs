//! The layers of tower, inside and outside ours, around a service that insists on being asked whether it is ready.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Method, Request, Response};
use portcullis_core::{
    AuthError, AuthenticateRequest, Authentication, Method as By, Principal, Secret, SignedIn,
    authenticate_fn, place,
};
use portcullis_jwt::JwtBearer;
use portcullis_tower::{AuthenticateLayer, AuthorizeLayer};
use tokio::sync::Semaphore;
use tower::layer::layer_fn;
use tower::limit::ConcurrencyLimitLayer;
use tower::retry::Policy;
use tower::util::BoxCloneService;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt};

use crate::support::{Expected, Mode, Need, Reached, Scene, Sent, assert_expected};

type Boxed = BoxCloneService<Request<()>, Response<Bytes>, BoxError>;

/// Must be polled ready before each call, once per call; a copy is not ready.
struct Strict {
    is_ready: bool,
    reached: Reached,
}

impl Strict {
    fn new(reached: &Reached) -> Self {
        Self {
            is_ready: false,
            reached: reached.clone(),
        }
    }
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self::new(&self.reached)
    }
}

impl Service<Request<()>> for Strict {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called without being ready");
        self.reached.count();
        ready(Ok(Response::new(Bytes::from("reached"))))
    }
}

/// Tries a 503 once more.
#[derive(Clone)]
struct OnceMore(u8);

impl<E> Policy<Request<()>, Response<Bytes>, E> for OnceMore {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut Request<()>, answer: &mut Result<Response<Bytes>, E>) -> Option<Ready<()>> {
        let down = answer.as_ref().is_ok_and(|answer| answer.status() == 503);
        self.0 = self.0.checked_sub(u8::from(down))?;
        down.then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<()>) -> Option<Request<()>> {
        Some(request.clone())
    }
}

type Ours<A> = (
    AuthenticateLayer<A>,
    AuthorizeLayer<portcullis_core::Needs<SignedIn>>,
);

fn ours<A: AuthenticateRequest>(mode: Mode, method: A) -> Ours<A> {
    (mode.layer(method), AuthorizeLayer::needs::<SignedIn>())
}

const LONG: Duration = Duration::from_secs(3_600);

/// Each layer of tower inside and outside ours, and all of them on both sides.
fn compositions(mode: Mode, scene: &Scene) -> Vec<(&'static str, Boxed)> {
    let ours = || ours::<JwtBearer>(mode, scene.bearer());
    let strict = || Strict::new(&scene.reached);
    macro_rules! both {
        ($name:literal, $($layer:tt)*) => {[
            (
                concat!($name, " inside"),
                ServiceBuilder::new().boxed_clone().map_err(BoxError::from).layer(ours())$($layer)*.service(strict()),
            ),
            (
                concat!($name, " outside"),
                ServiceBuilder::new().boxed_clone().map_err(BoxError::from)$($layer)*.layer(ours()).service(strict()),
            ),
            (
                concat!($name, " on both sides"),
                ServiceBuilder::new()
                    .boxed_clone()
                    .map_err(BoxError::from)
                    $($layer)*
                    .layer(ours())
                    $($layer)*
                    .service(strict()),
            ),
        ]};
    }
    [
        both!("limit", .concurrency_limit(1)),
        both!("load-shed", .load_shed().concurrency_limit(1)),
        both!("timeout", .timeout(LONG)),
        both!("buffer", .buffer(4)),
        both!("buffer of a limit", .buffer(4).concurrency_limit(1)),
        both!("retry", .retry(OnceMore(1))),
        both!("a boxed copy", .layer(layer_fn(BoxCloneService::new))),
        both!("all", .buffer(4).load_shed().timeout(LONG).retry(OnceMore(1)).concurrency_limit(1)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// R5, R7: the verdict is the same in every composition, request after request through one instance and through
/// copies of it: whoever is refused gives back what was reserved for them.
#[tokio::test]
async fn no_layer_of_tower_changes_a_verdict() {
    let scene = Scene::new();
    for mode in Mode::ALL {
        for (name, mut service) in compositions(mode, &scene) {
            for round in 0..3 {
                for sent in Sent::ALL {
                    let (head, _) = scene.request(Method::GET, "/", sent).into_parts();
                    let asked = Request::from_parts(head, ());
                    let answer = match round {
                        0 => service.clone().oneshot(asked).await,
                        _ => service.ready().await.expect("ready").call(asked).await,
                    };
                    let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
                    let expected = Expected::of(mode.refuses(sent).or_else(|| Need::Caller.refuses(sent)));
                    assert_expected(
                        &answer,
                        &scene.reached,
                        expected,
                        &format!("{name} {mode:?} {sent:?}"),
                    );
                }
            }
        }
    }
}

/// The check waits for the gate; a key `down` cannot be decided.
fn gated(
    gate: &Arc<Semaphore>,
    checks: &Arc<AtomicUsize>,
) -> impl AuthenticateRequest<Principal = Principal> + use<> {
    let (gate, checks) = (Arc::clone(gate), Arc::clone(checks));
    authenticate_fn(
        place::header("x-key").expect("name"),
        move |key: Secret<String>| {
            checks.fetch_add(1, Ordering::SeqCst);
            let (gate, down) = (Arc::clone(&gate), key.expose() == "down");
            async move {
                let _open = gate.acquire().await;
                if down {
                    return Err(AuthError::unavailable("store_down"));
                }
                let who = Principal::new("https://keys.test", "alice");
                Ok(Some(Authentication::assertion(who, By::new("key"))))
            }
        },
    )
}

fn with_key(key: &str) -> Request<()> {
    Request::get("/")
        .header("x-key", key)
        .body(())
        .expect("a request")
}

/// While a check waits, the service inside stays reserved; a caller who goes away gives it back at once.
#[tokio::test]
async fn a_place_in_a_limit_is_given_back_by_those_who_leave() {
    for mode in Mode::ALL {
        let (gate, checks) = (Arc::new(Semaphore::new(0)), Arc::default());
        let reached = Reached::default();
        let service = ServiceBuilder::new()
            .layer(ours(mode, gated(&gate, &checks)))
            .concurrency_limit(1)
            .service(Strict::new(&reached));
        let mut waiting = service.clone().oneshot(with_key("1")).boxed();
        assert!((&mut waiting).now_or_never().is_none());
        let mut second = service.clone();
        assert!(
            second.ready().now_or_never().is_none(),
            "{mode:?}: the only place is taken"
        );
        drop(waiting);
        gate.add_permits(1);
        let answer = second.ready().await.expect("ready").call(with_key("1")).await;
        assert_eq!(
            (answer.expect("infallible").status().as_u16(), reached.take()),
            (200, 1)
        );
    }
}

/// A limit outside ours bounds the checks, too; what is shed reaches neither them nor the service.
#[tokio::test]
async fn what_is_shed_outside_is_neither_checked_nor_served() {
    for mode in Mode::ALL {
        let (gate, checks) = (Arc::new(Semaphore::new(0)), Arc::default());
        let reached = Reached::default();
        let service = ServiceBuilder::new()
            .load_shed()
            .concurrency_limit(1)
            .layer(ours(mode, gated(&gate, &checks)))
            .service(Strict::new(&reached));
        let mut waiting = service.clone().oneshot(with_key("1")).boxed();
        assert!((&mut waiting).now_or_never().is_none());
        assert!(service.clone().oneshot(with_key("1")).await.is_err(), "shed");
        assert_eq!(
            (checks.load(Ordering::SeqCst), reached.take()),
            (1, 0),
            "{mode:?}"
        );
        gate.add_permits(1);
        assert_eq!(waiting.await.expect("served").status(), 200);
    }
}

/// Outside, each attempt is decided anew; inside, an attempt is the handler's and the verdict stands.
#[tokio::test]
async fn a_second_attempt_outside_is_a_second_check() {
    for mode in Mode::ALL {
        let gate = Arc::new(Semaphore::new(1));
        let reached = Reached::default();
        for (outside, expected) in [(true, 2), (false, 1)] {
            let checks = Arc::default();
            let layer = ours(mode, gated(&gate, &checks));
            let strict = Strict::new(&reached);
            let service: BoxCloneService<_, _, Infallible> = if outside {
                let builder = ServiceBuilder::new().boxed_clone().retry(OnceMore(1));
                builder.layer(layer).service(strict)
            } else {
                let builder = ServiceBuilder::new().boxed_clone().layer(layer);
                builder.retry(OnceMore(1)).service(strict)
            };
            let answer = service.oneshot(with_key("down")).await.expect("infallible");
            assert_eq!(answer.status(), 503);
            assert_eq!(
                (checks.load(Ordering::SeqCst), reached.take()),
                (expected, 0),
                "{mode:?}"
            );
        }
    }
}

/// Retried between ours: the attempts share one undecided request, and one check.
#[tokio::test]
async fn attempts_inside_share_an_undecided_request() {
    let (gate, checks) = (Arc::new(Semaphore::new(1)), Arc::default());
    let reached = Reached::default();
    let service = ServiceBuilder::new()
        .layer(Mode::OnDemand.layer(gated(&gate, &checks)))
        .retry(OnceMore(1))
        .layer(AuthorizeLayer::needs::<SignedIn>())
        .service(Strict::new(&reached));
    let answer = service
        .clone()
        .oneshot(with_key("down"))
        .await
        .expect("infallible");
    assert_eq!(answer.status(), 503);
    assert_eq!((checks.load(Ordering::SeqCst), reached.take()), (1, 0));
    let answer = service.oneshot(with_key("1")).await.expect("infallible");
    assert_eq!((answer.status().as_u16(), reached.take()), (200, 1));
}

/// Errors of what stands inside pass as they are, and are no refusals; a timeout outside reaches nothing later.
#[tokio::test(start_paused = true)]
async fn errors_pass_as_they_are() {
    for mode in Mode::ALL {
        let (gate, checks) = (Arc::new(Semaphore::new(0)), Arc::default());
        let reached = Reached::default();
        let timeout = Duration::from_secs(1);
        let outside = ServiceBuilder::new()
            .timeout(timeout)
            .layer(ours(mode, gated(&gate, &checks)))
            .service(Strict::new(&reached));
        let error = outside.oneshot(with_key("1")).await.expect_err("too slow");
        assert!(error.is::<tower::timeout::error::Elapsed>(), "{mode:?}");
        gate.add_permits(1);
        tokio::time::sleep(LONG).await;
        assert_eq!(reached.take(), 0);

        let hangs =
            tower::service_fn(|_: Request<()>| std::future::pending::<Result<Response<Bytes>, BoxError>>());
        let inside = ServiceBuilder::new()
            .layer(ours(mode, gated(&gate, &checks)))
            .timeout(timeout)
            .service(hangs);
        let error = inside.oneshot(with_key("1")).await.expect_err("too slow");
        assert!(error.is::<tower::timeout::error::Elapsed>(), "{mode:?}");
    }
}

/// What is not ready inside keeps ours from being ready, and nobody is checked meanwhile.
#[tokio::test]
async fn readiness_is_that_of_what_stands_inside() {
    let (gate, checks) = (Arc::new(Semaphore::new(1)), Arc::default());
    let limit = ConcurrencyLimitLayer::new(0).layer(Strict::new(&Reached::default()));
    for mode in Mode::ALL {
        let mut service = ours(mode, gated(&gate, &checks)).layer(limit.clone());
        assert!(service.ready().now_or_never().is_none());
    }
    assert_eq!(checks.load(Ordering::SeqCst), 0);
}
