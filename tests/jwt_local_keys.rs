//! Keys from the application's own configuration: files, secrets, and what does not pass for one.

// Tests are meant to panic.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_core::Secret;
use portcullis_jwt::{
    Algorithm, JwksError, JwtError, KeyError, StaticKeySet, TrustedIssuer, Verifier, VerifyingKey,
};
use portcullis_test::{SigningKey, fixed};
use serde_json::json;

use crate::support::{ASYMMETRIC, ISSUER, SYMMETRIC, accepted, assert_refused, builder, built, issuer_of};

#[path = "jwt_support/mod.rs"]
mod support;

fn of(key: VerifyingKey) -> Verifier {
    let algorithms = if key.algorithms().all(Algorithm::is_symmetric) {
        &SYMMETRIC[..]
    } else {
        &ASYMMETRIC
    };
    let keys = StaticKeySet::new([key]).unwrap();
    let trusted = TrustedIssuer::new(ISSUER, keys).algorithms(algorithms.iter().copied());
    built(builder().issuer(trusted))
}

/// The bytes of a PEM text.
fn der_of(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

fn in_pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
}

#[track_caller]
fn assert_pem_refused(pem: impl AsRef<[u8]>, expected: KeyError, what: &str) {
    let refused = VerifyingKey::from_pem(pem.as_ref()).err();
    assert_eq!(refused, Some(expected), "{what}");
}

/// K3, A2, A4: every kind in every form verifies what its owner signs, and nothing that was changed.
#[test]
fn a_public_key_in_every_form_verifies() {
    for alg in ["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"] {
        let key = SigningKey::generate(alg, "key-1");
        let issuer = issuer_of(&key);
        let pem = key.public_pem();
        let mut forms = vec![
            VerifyingKey::from_pem(pem.as_bytes()),
            VerifyingKey::from_pem(pem.trim_end().as_bytes()),
            VerifyingKey::from_pem(pem.replace('\n', "\r\n").as_bytes()),
            VerifyingKey::from_pem(format!("# a comment\n\n{pem}\n").as_bytes()),
            VerifyingKey::from_pem(in_pem("PUBLIC KEY", &key.public_der()).as_bytes()),
            VerifyingKey::from_der(&key.public_der()),
        ];
        if alg == "RS256" || alg == "PS384" {
            let pkcs1 = key.public_pkcs1_pem();
            forms.push(VerifyingKey::from_der(&der_of(&pkcs1)));
            forms.push(VerifyingKey::from_pem(pkcs1.as_bytes()));
        }
        for form in forms {
            let verifier = of(form.unwrap());
            let _ = accepted(&verifier, &issuer.token().build());
            let forged = issuer.token().tampered_signature().build();
            assert_refused(&verifier, &forged, JwtError::Signature, alg);
        }
    }
}

/// K3: of a certificate the key is used, and of a certificate only.
#[test]
fn the_key_of_a_certificate_verifies() {
    let key = SigningKey::from_pkcs8_pem("RS256", "key-1", fixed::RSA_PRIVATE_KEY_PEM[0]);
    let issuer = issuer_of(&key);
    let der = der_of(fixed::RSA_CERTIFICATE_PEM);
    for read in [
        VerifyingKey::from_pem(fixed::RSA_CERTIFICATE_PEM.as_bytes()),
        VerifyingKey::from_der(&der),
    ] {
        let verifier = of(read.unwrap());
        let _ = accepted(&verifier, &issuer.token().build());
        let other = SigningKey::from_pkcs8_pem("RS256", "key-1", fixed::RSA_PRIVATE_KEY_PEM[1]);
        let forged = issuer.token().signed_by(&other).build();
        assert_refused(&verifier, &forged, JwtError::Signature, "another key");
    }
    for label in [
        "PUBLIC KEY",
        "RSA PUBLIC KEY",
        "TRUSTED CERTIFICATE",
        "CERTIFICATE REQUEST",
        "X509 CRL",
    ] {
        assert!(
            VerifyingKey::from_pem(in_pem(label, &der).as_bytes()).is_err(),
            "{label}"
        );
    }
    assert_pem_refused(
        in_pem("CERTIFICATE", &key.public_der()),
        KeyError::Encoding,
        "a bare key",
    );
}

/// BCP6, K6: a private key in the place of a public one is a mistake that is told.
#[test]
fn a_private_key_is_refused() {
    let pkcs8 = fixed::RSA_PRIVATE_KEY_PEM[0];
    assert_pem_refused(pkcs8, KeyError::Private, "PKCS#8");
    let der = der_of(pkcs8);
    for label in [
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
    ] {
        assert_pem_refused(in_pem(label, &der), KeyError::Private, label);
    }
    for label in ["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE"] {
        assert_pem_refused(in_pem(label, &der), KeyError::Encoding, label);
    }
    assert!(VerifyingKey::from_der(&der).is_err());
    // The RSAPrivateKey inside the PKCS#8: it begins with integers, as an RSAPublicKey does.
    assert!(VerifyingKey::from_der(&der[26..]).is_err());
}

/// BCP3: two sections: the first one counts, whatever the second is.
#[test]
fn the_first_section_of_a_file_counts() {
    let first = SigningKey::es256("key-1");
    let second = SigningKey::es256("key-1");
    let private = fixed::RSA_PRIVATE_KEY_PEM[0];
    let both = format!("{}{}", first.public_pem(), second.public_pem());
    let verifier = of(VerifyingKey::from_pem(both.as_bytes()).unwrap());
    let _ = accepted(&verifier, &issuer_of(&first).token().build());
    let token = issuer_of(&second).token().build();
    assert_refused(&verifier, &token, JwtError::Signature, "the second");
    assert_pem_refused(
        format!("{private}{}", first.public_pem()),
        KeyError::Private,
        "private first",
    );
    let broken = first.public_pem().replacen("END PUBLIC", "END PRIVATE", 1);
    assert_pem_refused(
        format!("{broken}{both}"),
        KeyError::Encoding,
        "a broken frame first",
    );
}

/// BCP3: cut off, damaged or longer than it says.
#[test]
fn a_damaged_key_is_refused() {
    for key in [
        SigningKey::rs256("key-1"),
        SigningKey::es256("key-1"),
        SigningKey::generate("ES512", "key-1"),
        SigningKey::eddsa("key-1"),
    ] {
        let der = key.public_der();
        for cut in 0..der.len() {
            assert!(
                VerifyingKey::from_der(&der[..cut]).is_err(),
                "{key:?} cut at {cut}"
            );
        }
        assert!(
            VerifyingKey::from_der(&[&der[..], &[0]].concat()).is_err(),
            "one byte more"
        );
        assert!(
            VerifyingKey::from_der(&[&der[..], &der[..]].concat()).is_err(),
            "twice"
        );
        let pem = key.public_pem();
        for cut in 0..pem.trim_end().len() {
            assert_pem_refused(&pem[..cut], KeyError::Encoding, "cut");
        }
        for (from, to) in [
            ("-----BEGIN PUBLIC KEY-----", "----BEGIN PUBLIC KEY----"),
            ("BEGIN PUBLIC KEY", "BEGIN  PUBLIC KEY"),
            ("BEGIN", "begin"),
            ("-----END PUBLIC KEY-----", ""),
            ("-----END PUBLIC KEY-----", "-----END CERTIFICATE-----"),
        ] {
            assert_pem_refused(pem.replacen(from, to, 1), KeyError::Encoding, from);
        }
        assert_pem_refused(pem.replace("M", "\u{e9}"), KeyError::Encoding, "no base64");
    }
    for junk in [
        &b""[..],
        b"\xff\xfe",
        b"-----BEGIN PUBLIC KEY-----",
        b"{}",
        b"ssh-ed25519 AAAA",
        &[0x30; 70_000],
    ] {
        assert_pem_refused(junk, KeyError::Encoding, "junk");
        assert_eq!(VerifyingKey::from_der(junk).err(), Some(KeyError::Encoding));
    }
    let cert = der_of(fixed::RSA_CERTIFICATE_PEM);
    for cut in 0..cert.len() {
        assert!(
            VerifyingKey::from_der(&cert[..cut]).is_err(),
            "certificate cut at {cut}"
        );
    }
}

/// A2, A4, BCP5: the key is read, and found unsound.
#[test]
fn an_unsound_key_in_a_file_is_refused() {
    let integer = |bytes: &[u8]| {
        let zero: &[u8] = if bytes.first().is_some_and(|first| *first >= 0x80) {
            &[0]
        } else {
            &[]
        };
        tagged(0x02, &[zero, bytes].concat())
    };
    let pkcs1 = |n: &[u8], e: &[u8]| tagged(0x30, &[integer(n), integer(e)].concat());
    let sound = vec![0xff; 256];
    let e = [1, 0, 1];
    assert!(VerifyingKey::from_der(&pkcs1(&sound, &e)).is_ok());
    let mut even = sound.clone();
    even[255] = 0xfe;
    for (what, n, e, expected) in [
        ("1024 bits", &sound[..128], &e[..], KeyError::Size),
        ("2040 bits", &sound[..255], &e, KeyError::Size),
        ("8200 bits", &vec![0xff; 1025], &e, KeyError::Size),
        ("even modulus", &even, &e, KeyError::Weak),
        ("exponent 1", &sound, &[1], KeyError::Weak),
        ("exponent 2", &sound, &[2], KeyError::Weak),
        ("exponent of 48 bits", &sound, &[1, 0, 0, 0, 0, 1], KeyError::Weak),
    ] {
        let der = pkcs1(n, e);
        assert_eq!(VerifyingKey::from_der(&der).err(), Some(expected), "{what}");
        assert_pem_refused(in_pem("RSA PUBLIC KEY", &der), expected, what);
    }
    let ed25519 = SigningKey::eddsa("key-1").public_der();
    for point in [
        [0; 32],
        [0xff; 32],
        std::array::from_fn(|index| u8::from(index == 0)),
    ] {
        let der = [&ed25519[..ed25519.len() - 32], &point].concat();
        assert_eq!(VerifyingKey::from_der(&der).err(), Some(KeyError::Weak));
    }
    let p256 = SigningKey::es256("key-1").public_der();
    let (frame, point) = p256.split_at(p256.len() - 65);
    let mut off_curve = point.to_vec();
    off_curve[64] ^= 1;
    assert_eq!(
        VerifyingKey::from_der(&[frame, &off_curve].concat()).err(),
        Some(KeyError::Weak)
    );
    for form in [0, 2, 3, 6, 7] {
        let mut other = point.to_vec();
        other[0] = form;
        assert_eq!(
            VerifyingKey::from_der(&[frame, &other].concat()).err(),
            Some(KeyError::Encoding)
        );
    }
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..0x80 => vec![tag, length as u8],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [&head[..], content].concat()
}

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

/// K4, K5, T-JWKS-10: two keys that a token could not tell apart are a mistake at the start.
#[test]
fn keys_that_clash_are_refused_at_the_start() {
    let local = |key: &SigningKey| VerifyingKey::from_pem(key.public_pem().as_bytes()).unwrap();
    let (one, two, ed) = (
        SigningKey::es256("a"),
        SigningKey::es256("b"),
        SigningKey::eddsa("c"),
    );
    assert!(StaticKeySet::new([]).is_err(), "none");
    for clash in [
        [local(&one), local(&two)],
        [local(&one), local(&one)],
        [local(&one).with_kid("a"), local(&two)],
        [local(&one), local(&two).with_kid("b")],
        [local(&one).with_kid("a"), local(&two).with_kid("a")],
    ] {
        assert!(StaticKeySet::new(clash).is_err());
    }
    for fine in [
        vec![local(&one).with_kid("a"), local(&two).with_kid("b")],
        vec![local(&one).with_kid("a"), local(&two).with_kid("A")],
        vec![local(&one), local(&ed)],
        vec![local(&one).with_kid("same"), local(&ed).with_kid("same")],
    ] {
        assert!(StaticKeySet::new(fine).is_ok());
    }
    let rsa = SigningKey::rs256("r");
    assert!(
        StaticKeySet::new([local(&rsa), local(&rsa.with_alg("PS256"))]).is_err(),
        "one RSA key twice"
    );
}

/// K5: a local key without an id serves tokens of any id; one with an id only those.
#[test]
fn a_local_key_without_an_id_answers_to_every_id() {
    let key = SigningKey::es256("key-1");
    let issuer = issuer_of(&key);
    let local = VerifyingKey::from_pem(key.public_pem().as_bytes()).unwrap();
    let any = of(local.clone());
    let named = of(local.with_kid("key-1"));
    let _ = accepted(&named, &issuer.token().build());
    for token in [
        issuer.token(),
        issuer.token().kid("another"),
        issuer.token().without_header("kid"),
    ] {
        let _ = accepted(&any, &token.build());
    }
    let other = issuer.token().kid("another").build();
    assert_refused(&named, &other, JwtError::UnknownKey, "another id");
    let nameless = issuer.token().without_header("kid").build();
    let _ = accepted(&named, &nameless);
    let published = built(
        builder()
            .issuer(TrustedIssuer::new(ISSUER, support::set_of([without_kid(&key)])).algorithms(ASYMMETRIC)),
    );
    let _ = accepted(&published, &nameless);
    assert_refused(
        &published,
        &other,
        JwtError::UnknownKey,
        "a published key is not asked to guess",
    );
}

fn without_kid(key: &SigningKey) -> serde_json::Value {
    let mut jwk = key.public_jwk();
    jwk.as_object_mut().unwrap().remove("kid");
    jwk
}

/// K1, K6: a key set in a file is read as a fetched one is; secrets in it are never used.
#[test]
fn a_key_set_in_a_file_is_read_as_a_fetched_one() {
    let key = SigningKey::es256("key-1");
    let secret = SigningKey::hs256("shared").secret_jwk();
    let only_secret = json!({"keys": [secret, key.secret_jwk()]}).to_string();
    let refused = StaticKeySet::from_jwks(only_secret.as_bytes()).err();
    assert_eq!(refused, Some(JwksError::NoUsableKeys));
    for document in [
        "",
        "{}",
        "[]",
        "{\"keys\":1}",
        "\u{feff}{\"keys\":[]}",
        key.public_pem().as_str(),
    ] {
        let refused = StaticKeySet::from_jwks(document.as_bytes()).err();
        assert_eq!(refused, Some(JwksError::Malformed), "{document}");
    }
    assert_eq!(StaticKeySet::from_jwks(b"\xff").err(), Some(JwksError::Malformed));
}
