//! Makes new tokens and keys for `fixtures/`. Instruction counts of ES256 and EdDSA change with them.

use std::{fs, io};

use portcullis_bench::{ALGORITHMS, AUDIENCE, ISSUER, KID};
use portcullis_test::{ManualClock, SigningKey, TestIssuer};

/// Long ago for every clock, and long before `EXPIRES`.
const ISSUED: u64 = 1_760_000_000;
/// The year 2100: the peers know no other clock than the system's.
const EXPIRES: u64 = 4_102_444_800;

fn main() -> io::Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    for alg in ALGORITHMS {
        let key = SigningKey::generate(alg, KID);
        let issuer = TestIssuer::new(ISSUER)
            .clock(ManualClock::at(ISSUED))
            .with_key(&key);
        let token = issuer
            .token()
            .subject("6f9a3c1e-5b0d-4c57-9d2e-0a1b2c3d4e5f")
            .audience(AUDIENCE)
            .claim("client_id", "documents-web-app")
            .claim("jti", "0d9f5c4e-7a3b-4e1c-8f21-b6a5d4c3e2f1")
            .claim("exp", EXPIRES)
            .claim("tenant", "acme-industries")
            .claim("email", "alice.liddell@example.test")
            .claim("name", "Alice Liddell")
            .scope("documents:read documents:write profile")
            .build();
        fs::write(format!("{folder}/{alg}.token"), token)?;
        fs::write(
            format!("{folder}/{alg}.jwk.json"),
            format!("{}\n", key.public_jwk()),
        )?;
    }
    Ok(())
}
