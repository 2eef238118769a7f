use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

fn member(jwk: &Value, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
}

#[test]
fn the_published_numbers_are_those_of_the_key() {
    let key = SigningKey::rs256("key");
    let jwk = key.public_jwk();
    RsaPublicKeyComponents {
        n: member(&jwk, "n"),
        e: member(&jwk, "e"),
    }
    .verify(&RSA_PKCS1_2048_8192_SHA256, b"message", &key.sign(b"message"))
    .expect("RSA");
    for (alg, crv, length, verification) in [
        ("ES256", "P-256", 32, &ECDSA_P256_SHA256_FIXED),
        ("ES384", "P-384", 48, &ECDSA_P384_SHA384_FIXED),
        ("ES512", "P-521", 66, &ECDSA_P521_SHA512_FIXED),
    ] {
        let key = SigningKey::generate(alg, "key");
        let jwk = key.public_jwk();
        assert_eq!((&jwk["kty"], &jwk["crv"]), (&json!("EC"), &json!(crv)));
        let point = [vec![4], member(&jwk, "x"), member(&jwk, "y")].concat();
        assert_eq!(point.len(), 1 + 2 * length);
        UnparsedPublicKey::new(verification, point)
            .verify(b"message", &key.sign(b"message"))
            .expect(alg);
    }
    let key = SigningKey::eddsa("key");
    UnparsedPublicKey::new(&ED25519, member(&key.public_jwk(), "x"))
        .verify(b"message", &key.sign(b"message"))
        .expect("EdDSA");
}

#[test]
fn a_published_key_has_no_secret_member_and_the_secret_form_differs_in_one() {
    for alg in ["RS256", "ES256", "ES512", "EdDSA"] {
        let key = SigningKey::generate(alg, "key");
        let mut secret = key.secret_jwk();
        assert!(!member(&secret, "d").is_empty());
        secret.as_object_mut().unwrap().remove("d");
        assert_eq!(secret, key.public_jwk(), "{alg}");
    }
}

#[test]
fn the_secret_members_are_the_private_keys() {
    let key = SigningKey::eddsa("key");
    let jwk = key.secret_jwk();
    Ed25519KeyPair::from_seed_and_public_key(&member(&jwk, "d"), &member(&jwk, "x")).expect("EdDSA");
    let key = SigningKey::es256("key");
    let jwk = key.secret_jwk();
    let point = [vec![4], member(&jwk, "x"), member(&jwk, "y")].concat();
    EcdsaKeyPair::from_private_key_and_public_key(curve_of("ES256"), &member(&jwk, "d"), &point)
        .expect("ES256");
    assert_eq!(member(&SigningKey::rs256("key").secret_jwk(), "d").len(), 256);
    assert_eq!(
        member(&SigningKey::generate("HS384", "key").secret_jwk(), "k").len(),
        48
    );
}

#[test]
fn three_rsa_keys_in_a_row_differ_and_come_back_from_their_pem() {
    let keys = [0, 1, 2].map(|_| SigningKey::rs256("key").public_der());
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    let fixed = fixed::RSA_PRIVATE_KEY_PEM.map(|pem| SigningKey::from_pkcs8_pem("RS256", "key", pem));
    assert!(fixed.iter().all(|key| keys.contains(&key.public_der())));
    let pem = fixed[0].public_pem();
    assert_eq!(der::from_pem(&pem), fixed[0].public_der());
    assert!(pem.lines().all(|line| line.len() <= 64));
    // The certificate holds the very same SubjectPublicKeyInfo.
    let certificate = der::from_pem(fixed::RSA_CERTIFICATE_PEM);
    let spki = fixed[0].public_der();
    assert!(certificate.windows(spki.len()).any(|window| window == spki));
}

#[test]
#[should_panic(expected = "curve")]
fn a_key_is_not_used_with_the_algorithm_of_another_curve() {
    let _ = SigningKey::es256("key").with_alg("ES384");
}

#[test]
fn debug_shows_no_key_material() {
    let key = SigningKey::from_secret("HS256", "key", b"hunter2");
    assert_eq!(
        format!("{key:?}"),
        r#"SigningKey { kid: "key", alg: "HS256", .. }"#
    );
}
