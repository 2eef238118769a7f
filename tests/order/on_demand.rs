//! Public pages beside guarded ones, with a layer that decides when it is asked.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use http::header::{CACHE_CONTROL, VARY};
use http::{Method, Response};
use portcullis_axum::{Authenticated, Authorized};
use portcullis_core::{
    AuthError, AuthErrorKind, Authentication, HasRole, Method as By, Principal, Secret, SignedIn,
    authenticate_fn, place,
};
use portcullis_test::{assert_private, assert_refused, assert_status};
use portcullis_tower::{AuthenticateLayer, AuthorizeLayer, RefusalLayer, SignInRedirect};

use crate::support::{Reached, Scene};
use crate::wire::{Admin, request, send};

/// A shop: two public pages, one that greets who is signed in, and guarded ones.
fn shop(reached: &Reached) -> Router {
    async fn account(caller: Authenticated) -> String {
        caller.principal().subject().to_owned()
    }
    async fn greeting(caller: Option<Authenticated>) -> String {
        caller.map_or_else(
            || "hello".to_owned(),
            |caller| format!("hello, {}", caller.principal().subject()),
        )
    }
    async fn admin(_: Authorized<HasRole<Admin>>) -> &'static str {
        "admin"
    }
    let orders = Router::new()
        .route("/orders", get(|| async { "orders" }))
        .route_layer(AuthorizeLayer::needs::<SignedIn>());
    let reached = reached.clone();
    Router::new()
        .route("/", get(|| async { "front page" }))
        .route(
            "/sign-in",
            get(|| async { "sign-in page" }).post(move || {
                reached.count();
                async { "welcome" }
            }),
        )
        .route("/greeting", get(greeting))
        .route("/account", get(account).post(account))
        .route("/admin", post(admin))
        .merge(orders)
}

/// A session by cookie: `alice`, `stale` (nobody), `bad` and `down`.
pub(crate) fn session() -> impl portcullis_core::AuthenticateRequest<Principal = Principal> {
    authenticate_fn(
        place::cookie("id").expect("name"),
        |id: Secret<String>| async move {
            match id.expose().as_str() {
                "alice" => {
                    let who = Principal::new("https://shop.test", "alice");
                    Ok(Some(Authentication::assertion(who, By::new("session"))))
                }
                "stale" => Ok(None),
                "down" => Err(AuthError::unavailable("store_down")),
                _ => Err(AuthError::invalid_credentials("bad_session")),
            }
        },
    )
}

fn field(answer: &Response<bytes::Bytes>, name: http::HeaderName) -> Option<&str> {
    let value = answer.headers().get(name)?;
    Some(value.to_str().expect("ascii"))
}

const COOKIES: [Option<&str>; 6] = [
    None,
    Some("id=alice"),
    Some("id=stale"),
    Some("id=bad"),
    Some("id=down"),
    Some("id=1; id=2"),
];

/// T-ERR-1: whatever the cookie, and whatever is down, public pages and the sign-in page are there, and may be kept
/// by any cache: they depend on nobody.
#[tokio::test]
async fn public_pages_are_there_for_everybody_and_depend_on_nobody() {
    let reached = Reached::default();
    let service = shop(&reached).layer(AuthenticateLayer::on_demand(session()));
    for cookie in COOKIES {
        let headers: Vec<_> = cookie.map(|cookie| ("cookie", cookie)).into_iter().collect();
        for (method, uri, body) in [
            (Method::GET, "/", "front page"),
            (Method::GET, "/sign-in", "sign-in page"),
            (Method::POST, "/sign-in", "welcome"),
        ] {
            let answer = send(&service, request(method.clone(), uri, &headers)).await;
            assert_eq!(
                (answer.status().as_u16(), &answer.body()[..]),
                (200, body.as_bytes())
            );
            assert_eq!(field(&answer, VARY), None, "{cookie:?} {uri}");
            assert_eq!(field(&answer, CACHE_CONTROL), None, "{cookie:?} {uri}");
        }
        for (method, uri, status) in [
            (Method::GET, "/nowhere", 404),
            (Method::DELETE, "/account", 405),
            (Method::DELETE, "/orders", 401),
        ] {
            let answer = send(&service, request(method, uri, &headers)).await;
            let demanded = uri == "/orders";
            if demanded {
                assert!(!answer.status().is_success(), "{cookie:?}");
            } else {
                assert_status(&answer, status);
                assert_eq!(field(&answer, VARY), None, "{cookie:?} {uri}");
            }
        }
    }
}

/// The same cookies in the places that ask: each gets its own answer, which says what it depends on.
#[tokio::test]
async fn guarded_pages_answer_each_cookie_properly() {
    use AuthErrorKind::{InvalidCredentials, MissingCredentials, Unavailable};
    let service = shop(&Reached::default()).layer(AuthenticateLayer::on_demand(session()));
    for (cookie, expected) in COOKIES.into_iter().zip([
        Err(MissingCredentials),
        Ok("alice"),
        Err(MissingCredentials),
        Err(InvalidCredentials),
        Err(Unavailable),
        Err(MissingCredentials),
    ]) {
        let headers: Vec<_> = cookie.map(|cookie| ("cookie", cookie)).into_iter().collect();
        for uri in ["/account", "/orders"] {
            let answer = send(&service, request(Method::GET, uri, &headers)).await;
            let vary = field(&answer, VARY).expect("it depends on the cookie");
            assert!(vary.starts_with("cookie"), "{cookie:?} {uri}: {vary}");
            match expected {
                Ok(_) => {
                    assert_status(&answer, 200);
                    assert_private(&answer);
                }
                Err(kind) => {
                    assert_refused(&answer, kind);
                }
            }
        }
        let greeting = send(&service, request(Method::GET, "/greeting", &headers)).await;
        match expected {
            Ok(name) => {
                assert_eq!(greeting.body(), &format!("hello, {name}"));
                assert_private(&greeting);
            }
            Err(MissingCredentials) => {
                assert_eq!(greeting.body(), "hello");
                assert_eq!(field(&greeting, CACHE_CONTROL), None);
            }
            Err(kind) => {
                assert_refused(&greeting, kind);
            }
        }
        assert!(field(&greeting, VARY).is_some_and(|vary| vary.starts_with("cookie")));
    }
}

/// The same with the other two modes: a bad cookie and an outage take the public pages away, which is why there is
/// a third.
#[tokio::test]
async fn the_other_modes_refuse_before_anybody_asks() {
    for (cookie, optional, required) in [
        ("id=alice", 200, 200),
        ("id=stale", 200, 401),
        ("id=bad", 401, 401),
        ("id=down", 503, 503),
    ] {
        for (layer, status) in [
            (AuthenticateLayer::optional(session()), optional),
            (AuthenticateLayer::required(session()), required),
        ] {
            let service = shop(&Reached::default()).layer(layer);
            for uri in ["/", "/sign-in"] {
                let answer = send(&service, request(Method::GET, uri, &[("cookie", cookie)])).await;
                assert_status(&answer, status);
            }
        }
    }
}

/// CS14: a forged request is refused where somebody asks, and is nobody's where nobody does.
#[tokio::test]
async fn a_cross_site_request_acts_for_nobody() {
    let reached = Reached::default();
    let service = shop(&reached).layer(AuthenticateLayer::on_demand(session()));
    let forged = [
        ("cookie", "id=alice"),
        ("host", "shop.test"),
        ("origin", "https://evil.test"),
        ("sec-fetch-site", "cross-site"),
    ];
    for uri in ["/account", "/admin"] {
        let answer = send(&service, request(Method::POST, uri, &forged)).await;
        assert_refused(&answer, AuthErrorKind::Denied);
        let vary = field(&answer, VARY).expect("it depends on the origin");
        assert_eq!(vary, "cookie, origin, sec-fetch-site");
    }
    let answer = send(&service, request(Method::POST, "/sign-in", &forged)).await;
    assert_eq!(
        (answer.body().as_ref(), reached.take()),
        (b"welcome".as_slice(), 1)
    );
    let own = [("cookie", "id=alice"), ("sec-fetch-site", "same-origin")];
    let answer = send(&service, request(Method::POST, "/account", &own)).await;
    assert_eq!(answer.body(), "alice");
}

/// A person without a session is sent to the sign-in page, which is there; a script is told 401.
#[tokio::test]
async fn somebody_without_a_session_is_sent_to_a_page_that_is_there() {
    let redirect = RefusalLayer::new(SignInRedirect::to("/sign-in").expect("a path"));
    let service = shop(&Reached::default())
        .layer(AuthenticateLayer::on_demand(session()))
        .layer(redirect);
    for cookie in ["", "id=stale", "id=bad"] {
        let headers = [("cookie", cookie), ("sec-fetch-mode", "navigate")];
        let answer = send(&service, request(Method::GET, "/account", &headers)).await;
        assert_status(&answer, 303);
        assert_eq!(field(&answer, CACHE_CONTROL), Some("no-store"));
        let page = answer.headers()["location"].to_str().expect("ascii").to_owned();
        let answer = send(&service, request(Method::GET, &page, &headers)).await;
        assert_eq!(answer.body(), "sign-in page");
        let answer = send(&service, request(Method::GET, "/account", &headers[..1])).await;
        assert_status(&answer, 401);
    }
    // An outage is one: nobody is sent to sign in again.
    let headers = [("cookie", "id=down"), ("sec-fetch-mode", "navigate")];
    let answer = send(&service, request(Method::GET, "/account", &headers)).await;
    assert_refused(&answer, AuthErrorKind::Unavailable);
}

/// Several who ask for one request are told the same, whoever asks first.
#[tokio::test]
async fn a_demand_and_a_handler_hear_one_verdict() {
    async fn both(first: Option<Authenticated>, second: Authenticated, _: Authorized<SignedIn>) -> String {
        let first = first.expect("the same");
        assert!(Arc::ptr_eq(first.shared(), second.shared()), "one verdict");
        second.principal().subject().to_owned()
    }
    let scene = Scene::new();
    let token = format!("Bearer {}", scene.token("alice"));
    let service = Router::new()
        .route("/", get(both))
        .layer(AuthorizeLayer::needs::<SignedIn>())
        .layer(AuthenticateLayer::on_demand(scene.bearer()));
    let answer = send(&service, request(Method::GET, "/", &[("authorization", &token)])).await;
    assert_eq!(answer.body(), "alice");
}
