//! What the layer adds to a handler's own answer, and what it leaves alone.

use axum::Router;
use axum::routing::get;
use http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE, VARY};
use http::{HeaderName, Method, Response};
use portcullis_axum::Authenticated;
use portcullis_core::AuthError;
use portcullis_tower::AuthenticateLayer;

use crate::support::{Scene, bearer_value, request, send};

fn values<B>(response: &Response<B>, name: &HeaderName) -> Vec<String> {
    let values = response.headers().get_all(name).iter();
    values
        .map(|value| value.to_str().expect("ascii").to_owned())
        .collect()
}

fn handler(headers: &'static [(&'static str, &'static str)]) -> Router {
    let answer = move |_: Option<Authenticated>| async move {
        let mut answer = Response::new(axum::body::Body::from("mine"));
        for (name, value) in headers {
            answer.headers_mut().append(*name, value.parse().expect("value"));
        }
        answer
    };
    Router::new().route("/", get(answer))
}

/// H11, H12
#[tokio::test]
async fn what_a_handler_says_about_cookies_and_caches_survives() {
    let scene = Scene::new();
    let own: &[_] = &[
        ("set-cookie", "theme=dark; Path=/"),
        ("set-cookie", "token=fresh; Path=/"),
        ("vary", "accept-encoding, Accept"),
        ("cache-control", "public, max-age=60"),
        ("www-authenticate", "Mine realm=\"x\""),
    ];
    let token = scene.reader().build();
    let by_header = handler(own).layer(AuthenticateLayer::optional(scene.bearer()));
    let cookie = scene.bearer().in_cookie("token").expect("name");
    let by_cookie = handler(own).layer(AuthenticateLayer::optional(cookie));
    for (service, headers, vary) in [
        (&by_header, vec![], "authorization"),
        (
            &by_header,
            vec![("authorization", bearer_value(&token))],
            "authorization",
        ),
        (&by_cookie, vec![], "cookie"),
        (
            &by_cookie,
            vec![("cookie", format!("token={token}"))],
            "cookie, origin, sec-fetch-site",
        ),
    ] {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let response = send(service, request(Method::GET, "/", &headers)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(
            values(&response, &SET_COOKIE),
            ["theme=dark; Path=/", "token=fresh; Path=/"]
        );
        assert_eq!(values(&response, &CACHE_CONTROL), ["public, max-age=60"]);
        let expected = format!("accept-encoding, Accept, {vary}");
        assert_eq!(values(&response, &VARY), [expected]);
        assert_eq!(
            values(&response, &http::header::WWW_AUTHENTICATE),
            ["Mine realm=\"x\""]
        );
    }
}

/// H11, H12: what is cached, and for whom.
#[tokio::test]
async fn an_answer_that_nothing_was_said_about_is_private_unless_authorization_decided() {
    let scene = Scene::new();
    let token = scene.reader().build();
    let by_header = handler(&[]).layer(AuthenticateLayer::optional(scene.bearer()));
    let bearer = bearer_value(&token);
    let response = send(
        &by_header,
        request(Method::GET, "/", &[("authorization", &bearer)]),
    )
    .await;
    assert_eq!(values(&response, &CACHE_CONTROL), [""; 0]);

    let cookie = scene.bearer().in_cookie("token").expect("name");
    let by_cookie = handler(&[]).layer(AuthenticateLayer::optional(cookie));
    let header = format!("token={token}");
    let response = send(
        &by_cookie,
        request(Method::GET, "/", &[(COOKIE.as_str(), &header)]),
    )
    .await;
    assert_eq!(values(&response, &CACHE_CONTROL), ["private"]);

    let starred = handler(&[("vary", "*")]).layer(AuthenticateLayer::optional(scene.bearer()));
    let response = send(&starred, request(Method::GET, "/", &[])).await;
    assert_eq!(values(&response, &VARY), ["*"]);
}

/// H16: the refusal is for layers outside, with its reason; the client sees none of it.
#[tokio::test]
async fn the_reason_travels_in_the_extensions_and_not_on_the_wire() {
    let scene = Scene::new();
    let service = scene.required();
    let expired = bearer_value(&scene.issuer.expired_token().build());
    let response = send(
        &service,
        request(Method::GET, "/me", &[("authorization", &expired)]),
    )
    .await;
    let error = response.extensions().get::<AuthError>().expect("the refusal");
    assert_eq!(error.reason(), "expired");
    let wire = format!("{:?} {:?}", response.headers(), response.body());
    assert!(!wire.contains("expired"), "{wire}");
}
