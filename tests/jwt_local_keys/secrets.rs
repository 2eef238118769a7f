//! Secrets that are shared with an issuer: from memory, a file, the environment.

use std::path::PathBuf;

use portcullis_core::Secret;
use portcullis_jwt::{Algorithm, JwtError, KeyError, VerifyingKey};
use portcullis_test::{SigningKey, fixed};

use crate::support::{ASYMMETRIC, SYMMETRIC, accepted, assert_refused, issuer_of, of};

/// A1, BCP6: as long as the hash, for exactly one algorithm, and random: a key in PEM is neither.
#[test]
fn a_secret_is_as_long_as_its_hash() {
    for (algorithm, shortest) in [
        (Algorithm::Hs256, 32),
        (Algorithm::Hs384, 48),
        (Algorithm::Hs512, 64),
    ] {
        let of_length = |length| VerifyingKey::hmac(algorithm, &Secret::new(vec![5; length]));
        for length in [0, 1, 8, shortest - 1] {
            assert_eq!(
                of_length(length).err(),
                Some(KeyError::Size),
                "{algorithm} {length}"
            );
        }
        for length in [shortest, shortest + 1, 4096] {
            let verifier = of(of_length(length).unwrap());
            let issuer = issuer_of(&SigningKey::from_secret(
                algorithm.name(),
                "key-1",
                &vec![5; length],
            ));
            let _ = accepted(&verifier, &issuer.token().build());
            for other in SYMMETRIC.into_iter().filter(|other| *other != algorithm) {
                let key = SigningKey::from_secret(other.name(), "key-1", &vec![5; length]);
                let token = issuer_of(&key).token().build();
                assert_refused(&verifier, &token, JwtError::UnknownKey, other.name());
            }
        }
    }
    for algorithm in ASYMMETRIC {
        let refused = VerifyingKey::hmac(algorithm, &Secret::new(vec![5; 64])).err();
        assert_eq!(refused, Some(KeyError::Unsupported), "{algorithm}");
    }
}

/// T-ALG-1, A1: whoever configures a public key as the secret is told, instead of trusting everybody.
#[test]
fn a_key_in_pem_is_no_secret() {
    let key = SigningKey::rs256("key-1");
    for pem in [
        key.public_pem(),
        key.public_pem().trim_end().to_owned(),
        format!("\n {}", key.public_pem()),
        key.public_pkcs1_pem(),
        fixed::RSA_CERTIFICATE_PEM.to_owned(),
        fixed::RSA_PRIVATE_KEY_PEM[0].to_owned(),
    ] {
        for algorithm in SYMMETRIC {
            let secret = Secret::new(pem.clone().into_bytes());
            let refused = VerifyingKey::hmac(algorithm, &secret).err();
            assert_eq!(refused, Some(KeyError::Weak), "{pem}");
        }
    }
}

struct File(PathBuf);

impl File {
    fn holding(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("portcullis-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A1: a secret from a file is its bytes, without the one line ending that editors add.
#[test]
fn a_secret_from_a_file_is_its_bytes() {
    let secret: Vec<u8> = (0..32).chain([0x0d]).collect();
    for (name, ending) in [("plain", &b""[..]), ("lf", b"\n"), ("crlf", b"\r\n")] {
        let expected = if name == "plain" {
            &secret[..32]
        } else {
            &secret[..]
        };
        let expected = if name == "crlf" { &secret[..32] } else { expected };
        let content = if name == "lf" { &secret[..32] } else { expected };
        let file = File::holding(name, &[content, ending].concat());
        let read = Secret::from_file(&file.0).unwrap();
        assert!(read.ct_eq(&secret[..32]), "{name}");
        let key = VerifyingKey::hmac(Algorithm::Hs256, &read).unwrap();
        let issuer = issuer_of(&SigningKey::from_secret("HS256", "key-1", &secret[..32]));
        let _ = accepted(&of(key), &issuer.token().build());
    }
    let two = File::holding("two", &[&secret[..32], b"\n\n"].concat());
    assert!(
        !Secret::from_file(&two.0).unwrap().ct_eq(&secret[..32]),
        "one line ending, not two"
    );
    for (name, bytes) in [("empty", &b""[..]), ("newline", b"\n")] {
        let file = File::holding(name, bytes);
        assert!(Secret::from_file(&file.0).is_err(), "{name}");
    }
    let missing = std::env::temp_dir().join("portcullis-no-such-file");
    assert!(Secret::from_file(missing).is_err());
}

/// A1: a secret from the environment; one that is not set, empty or short is an error at the start.
#[test]
fn a_secret_from_the_environment_is_its_text() {
    // Set by cargo for every test, and long enough to be a secret's text.
    let text = std::env::var("CARGO_PKG_DESCRIPTION").unwrap();
    let secret = Secret::from_env("CARGO_PKG_DESCRIPTION").unwrap();
    let key = VerifyingKey::hmac(Algorithm::Hs256, &secret).unwrap();
    let issuer = issuer_of(&SigningKey::from_secret("HS256", "key-1", text.as_bytes()));
    let _ = accepted(&of(key), &issuer.token().build());
    let missing = Secret::from_env("PORTCULLIS_NO_SUCH_VARIABLE").unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
    let short = Secret::from_env("CARGO_PKG_VERSION").unwrap();
    assert_eq!(
        VerifyingKey::hmac(Algorithm::Hs256, &short).err(),
        Some(KeyError::Size)
    );
}
