//! Sessions as a method of authentication, alone and behind the layer.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use portcullis_core::{AuthenticateRequest, Method, Outcome, Presence, Principal, Roles, Scopes};
use portcullis_session::{Session, SessionHandle};
use portcullis_test::{assert_challenge, assert_no_challenge, assert_status, assert_vary};
use portcullis_tower::AuthenticateLayer;
use support::{House, get, house, is_deleted, sign_in_of};
use tower::{ServiceBuilder, ServiceExt, service_fn};

async fn call(house: &House, with_layer: bool, mode: &str, request: Request<()>) -> Response<Bytes> {
    let method = house.sessions.method();
    let auth = match mode {
        "required" => AuthenticateLayer::required(method),
        "optional" => AuthenticateLayer::optional(method),
        _ => AuthenticateLayer::on_demand(method),
    };
    let handler = service_fn(move |request: Request<()>| async move {
        if request.uri().path() == "/public" {
            return Ok::<_, Infallible>(Response::new(Bytes::from("public")));
        }
        if let Ok(session) = Session::of(request.extensions()) {
            let _ = session.get::<u32>("a").await;
        }
        let outcome = Outcome::<Principal>::of(request.extensions())
            .expect("decided")
            .clone();
        Ok(match outcome.require().await {
            Ok(caller) => Response::new(Bytes::from(caller.principal().subject().to_owned())),
            Err(error) => portcullis_tower::response::refuse(error),
        })
    });
    let layer = with_layer.then(|| house.layer.clone());
    let app = ServiceBuilder::new()
        .option_layer(layer)
        .layer(auth)
        .service(handler);
    app.oneshot(request).await.expect("infallible").map(|body| body)
}

#[tokio::test]
async fn whoever_signed_in_is_the_caller_and_the_session_is_loaded_once() {
    for at_once in [false, true] {
        let house = house();
        if at_once {
            house.store.answer_at_once();
        }
        let cookie = house.sign_in(sign_in_of("alice")).await;
        for with_layer in [true, false] {
            for mode in ["required", "optional", "on_demand"] {
                house.store.calls();
                let answer = call(&house, with_layer, mode, get(&[&cookie])).await;
                assert_status(&answer, 200);
                assert_eq!(answer.body(), "alice");
                assert_eq!(house.store.calls(), ["load"], "{with_layer} {mode}");
                assert_vary(&answer, "cookie");
            }
        }
    }
}

/// SE5: stale cookies are anonymous; the layer outside has the browser forget them.
#[tokio::test]
async fn a_session_that_is_not_there_is_401_without_an_error_code_and_its_cookie_goes() {
    let house = house();
    let stale = house.sign_in(sign_in_of("alice")).await;
    let out = |session: Session| async move { Ok(session.sign_out().await?) };
    house.ask(get(&[&stale]), out).await;
    let unknown = format!("__Host-session={}", "A".repeat(43));
    for cookie in [stale.as_str(), &unknown, "__Host-session=x"] {
        for mode in ["required", "on_demand"] {
            let answer = call(&house, true, mode, get(&[cookie])).await;
            assert_status(&answer, 401);
            assert_challenge(&answer, "Cookie")
                .has("realm", "api")
                .has("cookie-name", "__Host-session")
                .lacks("error");
            assert!(is_deleted(&answer), "{cookie} {mode}");
        }
    }
    let nobody = call(&house, true, "required", get(&[])).await;
    assert_status(&nobody, 401);
    assert!(!nobody.headers().contains_key("set-cookie"));
}

/// A session of nobody is no credential, and is not thrown away either.
#[tokio::test]
async fn a_session_of_nobody_is_anonymous_and_stays() {
    let house = house();
    let put = |session: Session| async move { Ok(session.insert("a", &1).await?) };
    let cookie = support::set_cookie(&house.ask(get(&[]), put).await).expect("a cookie");
    let answer = call(&house, true, "required", get(&[&cookie])).await;
    assert_status(&answer, 401);
    assert!(!answer.headers().contains_key("set-cookie"));
}

/// T-ERR-1, SE18: an outage is 503 where somebody has to be signed in, and nothing elsewhere.
#[tokio::test]
async fn t_err_1_an_outage_is_503_on_guarded_places_and_public_ones_are_served() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    house.store.fail(&["load"]);
    for mode in ["required", "optional", "on_demand"] {
        let answer = call(&house, true, mode, get(&[&cookie])).await;
        assert_status(&answer, 503);
        assert_no_challenge(&answer);
        assert!(
            !answer.headers().contains_key("set-cookie"),
            "the cookie may be good"
        );
    }
    let mut public = get(&[&cookie]);
    *public.uri_mut() = "/public".parse().expect("a path");
    let answer = call(&house, true, "on_demand", public).await;
    assert_status(&answer, 200);
    assert_eq!(answer.body(), "public");
    house.store.fail(&[]);
    assert_status(&call(&house, true, "required", get(&[&cookie])).await, 200);
}

#[tokio::test]
async fn the_evidence_is_that_of_the_sign_in() {
    let house = house();
    let sign_in = sign_in_of("alice")
        .acr("gold")
        .scopes(Scopes::parse("documents:read documents:delete").expect("scopes"))
        .roles(Roles::from_iter(["admin"]));
    let cookie = house.sign_in(sign_in).await;
    house.advance(30);
    let method = house.sessions.method();
    let (parts, ()) = get(&[&cookie]).into_parts();
    assert!(matches!(method.presence(&parts), Presence::Present(_)));
    let caller = method
        .authenticate_request(&parts)
        .await
        .expect("no outage")
        .expect("somebody");
    assert_eq!(caller.method(), Method::SESSION);
    assert_eq!(caller.principal().subject(), "alice");
    assert!(caller.is_ambient());
    let at = |seconds| portcullis_core::Timestamp::from_unix_seconds(support::START + seconds);
    assert_eq!(caller.authenticated_at(), Some(at(0)));
    assert_eq!(caller.checked_at(), Some(at(30)));
    assert_eq!(caller.expires_at(), Some(at(24 * 3600)));
    assert_eq!(caller.acr(), Some("gold"));
    assert_eq!(caller.factors().first().map(|factor| factor.name()), Some("pwd"));
    assert!(caller.scopes().contains("documents:delete") && caller.roles().contains("admin"));
    let listed = house.sessions.list(caller.principal()).await.expect("listed");
    assert_eq!(caller.details::<SessionHandle>(), Some(&listed[0].handle()));
}

#[tokio::test]
async fn the_application_loads_its_own_user() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    for (known, expected) in [(true, Some("Alice")), (false, None)] {
        let method = house.sessions.method().load(move |who: Principal| async move {
            assert_eq!(who.subject(), "alice");
            Ok::<_, Infallible>(known.then_some("Alice"))
        });
        let (parts, ()) = get(&[&cookie]).into_parts();
        let caller = method.authenticate_request(&parts).await.expect("no outage");
        assert_eq!(caller.map(|caller| *caller.principal()), expected);
    }
}

/// The session of another `Sessions` is not taken for one's own.
#[tokio::test]
async fn two_kinds_of_sessions_do_not_mix() {
    let (house, other) = (house(), house());
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let mixed = House {
        layer: other.layer.clone(),
        ..house.clone()
    };
    assert_status(&call(&mixed, true, "required", get(&[&cookie])).await, 200);
    assert_status(&call(&other, true, "required", get(&[&cookie])).await, 401);
}

#[tokio::test]
async fn a_handler_without_the_layer_gets_500() {
    let request = get(&[]);
    let error = Session::of(request.extensions()).expect_err("no layer");
    assert_eq!(error.status(), 500);
}

/// The layer calls the instance that was polled ready.
#[tokio::test]
async fn the_layer_works_behind_a_concurrency_limit() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let app = ServiceBuilder::new()
        .layer(house.layer.clone())
        .concurrency_limit(1)
        .service(service_fn(|request: Request<()>| async move {
            let session = Session::of(request.extensions()).expect("a layer");
            session.insert("a", &1).await.expect("kept");
            Ok::<_, Infallible>(Response::new(Bytes::new()))
        }));
    for _ in 0..3 {
        let answer = app.clone().oneshot(get(&[&cookie])).await.expect("infallible");
        assert_status(&answer, 200);
    }
}
