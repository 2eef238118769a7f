//! PEM and DER: public keys and certificates, and what is refused in their place.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_jwt::{JwtError, KeyError, VerifyingKey};
use portcullis_test::{SigningKey, fixed};

use crate::support::{accepted, assert_refused, issuer_of, of};

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
