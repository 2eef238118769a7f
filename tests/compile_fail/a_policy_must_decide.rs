// A policy that is a name and not a decision.

use portcullis_core::Principal;
use portcullis_tower::AuthorizeLayer;

fn main() {
    let _ = AuthorizeLayer::policy::<_, Principal>("admins only");
}
