//! `Gate`: who may call what, as it is served.

// Helpers of tests panic as tests do.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod attacks;
mod composition;
mod costs;
mod decisions;
mod inventory;
mod ledger;
mod methods;
mod on_demand;
mod paths;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::{Method, Request};
use portcullis_core::{Challenge, Challenges, HasScope, Outcome, Principal, Scheme, Scope};
use portcullis_test::{TestCaller, TestRequest, caller};
use tower::ServiceExt;

struct Read;

impl Scope for Read {
    const NAME: &str = "documents:read";
}

struct Delete;

impl Scope for Delete {
    const NAME: &str = "documents:delete";
}

type Reads = HasScope<Read>;
type Deletes = HasScope<Delete>;

fn alice() -> TestCaller {
    caller("alice")
}

fn challenges() -> Challenges {
    let challenge = Challenge::new(Scheme::BEARER).realm("test").expect("a realm");
    Challenges::new([challenge]).expect("a challenge")
}

/// Signed in as somebody, or as nobody.
fn request(method: Method, target: &str, caller: Option<TestCaller>) -> Request<Body> {
    let request = Request::builder().method(method).uri(target);
    let mut request = request.body(Body::empty()).expect("a request");
    match caller {
        Some(caller) => request.signed_in_as(caller),
        None => {
            let anonymous = Outcome::<Principal>::anonymous(challenges());
            request.extensions_mut().insert(anonymous);
            request
        }
    }
}

async fn send(app: &Router, request: Request<Body>) -> Response {
    app.clone().oneshot(request).await.expect("infallible")
}

async fn ask(app: &Router, method: Method, target: &str, caller: Option<TestCaller>) -> Response {
    send(app, request(method, target, caller)).await
}

async fn text(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), 4096).await.expect("a body");
    String::from_utf8(bytes.to_vec()).expect("a text")
}
