//! What each mode answers.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::header::{CONNECTION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Mode, Served};
use crate::issuer::{Document, json_response, status};

/// Where [`Mode::Redirect`] sends clients.
const MOVED: &str = "/moved";

const CHUNK: Bytes = Bytes::from_static(&[b' '; 16 * 1024]);
const CHUNKS: usize = 1024;

impl Served {
    pub(super) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let request = request.map(drop);
        self.record(request.clone());
        let mode = self.mode.borrow().mode;
        let mut response = self.answer_in(mode, &request).await;
        // The next request comes over a new connection and meets the next mode.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }

    async fn answer_in(&self, mode: Mode, request: &Request<()>) -> Response<Body> {
        let healthy = || self.healthy(request);
        let response = match mode {
            Mode::Healthy | Mode::Refused | Mode::Closed => healthy(),
            Mode::Outage => status(StatusCode::INTERNAL_SERVER_ERROR),
            Mode::Busy(wait) => {
                let mut response = status(StatusCode::SERVICE_UNAVAILABLE);
                response.headers_mut().insert(RETRY_AFTER, wait.as_secs().into());
                response
            }
            Mode::Slow(wait) => {
                sleep(wait).await;
                healthy()
            }
            Mode::SlowLoris(interval) => return healthy().map(|body| drip(body, interval)),
            Mode::Oversize => return healthy().map(followed_by_space),
            Mode::Garbage => json_response("<html>not JSON</html>"),
            Mode::WrongMediaType => {
                let mut response = healthy();
                let html = HeaderValue::from_static("text/html");
                response.headers_mut().insert(CONTENT_TYPE, html);
                response
            }
            Mode::Redirect => moved(request).unwrap_or_else(healthy),
            Mode::Empty => match self.document(request) {
                Some(Document::Jwks) => json_response(r#"{"keys":[]}"#),
                _ => healthy(),
            },
            Mode::WrongIssuerInDiscovery => match self.document(request) {
                Some(Document::Discovery) => json_response(self.impostor()),
                _ => healthy(),
            },
        };
        response.map(Body::from)
    }

    fn document(&self, request: &Request<()>) -> Option<Document> {
        self.issuer.document_at(request.uri().path())
    }

    fn healthy(&self, request: &Request<()>) -> Response<Bytes> {
        let mut request = request.clone();
        if let Some(path) = request.uri().path().strip_prefix(MOVED) {
            *request.uri_mut() = path.parse().unwrap_or_default();
        }
        self.issuer.respond(&request)
    }

    fn impostor(&self) -> String {
        let mut document: Value =
            serde_json::from_str(&self.issuer.discovery_document()).expect("we wrote it as JSON");
        document["issuer"] = json!("https://impostor.test");
        document.to_string()
    }
}

/// The redirection, unless the client has followed it already.
fn moved(request: &Request<()>) -> Option<Response<Bytes>> {
    let path = request.uri().path();
    if path.starts_with(MOVED) {
        return None;
    }
    let mut response = status(StatusCode::FOUND);
    let location = HeaderValue::try_from(format!("{MOVED}{path}")).ok()?;
    response.headers_mut().insert(LOCATION, location);
    Some(response)
}

fn drip(body: Bytes, interval: Duration) -> Body {
    Body::from_stream(stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        sleep(interval).await;
        let byte = rest.split_to(1);
        Some((Ok::<_, Infallible>(byte), rest))
    }))
}

fn followed_by_space(body: Bytes) -> Body {
    let chunks = std::iter::once(body).chain(std::iter::repeat_n(CHUNK, CHUNKS));
    Body::from_stream(stream::iter(chunks.map(Ok::<_, Infallible>)))
}
