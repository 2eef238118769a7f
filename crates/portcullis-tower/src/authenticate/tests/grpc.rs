use http::Version;
use http::header::{CONTENT_TYPE, TE};
use tower::service_fn;

use super::*;
use crate::response::refuse;

fn grpc_request(credentials: Option<&str>) -> Request<()> {
    let headers: Vec<_> = credentials
        .into_iter()
        .map(|value| (AUTHORIZATION, value))
        .chain([(CONTENT_TYPE, "application/grpc+proto"), (TE, "trailers")])
        .collect();
    let mut request = request("POST", &headers);
    *request.version_mut() = Version::HTTP_2;
    request
}

fn status<B>(response: &Response<B>) -> Option<&str> {
    response.headers().get("grpc-status")?.to_str().ok()
}

#[tokio::test]
async fn a_grpc_request_is_refused_in_its_own_form() {
    let layer = AuthenticateLayer::required(bearer());
    for (credentials, expected) in [
        (None, "16"),
        (Some("Bearer bad"), "16"),
        (Some("Bearer garbage"), "16"),
        (Some("Bearer down"), "14"),
    ] {
        let response = send(&layer, grpc_request(credentials)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(status(&response), Some(expected), "{credentials:?}");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/grpc");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert!(response.body().is_empty());
        assert!(response.extensions().get::<AuthError>().is_some());
    }
    let response = send(&layer, grpc_request(Some("Bearer good"))).await;
    assert_eq!(
        (status(&response), response.body().as_ref()),
        (None, &b"alice"[..])
    );
}

/// The media type alone decides nothing: a script would see 200 where it was refused. Over HTTP/2 it can send all the
/// rest, but not `TE`.
#[tokio::test]
async fn one_thing_short_of_grpc_is_refused_in_the_form_of_http() {
    let layer = AuthenticateLayer::required(bearer());
    let mut over_http_1 = grpc_request(None);
    *over_http_1.version_mut() = Version::HTTP_11;
    let mut get = grpc_request(None);
    *get.method_mut() = http::Method::GET;
    let mut json = grpc_request(None);
    json.headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut script = grpc_request(None);
    script.headers_mut().remove(TE);
    let mut compressed = grpc_request(None);
    compressed
        .headers_mut()
        .insert(TE, HeaderValue::from_static("gzip"));
    for request in [over_http_1, get, json, script, compressed] {
        let response = send(&layer, request).await;
        assert_eq!((response.status().as_u16(), status(&response)), (401, None));
    }
}

#[tokio::test]
async fn a_refusal_from_behind_the_layer_takes_the_form_too_and_other_answers_do_not() {
    let answer = |make: fn() -> Response<Bytes>| async move {
        let inner = service_fn(move |_: Request<()>| ready(Ok::<_, Infallible>(make())));
        let layer = AuthenticateLayer::optional(bearer());
        let twice = layer.layer(layer.layer(inner));
        twice
            .oneshot(grpc_request(Some("Bearer good")))
            .await
            .expect("infallible")
    };
    let response = answer(|| refuse(AuthError::insufficient_scope("a"))).await;
    assert_eq!((response.status().as_u16(), status(&response)), (200, Some("7")));
    assert_eq!(
        response.headers()[WWW_AUTHENTICATE],
        r#"Bearer realm="test", error="insufficient_scope", scope="a""#
    );
    assert_eq!(response.headers().get_all(CONTENT_TYPE).iter().count(), 1);
    assert!(response.body().is_empty());
    let plain = answer(|| {
        let mut response = Response::new(Bytes::from("no"));
        *response.status_mut() = StatusCode::FORBIDDEN;
        response
    })
    .await;
    assert_eq!(
        (plain.status().as_u16(), plain.body().as_ref()),
        (403, &b"no"[..])
    );
}
