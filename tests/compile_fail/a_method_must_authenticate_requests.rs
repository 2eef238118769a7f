// A layer around something that does not authenticate requests.

use portcullis_tower::AuthenticateLayer;

struct Token;

fn main() {
    let _ = AuthenticateLayer::required(Token);
}
