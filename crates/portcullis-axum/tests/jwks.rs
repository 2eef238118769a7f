//! The published keys over HTTP.

// Helpers of tests panic as tests do.
#![allow(clippy::expect_used, clippy::indexing_slicing)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, RETRY_AFTER};
use http::{HeaderMap, Request};
use portcullis_axum::JwksEndpoint;
use portcullis_core::Timestamp;
use portcullis_jwt::{
    Algorithm, KeyRing, RotationSchedule, SigningKey, SigningKeys, SigningKeysUnavailable, StaticKeySet,
};
use tower::ServiceExt;

/// A ring that a test holds in its hand, or takes away.
#[derive(Clone, Debug)]
struct Held(Arc<Mutex<Option<Arc<KeyRing>>>>);

impl Held {
    fn set(&self, ring: Option<KeyRing>) {
        *self.0.lock().expect("not poisoned") = ring.map(Arc::new);
    }
}

impl SigningKeys for Held {
    fn current(&self) -> Result<Arc<KeyRing>, SigningKeysUnavailable> {
        let ring = self.0.lock().expect("not poisoned").clone();
        ring.ok_or(SigningKeysUnavailable::new(Some(Duration::from_secs(7))))
    }
}

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn ring(schedule: RotationSchedule) -> KeyRing {
    let mut ring = KeyRing::new(schedule, NOW).expect("a sound schedule");
    let key = SigningKey::generate(Algorithm::Es256).expect("randomness");
    ring.rotate(NOW, key).expect("the first");
    ring
}

fn held() -> Held {
    let held = Held(Arc::default());
    held.set(Some(ring(RotationSchedule::new())));
    held
}

async fn ask(
    endpoint: &JwksEndpoint,
    method: &str,
    if_none_match: Option<&str>,
) -> (u16, HeaderMap, Vec<u8>) {
    let app: Router = Router::new().route_service("/jwks", endpoint.clone());
    let mut request = Request::builder().method(method).uri("/jwks");
    if let Some(tag) = if_none_match {
        request = request.header("if-none-match", tag);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response: Response = app.oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
    assert_eq!(parts.headers["x-content-type-options"], "nosniff");
    (parts.status.as_u16(), parts.headers, body)
}

#[tokio::test]
async fn the_keys_are_served_as_a_jwk_set_that_a_verifier_reads() {
    let endpoint = JwksEndpoint::new(held());
    let (status, headers, body) = ask(&endpoint, "GET", None).await;
    assert_eq!(status, 200);
    assert_eq!(headers[CONTENT_TYPE], "application/jwk-set+json");
    assert_eq!(headers[CACHE_CONTROL], "public, max-age=900");
    assert_eq!(headers[CONTENT_LENGTH], body.len().to_string());
    assert!(StaticKeySet::from_jwks(&body).is_ok());
}

#[tokio::test]
async fn head_has_the_fields_of_get_and_no_body() {
    let endpoint = JwksEndpoint::new(held());
    let (_, of_get, full) = ask(&endpoint, "GET", None).await;
    let (status, of_head, body) = ask(&endpoint, "HEAD", None).await;
    assert_eq!((status, body.len()), (200, 0));
    assert_eq!(of_head, of_get);
    assert_eq!(of_head[CONTENT_LENGTH], full.len().to_string());
}

/// RFC 9110 §13.1.2
#[tokio::test]
async fn whoever_has_the_document_is_told_so_until_it_changes() {
    let keys = held();
    let endpoint = JwksEndpoint::new(keys.clone());
    let (_, headers, _) = ask(&endpoint, "GET", None).await;
    let tag = headers[ETAG].to_str().expect("ASCII").to_owned();
    for known in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"other\", {tag}"),
        "*".to_owned(),
    ] {
        let (status, headers, body) = ask(&endpoint, "GET", Some(&known)).await;
        assert_eq!((status, body.len()), (304, 0), "{known}");
        assert_eq!(headers[ETAG], tag);
        assert_eq!(headers[CACHE_CONTROL], "public, max-age=900");
        assert!(!headers.contains_key(CONTENT_TYPE));
    }
    for other in ["\"other\"", tag.trim_matches('"'), ""] {
        let (status, ..) = ask(&endpoint, "GET", Some(other)).await;
        assert_eq!(status, 200, "{other}");
    }
    keys.set(Some(ring(RotationSchedule::new())));
    let (status, headers, _) = ask(&endpoint, "GET", Some(&tag)).await;
    assert_eq!(status, 200);
    assert_ne!(headers[ETAG], tag);
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let endpoint = JwksEndpoint::new(held());
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let (status, headers, body) = ask(&endpoint, method, None).await;
        assert_eq!((status, body.len()), (405, 0), "{method}");
        assert_eq!(headers[ALLOW], "GET, HEAD");
    }
}

#[tokio::test]
async fn answers_are_stored_for_five_minutes_less_than_half_the_notice_and_an_hour_at_most() {
    let hour = Duration::from_secs(3_600);
    let keys = held();
    let max_age = async |asked: Duration, ahead: Duration| {
        keys.set(Some(ring(RotationSchedule::new().with_publish_ahead(ahead))));
        let endpoint = JwksEndpoint::new(keys.clone()).max_age(asked);
        let (_, headers, _) = ask(&endpoint, "GET", None).await;
        headers[CACHE_CONTROL].to_str().expect("ASCII").to_owned()
    };
    for (asked, ahead, expected) in [
        (60, 7_200, 60),
        (3_300, 7_200, 3_300),
        (3_301, 7_200, 3_300),
        (3_600, 3_900, 1_650),
        (3_600, 7_800, 3_600),
        (7_200, 86_400, 3_600),
    ] {
        let found = max_age(Duration::from_secs(asked), Duration::from_secs(ahead)).await;
        assert_eq!(found, format!("public, max-age={expected}"));
        assert!(Duration::from_secs(expected) <= hour);
    }
}

#[tokio::test]
async fn without_a_ring_the_answer_is_503_and_not_stored() {
    let keys = held();
    let endpoint = JwksEndpoint::new(keys.clone());
    assert_eq!(ask(&endpoint, "GET", None).await.0, 200);
    keys.set(None);
    let (status, headers, _) = ask(&endpoint, "GET", Some("*")).await;
    assert_eq!(status, 503);
    assert_eq!(headers[RETRY_AFTER], "7");
    assert_eq!(headers[CACHE_CONTROL], "no-store");
    assert!(!headers.contains_key(ETAG));
}
