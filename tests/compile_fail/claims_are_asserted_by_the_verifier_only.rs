// Claims that nobody verified.

use portcullis_core::Timestamp;
use portcullis_jwt::VerifiedClaims;

fn main() {
    let _ = VerifiedClaims::assertion(
        r#"{"sub":"mallory"}"#.into(),
        "https://issuer.test".into(),
        None,
        None,
        Timestamp::EPOCH,
    );
}
