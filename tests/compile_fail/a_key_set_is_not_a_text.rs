// An address where keys are expected.

use portcullis_jwt::TrustedIssuer;

fn main() {
    let _ = TrustedIssuer::new("https://issuer.test", "https://issuer.test/jwks");
}
