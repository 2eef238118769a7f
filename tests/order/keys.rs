//! A method whose checks wait, panic or succeed as their key says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use http::{Method, Request, Response};
use portcullis_axum::Authenticated;
use portcullis_core::{
    AuthError, AuthenticateRequest, Authentication, Method as By, Principal, Secret, authenticate_fn, place,
};
use tokio::sync::Semaphore;

use crate::support::Reached;
use crate::wire::request;

/// How a check of [`keys`] went on.
#[derive(Clone)]
pub(crate) struct Checks {
    started: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Checks {
    pub(crate) fn new() -> Self {
        Self {
            started: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        }
    }

    pub(crate) fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    /// Lets all checks end.
    pub(crate) fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }
}

/// `X-Key` is the caller's name. `panic` panics in the check, `panic-at-once` before there is one; who begins
/// with `slow` waits for the gate.
pub(crate) fn keys(checks: &Checks) -> impl AuthenticateRequest<Principal = Principal> + use<> {
    let checks = checks.clone();
    authenticate_fn(
        place::header("x-key").expect("name"),
        move |key: Secret<String>| {
            checks.started.fetch_add(1, Ordering::SeqCst);
            let key = key.expose().to_owned();
            assert!(key != "panic-at-once", "a bug in the method");
            let gate = Arc::clone(&checks.gate);
            async move {
                assert!(key != "panic", "a bug in the method");
                if key.starts_with("slow") {
                    let _open = gate.acquire().await;
                }
                let who = Principal::new("https://keys.test", key.as_str());
                Ok::<_, AuthError>(Some(Authentication::assertion(who, By::new("key"))))
            }
        },
    )
}

pub(crate) fn name(caller: &Authentication<Principal>) -> String {
    caller.principal().subject().to_owned()
}

pub(crate) fn with_key(key: &str) -> Request<Body> {
    request(Method::GET, "/", &[("x-key", key)])
}

/// A router whose handler says who calls.
pub(crate) fn whoami(reached: &Reached) -> Router {
    let reached = reached.clone();
    Router::new().route(
        "/",
        get(move |caller: Authenticated| {
            reached.count();
            async move { name(&caller) }
        }),
    )
}
pub(crate) async fn collect(answer: Response<Body>) -> Bytes {
    axum::body::to_bytes(answer.into_body(), usize::MAX)
        .await
        .expect("a body in memory")
}
