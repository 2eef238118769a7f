// A list of revoked names that nobody can ask.

use portcullis_jwt::Verifier;

fn main() {
    let _ = Verifier::builder().revocations(vec!["jti-1"]);
}
