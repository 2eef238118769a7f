//! RFC 7515 appendix A: joe's tokens, which expire at 1300819380 and have no audience.

use portcullis_core::Secret;
use portcullis_jwt::{Algorithm, JwtError, KeySet, StaticKeySet, TrustedIssuer, Verifier, VerifyingKey};
use portcullis_test::ManualClock;
use serde_json::{Value, json};

use crate::support::{accepted, assert_refused, decode, set_of, with_signature};

const EXPIRES_AT: u64 = 1_300_819_380;
const PAYLOAD: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const HS256_HEADER: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
const HS256: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const RS256: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujG\
     bds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K\
     0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6\
     LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const ES256: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const ES512: &str = "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwF\
     KdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";

fn verifier(keys: impl KeySet, algorithm: Algorithm, now: u64) -> Verifier {
    Verifier::builder()
        .issuer(TrustedIssuer::new("joe", keys).algorithms([algorithm]))
        .dangerous_without_audience()
        .clock(ManualClock::at(now))
        .clock_skew(std::time::Duration::ZERO)
        .build()
        .unwrap()
}

#[track_caller]
fn assert_joe(keys: &StaticKeySet, algorithm: Algorithm, token: &str) {
    let in_time = verifier(keys.clone(), algorithm, EXPIRES_AT - 1);
    let joe = accepted(&in_time, token);
    assert_eq!((joe.claims().issuer(), joe.subject()), ("joe", None));
    let read: Value = joe.claims().read().unwrap();
    assert_eq!(read["http://example.com/is_root"], json!(true));
    let nobody = joe.into_authentication().err();
    assert_eq!(nobody, Some(JwtError::MissingClaim("sub")), "nobody to speak of");
    let late = verifier(keys.clone(), algorithm, EXPIRES_AT);
    assert_refused(&late, token, JwtError::Expired, "the second it expires");
    let mut flipped = decode(crate::support::segments(token)[2]);
    flipped[9] ^= 1;
    assert_refused(
        &in_time,
        &with_signature(token, &flipped),
        JwtError::Signature,
        "one bit",
    );
}

/// T5, T-SIG-1, RFC 7515 §A.1
#[test]
fn the_published_mac_holds() {
    let k = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let key = VerifyingKey::hmac(Algorithm::Hs256, &Secret::new(decode(k))).unwrap();
    let keys = StaticKeySet::new([key]).unwrap();
    assert_joe(
        &keys,
        Algorithm::Hs256,
        &format!("{HS256_HEADER}.{PAYLOAD}.{HS256}"),
    );
}

/// T5, T-SIG-1, RFC 7515 §A.2
#[test]
fn the_published_rsa_signature_holds() {
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt\
              0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX\
              ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5\
              IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let keys = set_of([json!({"kty": "RSA", "n": n, "e": "AQAB"})]);
    assert_joe(
        &keys,
        Algorithm::Rs256,
        &format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.{RS256}"),
    );
}

/// T5, T-SIG-1, RFC 7515 §A.3
#[test]
fn the_published_ecdsa_signature_holds() {
    let keys = set_of([json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })]);
    assert_joe(
        &keys,
        Algorithm::Es256,
        &format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.{ES256}"),
    );
}

/// T1, T-SIG-1, RFC 7515 §A.4: the payload is the word `Payload`; the signature is good, the claims are not.
#[test]
fn the_published_p521_signature_holds_and_its_payload_is_no_jwt() {
    let keys = set_of([json!({
        "kty": "EC",
        "crv": "P-521",
        "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
    })]);
    let verifier = verifier(keys, Algorithm::Es512, 0);
    let token = format!("eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.{ES512}");
    assert_refused(&verifier, &token, JwtError::Claims, "no JSON");
    let forged = token.replace("UGF5bG9hZA", "UGF5bG9hZQ");
    assert_refused(&verifier, &forged, JwtError::Signature, "another payload");
}

/// T-ALG-2, RFC 7515 §A.5
#[test]
fn the_published_unsecured_token_is_refused() {
    let keys = set_of([portcullis_test::SigningKey::es256("key-1").public_jwk()]);
    let verifier = verifier(keys, Algorithm::Es256, 0);
    let token = format!("eyJhbGciOiJub25lIn0.{PAYLOAD}.");
    assert_refused(&verifier, &token, JwtError::NotCompact, "unsecured");
}
