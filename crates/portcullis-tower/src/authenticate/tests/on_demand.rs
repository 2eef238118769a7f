use http::header::{HOST, ORIGIN};
use portcullis_core::{Method, Secret, authenticate_fn, place};
use tower::service_fn;

use super::*;
use crate::response::refuse;

/// Asks for the caller this many times, and answers as an extractor would.
async fn asking(
    layer: &AuthenticateLayer<impl AuthenticateRequest<Principal = &'static str>>,
    request: Request<()>,
    times: usize,
) -> Response<Bytes> {
    let inner = service_fn(move |request: Request<()>| async move {
        let outcome = Outcome::<&'static str>::of(request.extensions()).expect("an outcome");
        let mut answer = Response::new(Bytes::from("nobody asked"));
        for _ in 0..times {
            answer = match outcome.decide().await {
                Ok(Some(caller)) => Response::new(Bytes::from(*caller.principal())),
                Ok(None) => Response::new(Bytes::from("anonymous")),
                Err(error) => refuse(error),
            };
        }
        Ok::<_, Infallible>(answer)
    });
    layer.layer(inner).oneshot(request).await.expect("infallible")
}

const CREDENTIALS: [&str; 6] = ["good", "slow", "bad", "garbage", "down", "stale"];

/// T-ERR-1: public pages are served whatever was sent and whatever is down.
#[tokio::test]
async fn what_nobody_asks_about_is_neither_checked_nor_refused() {
    for (method, header) in [(session(), COOKIE), (bearer(), AUTHORIZATION)] {
        let checks = Arc::clone(&method.checks);
        let layer = AuthenticateLayer::on_demand(method);
        for credentials in CREDENTIALS {
            let sent = request("POST", &[(header.clone(), credentials)]);
            let response = asking(&layer, sent, 0).await;
            assert_eq!(response.body(), "nobody asked", "{credentials}");
            assert!(response.headers().is_empty(), "the answer depends on nothing");
        }
        assert_eq!(asking(&layer, request("GET", &[]), 0).await.status(), 200);
        assert_eq!(checks.load(Ordering::SeqCst), 0);
    }
}

/// B3, B18
#[tokio::test]
async fn whoever_asks_gets_the_verdict_that_an_optional_layer_would_have_given() {
    let own = (HeaderName::from_static("sec-fetch-site"), "same-origin");
    for credentials in CREDENTIALS {
        for (header, ambient) in [(COOKIE, true), (AUTHORIZATION, false)] {
            let method = || if ambient { session() } else { bearer() };
            let sent = || request("POST", &[(header.clone(), credentials), own.clone()]);
            let on_demand = asking(&AuthenticateLayer::on_demand(method()), sent(), 1).await;
            let optional = send(&AuthenticateLayer::optional(method()), sent()).await;
            assert_eq!(on_demand.status(), optional.status(), "{credentials} {ambient}");
            assert_eq!(on_demand.headers(), optional.headers(), "{credentials} {ambient}");
            assert_eq!(on_demand.body(), optional.body(), "{credentials} {ambient}");
        }
    }
    let anonymous = asking(&AuthenticateLayer::on_demand(bearer()), request("GET", &[]), 1).await;
    assert_eq!(anonymous.body(), "anonymous");
    assert_eq!(anonymous.headers()[VARY], "authorization");
}

#[tokio::test]
async fn however_often_it_is_asked_it_is_checked_once_and_effects_are_applied_once() {
    for credentials in ["good", "slow", "down"] {
        let method = session();
        let checks = Arc::clone(&method.checks);
        let sent = request("GET", &[(COOKIE, credentials)]);
        let response = asking(&AuthenticateLayer::on_demand(method), sent, 3).await;
        assert_eq!(checks.load(Ordering::SeqCst), 1, "{credentials}");
        let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().collect();
        assert_eq!(cookies, ["renewed=1"], "{credentials}");
    }
}

/// CS14: the identity behind a forged request is never handed out.
#[tokio::test]
async fn a_forged_request_is_refused_when_somebody_asks_and_never_verified() {
    let cross = [(HOST, "app.example"), (ORIGIN, "https://evil.example")];
    let method = session();
    let checks = Arc::clone(&method.checks);
    let layer = AuthenticateLayer::on_demand(method);
    let forged = || request("POST", &[&cross[..], &[(COOKIE, "good")]].concat());
    assert_eq!(asking(&layer, forged(), 0).await.status(), 200);
    let response = asking(&layer, forged(), 1).await;
    assert_eq!(response.status(), 403);
    assert_eq!(checks.load(Ordering::SeqCst), 0);
    let own = [
        (HOST, "app.example"),
        (ORIGIN, "https://app.example"),
        (COOKIE, "good"),
    ];
    assert_eq!(asking(&layer, request("POST", &own), 1).await.body(), "alice");
}

/// What a layer in between does to the head changes nothing: the request is judged as it came in.
#[tokio::test]
async fn the_request_is_judged_as_it_was_at_the_layer() {
    let swap = |value: Option<&'static str>| {
        tower::util::MapRequestLayer::new(move |mut request: Request<()>| {
            request.headers_mut().remove(COOKIE);
            if let Some(value) = value {
                request
                    .headers_mut()
                    .insert(COOKIE, HeaderValue::from_static(value));
            }
            request
        })
    };
    for (sent, swapped, expected) in [
        (Some("good"), None, "alice"),
        (Some("stale"), Some("good"), "anonymous"),
        (None, Some("good"), "anonymous"),
    ] {
        let inner = service_fn(|request: Request<()>| async move {
            let outcome = Outcome::<&'static str>::of(request.extensions()).expect("an outcome");
            let caller = outcome.decide().await.expect("no refusal");
            let name = caller.map_or("anonymous", |caller| caller.principal());
            Ok::<_, Infallible>(Response::new(Bytes::from(name)))
        });
        let layer = AuthenticateLayer::on_demand(session());
        let headers: Vec<_> = sent.into_iter().map(|value| (COOKIE, value)).collect();
        let service = layer.layer(swap(swapped).layer(inner));
        let response = service
            .oneshot(request("GET", &headers))
            .await
            .expect("infallible");
        assert_eq!(response.body(), expected);
    }
}

/// R5
#[tokio::test]
async fn on_demand_the_ready_instance_is_called() {
    let limited = ConcurrencyLimitLayer::new(1).layer(strict());
    let mut service = AuthenticateLayer::on_demand(session()).layer(limited);
    for _ in 0..3 {
        let ready = service.ready().await.expect("ready");
        let response = ready.call(request("GET", &[(COOKIE, "slow")])).await;
        assert_eq!(response.expect("infallible").body(), "undecided");
    }
}

/// A check that panics is a fault for whoever asks, and the layer, which looks at the verdict on the way out, goes
/// on answering.
#[tokio::test]
async fn a_check_that_panics_is_a_500_and_no_more() {
    async fn panics(value: Secret<String>) -> Result<Option<Authentication<&'static str>>, AuthError> {
        if value.expose() == "good" {
            return Ok(Some(Authentication::assertion("alice", Method::new("test"))));
        }
        panic!("in the check");
    }
    let header = HeaderName::from_static("x-internal");
    let place = place::header(header.as_str()).expect("a place");
    let layer = AuthenticateLayer::on_demand(authenticate_fn(place, panics));
    for (value, times, status) in [
        ("good", 2, 200),
        ("bad", 0, 200),
        ("bad", 1, 500),
        ("bad", 2, 500),
    ] {
        let response = asking(&layer, request("GET", &[(header.clone(), value)]), times).await;
        assert_eq!(response.status(), status, "{value} {times}");
    }
}
