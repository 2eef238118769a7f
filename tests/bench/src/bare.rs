//! The router without us.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::{ACCEPT, AUTHORIZATION, HOST, USER_AGENT};
use http::{HeaderName, Request};

/// The one route that every subject answers.
pub(crate) const PATH: &str = "/documents";

pub(crate) async fn answer() -> &'static str {
    "documents"
}

pub(crate) fn router() -> Router {
    Router::new().route(PATH, get(answer))
}

/// A request as a client sends it, with this field or without.
pub(crate) fn request_with<B: Default>(field: Option<(HeaderName, &str)>) -> Request<B> {
    let mut request = Request::get(PATH)
        .header(HOST, "api.example.test")
        .header(USER_AGENT, "bench/1")
        .header(ACCEPT, "*/*");
    if let Some((name, value)) = field {
        request = request.header(name, value);
    }
    request.body(B::default()).expect("a request")
}

/// A request with the token, or without.
pub(crate) fn request<B: Default>(token: Option<&str>) -> Request<B> {
    let value = token.map(|token| format!("Bearer {token}"));
    request_with(value.as_deref().map(|value| (AUTHORIZATION, value)))
}

pub(crate) fn request08(token: Option<&str>) -> Request<Body> {
    request(token)
}
