// A folder's path where a store is asked for.

use portcullis_jwks::SharedSigningKeys;
use portcullis_jwt::Algorithm;

fn main() {
    let _ = SharedSigningKeys::builder("/var/lib/keys", Algorithm::Es256);
}
