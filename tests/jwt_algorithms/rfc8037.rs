//! RFC 8037 appendix A: the Ed25519 key, and its signature over a sentence that is no JWT.

use portcullis_jwt::{Algorithm, JwtError, TrustedIssuer};
use serde_json::json;

use crate::support::{ISSUER, assert_refused, builder, built, decode, set_of, with_signature};

const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
     hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

/// T-SIG-1, RFC 8037 §A.4
#[test]
fn the_published_signature_holds_and_with_one_bit_changed_it_does_not() {
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let trusted = TrustedIssuer::new(ISSUER, set_of([key])).algorithms([Algorithm::EdDsa]);
    let verifier = built(builder().issuer(trusted));
    assert_refused(&verifier, TOKEN, JwtError::Claims, "only the claims are wrong");
    let mut flipped = decode(crate::support::segments(TOKEN)[2]);
    flipped[5] ^= 0x10;
    assert_refused(
        &verifier,
        &with_signature(TOKEN, &flipped),
        JwtError::Signature,
        "one bit",
    );
}
