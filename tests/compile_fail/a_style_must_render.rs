// A path where a style of refusals is asked for.

use portcullis_tower::RefusalLayer;

fn main() {
    let _ = RefusalLayer::new("/sign-in");
}
