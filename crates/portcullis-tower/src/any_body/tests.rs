use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use tower::{Layer, ServiceExt, service_fn};

use super::*;

#[tokio::test]
async fn the_body_inside_is_passed_on_frame_by_frame() {
    let frames = || {
        let frames = [
            Ok::<_, Infallible>(Frame::data(Bytes::from("a"))),
            Ok(Frame::trailers(HeaderMap::new())),
        ];
        StreamBody::new(futures_util::stream::iter(frames))
    };
    let service = service_fn(move |()| async move { Ok::<_, Infallible>(Response::new(frames())) });
    let answer = AnyBodyLayer::new()
        .layer(service)
        .oneshot(())
        .await
        .expect("infallible");
    let collected = answer.into_body().collect().await.expect("infallible");
    assert!(collected.trailers().is_some());
    assert_eq!(collected.to_bytes(), "a");
}

#[tokio::test]
async fn a_refusal_is_one_frame_of_known_length() {
    for content in ["refused", ""] {
        let body = ResponseBody::<Full<Bytes>>::from(Bytes::from(content));
        assert_eq!(body.size_hint().exact(), Some(content.len() as u64));
        assert_eq!(body.is_end_stream(), content.is_empty());
        let collected = body.collect().await.expect("infallible");
        assert_eq!(collected.to_bytes(), content);
    }
    let inside = ResponseBody::inside(Full::new(Bytes::from("abc")));
    assert_eq!(inside.size_hint().exact(), Some(3));
}
