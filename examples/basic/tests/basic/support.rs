//! The application without a socket.

use axum::Router;
use axum::body::Body;
use base64::prelude::{BASE64_STANDARD, Engine};
use basic_example::{Basic, Limits, Passwords, router, users};
use http::request::Builder;
use http::{Request, Response};
use http_body_util::BodyExt;
use portcullis::tower::csrf::OriginPolicy;
use tower::ServiceExt;

pub(crate) const ALICE: (&str, &str) = ("alice", "correct horse");
pub(crate) const BOB: (&str, &str) = ("bøb", "pässword: with a colon");

pub(crate) fn app(limits: Limits) -> Router {
    let passwords = Passwords::new(users(), limits).expect("hashes");
    router(Basic::new("notes", passwords, OriginPolicy::new()).expect("a realm"))
}

/// The value of `Authorization`.
pub(crate) fn basic((name, password): (&str, &str)) -> String {
    encoded(format!("{name}:{password}"))
}

pub(crate) fn encoded(user_pass: impl AsRef<[u8]>) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(user_pass))
}

pub(crate) fn get(path: &str, authorization: &str) -> Builder {
    Request::get(path).header("authorization", authorization)
}

pub(crate) async fn send(app: Router, request: Builder) -> Response<String> {
    let request = request.body(Body::from("text")).expect("a request");
    let (head, body) = app.oneshot(request).await.expect("infallible").into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    Response::from_parts(head, String::from_utf8(body.into()).expect("text"))
}

/// Sends to an application that is not busy.
pub(crate) async fn answer(request: Builder) -> Response<String> {
    send(app(Limits::default()), request).await
}
