use std::convert::Infallible;
use std::future::ready;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE, VARY, WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use portcullis_core::{AuthError, Challenge, Challenges, ResponseEffects, ReturnTo, Scheme, StepUp};
use tower::{Layer, ServiceExt, service_fn};

use super::*;
use crate::Grpc;
use crate::response::refuse;

fn challenges() -> Challenges {
    Challenges::new([Challenge::new(Scheme::SESSION).realm("test").expect("realm")]).expect("challenges")
}

fn refusal(error: AuthError) -> Response<Bytes> {
    let mut effects = ResponseEffects::none();
    effects.push(SET_COOKIE, HeaderValue::from_static("id=; Max-Age=0"));
    let mut response = refuse(error.or_challenges(&challenges()).with_effects(&effects));
    response
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("cookie"));
    response
        .headers_mut()
        .insert("x-inside", HeaderValue::from_static("1"));
    response
}

async fn answer(style: impl RefusalStyle, request: Request<()>, answer: Response<Bytes>) -> Response<Bytes> {
    let answer = std::sync::Mutex::new(Some(answer));
    let inner = service_fn(move |_: Request<()>| {
        let answer = answer.lock().expect("lock").take();
        ready(Ok::<_, Infallible>(answer.expect("one request")))
    });
    RefusalLayer::new(style)
        .layer(inner)
        .oneshot(request)
        .await
        .expect("infallible")
}

fn navigation(uri: &str) -> Request<()> {
    Request::get(uri)
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
        .body(())
        .expect("request")
}

fn to_sign_in() -> SignInRedirect {
    SignInRedirect::to("/sign-in").expect("a page")
}

#[tokio::test]
async fn a_navigation_is_sent_to_the_sign_in_page_with_the_way_back() {
    let response = answer(
        to_sign_in(),
        navigation("/a?b=c"),
        refusal(AuthError::missing_credentials()),
    )
    .await;
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()[LOCATION], "/sign-in?return_to=/a%3Fb%3Dc");
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[SET_COOKIE], "id=; Max-Age=0");
    assert_eq!(response.headers()[VARY], "cookie");
    assert_eq!(response.headers()["x-inside"], "1");
    for gone in [WWW_AUTHENTICATE, CONTENT_TYPE] {
        assert!(!response.headers().contains_key(&gone), "{gone}");
    }
    assert!(response.body().is_empty());
    let error = response.extensions().get::<AuthError>().expect("the refusal");
    assert_eq!(error.reason(), "missing_credentials");
}

/// T-PATH-1 for the way back: a target that would lead elsewhere is left out.
#[tokio::test]
async fn a_way_back_that_leads_elsewhere_is_left_out() {
    for uri in ["//evil.example", "//evil.example/a?b", "/\\evil.example"] {
        let Ok(uri) = uri.parse::<http::Uri>() else {
            continue;
        };
        let mut request = navigation("/");
        *request.uri_mut() = uri;
        let response = answer(to_sign_in(), request, refusal(AuthError::missing_credentials())).await;
        assert_eq!(response.headers()[LOCATION], "/sign-in");
    }
    let mut absolute = navigation("/");
    *absolute.uri_mut() = http::Uri::from_static("https://evil.example/a");
    let response = answer(to_sign_in(), absolute, refusal(AuthError::missing_credentials())).await;
    assert_eq!(response.headers()[LOCATION], "/sign-in?return_to=/a");
    let named = to_sign_in().parameter("next").expect("a name");
    let response = answer(named, navigation("/a"), refusal(AuthError::missing_credentials())).await;
    assert_eq!(response.headers()[LOCATION], "/sign-in?next=/a");
}

/// T-PATH-1 for the way back: whatever a server's parser lets through as a target, the answer leads to the
/// sign-in page of this site and brings back to this site.
#[tokio::test]
async fn no_target_however_odd_leads_to_another_site() {
    let long = format!("/{}", "%C3%A9".repeat(340));
    let too_long = format!("/{}", "a".repeat(ReturnTo::MAX_LEN));
    let table = [
        ("/", Some("/")),
        ("/a?", Some("/a%3F")),
        (
            "/caf%C3%A9?q=%2F%2Fevil",
            Some("/caf%25C3%25A9%3Fq%3D%252F%252Fevil"),
        ),
        (
            "/a?next=https://evil.example",
            Some("/a%3Fnext%3Dhttps%3A//evil.example"),
        ),
        (
            "/a?return_to=//evil.example&return_to=x",
            Some("/a%3Freturn_to%3D//evil.example%26return_to%3Dx"),
        ),
        ("http://evil.example", Some("/")),
        ("http://user:secret@evil.example:8080/a", Some("/a")),
        ("http://evil.example//evil.example/a", None),
        ("http://evil.example/.//evil.example", None),
        ("//evil.example", None),
        ("//evil.example/a?b", None),
        ("/..//evil.example", None),
        ("/%2e%2e//evil.example", None),
        ("*", None),
        ("evil.example", Some("/")),
        ("evil.example:443", Some("/")),
        (too_long.as_str(), None),
    ];
    for (target, expected) in table {
        let mut request = navigation("/");
        *request.uri_mut() = target.parse().expect(target);
        let response = answer(to_sign_in(), request, refusal(AuthError::missing_credentials())).await;
        let location = response.headers()[LOCATION].to_str().expect("ASCII");
        let way_back = expected.map_or_else(String::new, |place| format!("?return_to={place}"));
        assert_eq!(location, format!("/sign-in{way_back}"), "{target}");
    }
    // Long and all percent signs: longer still, and one field.
    let response = answer(
        to_sign_in(),
        navigation(&long),
        refusal(AuthError::missing_credentials()),
    )
    .await;
    assert!(response.headers()[LOCATION].len() > ReturnTo::MAX_LEN);
    // Bytes that a parser of targets may or may not take.
    for odd in [
        "/\\evil.example",
        "/\u{e9}",
        "/\t/evil.example",
        "/a b",
        "/<script>",
        "/a\"b",
    ] {
        let Ok(target) = odd.parse() else { continue };
        let mut request = navigation("/");
        *request.uri_mut() = target;
        let response = answer(to_sign_in(), request, refusal(AuthError::missing_credentials())).await;
        let location = response.headers()[LOCATION].to_str().expect("ASCII");
        assert!(
            location == "/sign-in" || location.starts_with("/sign-in?return_to=/"),
            "{location}"
        );
        assert!(!location.contains(['<', '"', '\\', ' ']), "{location}");
    }
}

#[tokio::test]
async fn only_what_signing_in_can_cure_is_redirected() {
    let table = [
        (AuthError::missing_credentials(), 303),
        (AuthError::invalid_credentials("expired"), 303),
        (AuthError::step_up_required(StepUp::new()), 303),
        (AuthError::invalid_request("x"), 400),
        (AuthError::insufficient_scope("x"), 403),
        (AuthError::denied("x"), 403),
        (AuthError::throttled(Duration::from_secs(1)), 429),
        (AuthError::unavailable("x"), 503),
        (AuthError::misconfigured("x"), 500),
    ];
    for (error, status) in table {
        let kind = error.kind();
        let response = answer(to_sign_in(), navigation("/a"), refusal(error)).await;
        assert_eq!(response.status(), status, "{kind:?}");
        assert_eq!(response.headers().contains_key(LOCATION), status == 303);
    }
}

#[tokio::test]
async fn the_sign_in_page_learns_what_a_step_up_asks_for() {
    let step_up = StepUp::new()
        .with_acr_values("phr mfa")
        .with_max_age(Duration::from_secs(300));
    for (target, location) in [
        ("/a", "/sign-in?return_to=/a&acr_values=phr%20mfa&max_age=300"),
        ("//a", "/sign-in?acr_values=phr%20mfa&max_age=300"),
    ] {
        let error = AuthError::step_up_required(step_up.clone());
        let response = answer(to_sign_in(), navigation(target), refusal(error)).await;
        assert_eq!(response.headers()[LOCATION], location);
    }
    let error = AuthError::step_up_required(StepUp::new());
    let response = answer(to_sign_in(), navigation("/a"), refusal(error)).await;
    assert_eq!(response.headers()[LOCATION], "/sign-in?return_to=/a");
}

#[tokio::test]
async fn only_navigations_are_redirected() {
    let request = |method: &str, headers: &[(&str, &str)]| {
        let mut request = Request::builder().method(method).uri("/a");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("request")
    };
    let html = (ACCEPT.as_str(), "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
    let table = [
        (request("GET", &[("sec-fetch-mode", "navigate")]), 303),
        (request("GET", &[html]), 303),
        (request("GET", &[(ACCEPT.as_str(), "Text/HTML;q=0.5")]), 303),
        (request("POST", &[("sec-fetch-mode", "navigate"), html]), 401),
        (request("HEAD", &[("sec-fetch-mode", "navigate")]), 401),
        (request("GET", &[("sec-fetch-mode", "cors"), html]), 401),
        (
            request(
                "GET",
                &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
            ),
            401,
        ),
        (request("GET", &[("sec-fetch-dest", "image"), html]), 401),
        (request("GET", &[(ACCEPT.as_str(), "application/json")]), 401),
        (request("GET", &[(ACCEPT.as_str(), "text/html-fragment")]), 401),
        (
            request("GET", &[(ACCEPT.as_str(), "application/json, text/html; q=0.0")]),
            401,
        ),
        (request("GET", &[(ACCEPT.as_str(), "text/html;q=0.01")]), 303),
        (request("GET", &[]), 401),
    ];
    for (request, status) in table {
        let shown = format!("{} {:?}", request.method(), request.headers());
        let response = answer(to_sign_in(), request, refusal(AuthError::missing_credentials())).await;
        assert_eq!(response.status(), status, "{shown}");
        assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), status == 401);
    }
    let response = answer(
        to_sign_in(),
        navigation("/sign-in?x"),
        refusal(AuthError::missing_credentials()),
    )
    .await;
    assert_eq!(response.status(), 401, "not in circles");
}

#[test]
fn a_sign_in_page_elsewhere_or_with_a_query_is_refused() {
    for page in [
        "",
        "sign-in",
        "https://a.example/",
        "//a.example",
        "/a?b",
        "/a#b",
        "/\\a",
        "/a\"b",
        "/a{b}",
        "/a<b",
    ] {
        assert!(SignInRedirect::to(page).is_err(), "{page}");
    }
    for name in ["", "a b", "a&b", "a=b", "é"] {
        assert!(to_sign_in().parameter(name).is_err(), "{name}");
    }
}

#[tokio::test]
async fn answers_that_are_no_refusals_or_rendered_already_pass_unchanged() {
    let mut unauthorized = Response::new(Bytes::from("mine"));
    *unauthorized.status_mut() = StatusCode::UNAUTHORIZED;
    let mut changed = refusal(AuthError::missing_credentials());
    *changed.status_mut() = StatusCode::IM_A_TEAPOT;
    for (inside, status) in [
        (Response::new(Bytes::from("mine")), 200),
        (unauthorized, 401),
        (changed, 418),
    ] {
        let response = answer(to_sign_in(), navigation("/a"), inside).await;
        assert_eq!(response.status(), status);
        assert!(!response.headers().contains_key(LOCATION));
    }
}

#[tokio::test]
async fn a_style_of_ones_own_keeps_challenges_and_waits_while_the_status_stays() {
    let plain = |keep: bool| {
        move |_: &Parts| {
            Some(Rendering::new(move |error| {
                let mut response = Response::new(Bytes::from(error.to_string()));
                if keep {
                    *response.status_mut() = error.status();
                }
                let headers = response.headers_mut();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
                headers.append(VARY, HeaderValue::from_static("accept"));
                Some(response)
            }))
        }
    };
    let response = answer(
        plain(true),
        navigation("/a"),
        refusal(AuthError::invalid_credentials("x")),
    )
    .await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.body(), "the credentials are not valid");
    assert_eq!(response.headers()[CONTENT_TYPE], "text/plain");
    assert_eq!(
        response.headers()[CACHE_CONTROL],
        "no-store",
        "whatever the style says"
    );
    assert!(response.headers().contains_key(WWW_AUTHENTICATE));
    let vary: Vec<_> = response.headers().get_all(VARY).iter().collect();
    assert_eq!(vary, ["cookie", "accept"]);
    let response = answer(
        plain(true),
        navigation("/a"),
        refusal(AuthError::unavailable("x")),
    )
    .await;
    assert_eq!(response.headers()[RETRY_AFTER], "5");
    let response = answer(
        plain(false),
        navigation("/a"),
        refusal(AuthError::unavailable("x")),
    )
    .await;
    assert!(!response.headers().contains_key(RETRY_AFTER));
}

#[tokio::test]
async fn the_first_style_that_would_render_does() {
    let styles = || (to_sign_in(), Grpc::new());
    let response = answer(
        styles(),
        navigation("/a"),
        refusal(AuthError::missing_credentials()),
    )
    .await;
    assert_eq!(response.status(), 303);
    let response = answer(
        styles(),
        Request::new(()),
        refusal(AuthError::missing_credentials()),
    )
    .await;
    assert_eq!(response.headers()["grpc-status"], "16");
    let twice = answer(Grpc::new(), Request::new(()), response).await;
    assert_eq!(twice.headers().get_all("grpc-status").iter().count(), 1);
}

/// What the answer said about its body does not stay behind.
#[tokio::test]
async fn nothing_is_said_about_a_body_that_was_replaced() {
    let about = [
        "content-digest",
        "content-encoding",
        "content-length",
        "content-location",
        "digest",
        "etag",
        "repr-digest",
        "trailer",
    ];
    let refused = || {
        let mut refused = refusal(AuthError::missing_credentials());
        for name in about {
            refused.headers_mut().insert(name, HeaderValue::from_static("1"));
        }
        refused
    };
    for answer in [
        answer(to_sign_in(), navigation("/a"), refused()).await,
        answer(Grpc::new(), Request::new(()), refused()).await,
    ] {
        for name in about {
            assert!(!answer.headers().contains_key(name), "{name}");
        }
        assert_eq!(answer.headers()["x-inside"], "1");
    }
    let untouched = answer(to_sign_in(), Request::new(()), refused()).await;
    assert!(about.iter().all(|name| untouched.headers().contains_key(*name)));
}

/// H15: the answer to `HEAD` has the head of that to `GET` and no content, whatever the style makes.
#[tokio::test]
async fn a_refused_head_gets_no_content_in_any_style() {
    let plain = |_: &Parts| {
        Some(Rendering::new(|error| {
            let mut response = Response::new(Bytes::from("no"));
            *response.status_mut() = error.status();
            Some(response)
        }))
    };
    for (method, content) in [("GET", "no"), ("HEAD", "")] {
        let request = Request::builder().method(method).body(()).expect("request");
        let response = answer(plain, request, refusal(AuthError::missing_credentials())).await;
        assert_eq!(
            (response.status().as_u16(), response.body().as_ref()),
            (401, content.as_bytes())
        );
        let length = response.headers().get("content-length");
        assert!(length.is_none_or(|length| length == "2") && (method == "GET" || length.is_some()));
    }
}

/// Of two layers the one inside decides: it stands nearer to what it was put around.
#[tokio::test]
async fn what_a_style_inside_has_rendered_stays() {
    let plain = |renders: bool| {
        move |_: &Parts| {
            renders.then(|| {
                Rendering::new(|error| {
                    let mut response = Response::new(Bytes::from("inside"));
                    *response.status_mut() = error.status();
                    Some(response)
                })
            })
        }
    };
    for (renders, request, status, location) in [
        (true, navigation("/a"), 401, false),
        (false, navigation("/a"), 303, true),
        (true, Request::new(()), 401, false),
        (false, Request::new(()), 200, false),
    ] {
        let outside = (to_sign_in(), Grpc::new());
        let kept = request.headers().clone();
        let inside = answer(plain(renders), request, refusal(AuthError::missing_credentials())).await;
        let mut again = navigation("/a");
        *again.headers_mut() = kept;
        let response = answer(outside, again, inside).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers().contains_key(LOCATION), location);
        assert_eq!(response.body() == "inside", renders);
        assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), status != 303);
    }
}
