use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::Destinations;

/// Answers with what it was given, and remembers what it was asked.
#[derive(Debug)]
struct Script {
    answer: Option<Response<Bytes>>,
    seen: Mutex<Vec<Request<Bytes>>>,
}

impl Script {
    fn answering(answer: Response<Bytes>) -> Self {
        Self {
            answer: Some(answer),
            seen: Mutex::default(),
        }
    }

    fn silent() -> Self {
        Self {
            answer: None,
            seen: Mutex::default(),
        }
    }
}

#[async_trait]
impl Fetch for Script {
    async fn fetch(&self, request: Request<Bytes>, _: &Limits) -> Result<Response<Bytes>, FetchError> {
        self.seen.lock().expect("no test poisons it").push(request);
        match &self.answer {
            Some(answer) => Ok(answer.clone()),
            None => pending().await,
        }
    }
}

fn request(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).expect("a request")
}

fn answer(status: u16, content_type: &str, body: &'static str) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, content_type)
        .body(Bytes::from_static(body.as_bytes()))
        .expect("a response")
}

fn limits() -> Limits {
    Limits::new()
        .with_max_body(8)
        .with_media_types(["application/json"])
}

async fn outcome(answer: Response<Bytes>) -> Result<Response<Bytes>, FetchErrorKind> {
    fetch_within(
        &Script::answering(answer),
        request("https://a.example/"),
        &limits(),
    )
    .await
    .map_err(|error| error.kind())
}

#[tokio::test]
async fn an_answer_within_the_bounds_passes() {
    let passed = outcome(answer(200, "application/json", "{}"))
        .await
        .expect("fine");
    assert_eq!(passed.body(), "{}");
    let error = outcome(answer(500, "application/json", "{}"))
        .await
        .expect("fine");
    assert_eq!(
        (error.status().as_u16(), error.body().as_ref()),
        (500, &b"{}"[..])
    );
}

/// SS2
#[tokio::test]
async fn a_redirect_is_refused() {
    for status in [300, 301, 302, 303, 305, 307, 308] {
        let refused = outcome(answer(status, "application/json", "{}")).await;
        assert_eq!(refused.err(), Some(FetchErrorKind::Redirect), "{status}");
    }
    assert!(outcome(answer(304, "text/html", "")).await.is_ok());
}

/// SS4
#[tokio::test]
async fn a_body_over_the_cap_is_refused_and_one_at_the_cap_passes() {
    assert!(outcome(answer(200, "application/json", "12345678")).await.is_ok());
    for status in [200, 500] {
        let refused = outcome(answer(status, "application/json", "123456789")).await;
        assert_eq!(refused.err(), Some(FetchErrorKind::TooLarge), "{status}");
    }
}

/// K10
#[tokio::test]
async fn a_body_of_another_media_type_is_refused() {
    let refused = outcome(answer(200, "text/html", "{}")).await;
    assert_eq!(refused.err(), Some(FetchErrorKind::MediaType));
    let mut twice = answer(200, "application/json", "{}");
    twice
        .headers_mut()
        .append(CONTENT_TYPE, http::HeaderValue::from_static("text/html"));
    assert_eq!(outcome(twice).await.err(), Some(FetchErrorKind::MediaType));
    let mut untyped = answer(200, "application/json", "{}");
    untyped.headers_mut().remove(CONTENT_TYPE);
    assert_eq!(outcome(untyped).await.err(), Some(FetchErrorKind::MediaType));
}

#[tokio::test]
async fn an_error_page_loses_its_body_and_keeps_its_status() {
    let emptied = outcome(answer(503, "text/html", "<html>"))
        .await
        .expect("a status");
    assert_eq!(emptied.status().as_u16(), 503);
    assert!(emptied.body().is_empty());
}

/// SS4: no decompression, so nothing to bomb
#[tokio::test]
async fn a_content_coding_is_refused() {
    for (coding, accepted) in [("gzip", false), ("br", false), ("identity", true)] {
        let mut coded = answer(200, "application/json", "{}");
        coded
            .headers_mut()
            .insert(CONTENT_ENCODING, http::HeaderValue::from_static(coding));
        assert_eq!(outcome(coded).await.is_ok(), accepted, "{coding}");
    }
}

/// SS4
#[tokio::test(start_paused = true)]
async fn an_exchange_that_never_ends_is_ended() {
    let start = Instant::now();
    let refused = fetch_within(&Script::silent(), request("https://a.example/"), &Limits::new()).await;
    assert_eq!(
        refused.map_err(|error| error.kind()).err(),
        Some(FetchErrorKind::Timeout)
    );
    assert_eq!(start.elapsed(), Duration::from_secs(5));
}

#[tokio::test]
async fn a_refused_destination_is_never_asked() {
    let script = Script::answering(answer(200, "application/json", "{}"));
    for url in [
        "http://a.example/",
        "https://10.0.0.1/",
        "https://localhost/",
        "/",
    ] {
        let refused = fetch_within(&script, request(url), &limits()).await;
        let kind = refused.map_err(|error| error.kind()).err();
        assert_eq!(kind, Some(FetchErrorKind::RefusedDestination), "{url}");
    }
    assert!(script.seen.lock().expect("no test poisons it").is_empty());
}

/// SS5
#[tokio::test]
async fn what_is_sent_is_what_was_checked_and_carries_nothing_ambient() {
    let script = Script::answering(answer(200, "application/json", "{}"));
    let limits = limits().with_destinations(Destinations::new().allow_http_loopback());
    let mut request = request("http://0x7f.1:3000/a/../b?c=d");
    for name in [COOKIE, REFERER, ACCEPT_ENCODING, ACCEPT] {
        request
            .headers_mut()
            .insert(name, http::HeaderValue::from_static("x"));
    }
    fetch_within(&script, request, &limits).await.expect("it is fine");
    let seen = script.seen.lock().expect("no test poisons it");
    assert_eq!(seen[0].uri(), "http://127.0.0.1:3000/b?c=d");
    assert_eq!(seen[0].headers().len(), 1);
    assert_eq!(seen[0].headers()[ACCEPT], "application/json");
}
