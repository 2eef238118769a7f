// One key where a source of keys is asked for: nobody would publish it, and it would never change.

use portcullis_jwt::{JwtSigner, SigningKey};

fn signer(key: SigningKey) {
    let _ = JwtSigner::builder("https://issuer.test", key);
}

fn main() {
    let _ = signer;
}
