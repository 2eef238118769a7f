// A handler for which lacking the right is as good as having it.

use axum::Router;
use axum::routing::get;
use portcullis_axum::Authorized;
use portcullis_core::SignedIn;

async fn handler(_caller: Option<Authorized<SignedIn>>) {}

fn main() {
    let _: Router = Router::new().route("/", get(handler));
}
