//! Handlers that ask late, or give up asking.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, VARY};
use http::{Method, Request};
use portcullis_core::{Outcome, Principal};

use crate::keys::{Checks, keys, name, with_key};
use crate::support::{Mode, Scene};
use crate::wire::{request, send};

/// T-CACHE-1: an answer whose body asks who is there only after its head went out: the head says what it depends on all
/// the same, or a cache would hand it to everybody.
#[tokio::test]
async fn an_answer_that_asks_late_is_not_for_everybody() {
    let scene = Scene::new();
    for cookie in [true, false] {
        let streamed = |request: Request<Body>| async move {
            let outcome = Outcome::<Principal>::of(request.extensions())
                .expect("a layer")
                .clone();
            let late = async move {
                let caller = outcome.decide().await.expect("no refusal");
                Ok::<_, Infallible>(caller.map_or_else(|| "nobody".to_owned(), |caller| name(&caller)))
            };
            Body::from_stream(late.into_stream())
        };
        let method = if cookie { scene.cookie() } else { scene.bearer() };
        let app = Router::new()
            .route("/", get(streamed))
            .layer(Mode::OnDemand.layer(method));
        let token = scene.token("alice");
        let alice = match cookie {
            true => ("cookie", format!("token={token}")),
            false => ("authorization", format!("Bearer {token}")),
        };
        for (headers, name, private) in [
            (vec![(alice.0, alice.1.as_str())], "alice", cookie),
            (vec![], "nobody", false),
        ] {
            let answer = send(&app, request(Method::GET, "/", &headers)).await;
            assert_eq!(answer.body(), name);
            let vary = answer.headers().get_all(VARY).iter();
            let vary: Vec<_> = vary.map(|value| value.to_str().expect("ascii")).collect();
            assert!(vary.join(",").contains(alice.0), "{name}: {vary:?}");
            let said = answer.headers().get(CACHE_CONTROL);
            assert_eq!(said.is_some_and(|said| said == "private"), private, "{name}");
        }
    }
}

/// A handler that loses patience with the check has no verdict, and nobody's name to show.
#[tokio::test(start_paused = true)]
async fn an_answer_that_gave_up_asking_is_not_a_verdict() {
    let checks = Checks::new();
    let impatient = |request: Request<Body>| async move {
        let outcome = Outcome::<Principal>::of(request.extensions()).expect("a layer");
        let asked = tokio::time::timeout(Duration::from_secs(1), outcome.require()).await;
        assert!(outcome.now().is_none(), "no verdict yet");
        match asked {
            Ok(Ok(caller)) => name(&caller),
            Ok(Err(_)) => "refused".to_owned(),
            Err(_) => "impatient".to_owned(),
        }
    };
    let app = Router::new()
        .route("/", get(impatient))
        .layer(Mode::OnDemand.layer(keys(&checks)));
    let answer = send(&app, with_key("slow-alice")).await;
    assert_eq!(answer.body(), "impatient");
}
