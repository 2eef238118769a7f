//! The router without us.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, HOST, USER_AGENT};

/// The one route that every subject answers.
pub(crate) const PATH: &str = "/documents";

pub(crate) async fn answer() -> &'static str {
    "documents"
}

pub(crate) fn router() -> Router {
    Router::new().route(PATH, get(answer))
}

/// A request as a client sends it, with the token or without.
pub(crate) fn request<B: Default>(token: Option<&str>) -> Request<B> {
    let request = Request::get(PATH)
        .header(HOST, "api.example.test")
        .header(USER_AGENT, "bench/1")
        .header(ACCEPT, "*/*");
    let request = match token {
        Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    };
    request.body(B::default()).expect("a request")
}

pub(crate) fn request08(token: Option<&str>) -> Request<Body> {
    request(token)
}
