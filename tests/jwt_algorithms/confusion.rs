//! Keys of one kind taken for keys of another.

use portcullis_core::Secret;
use portcullis_jwt::{Algorithm, JwtError, StaticKeySet, TrustedIssuer, VerifyingKey};
use portcullis_test::SigningKey;
use serde_json::{Value, json};

use crate::support::{
    ASYMMETRIC, ISSUER, SYMMETRIC, accepted, assert_refused, builder, built, decode, issuer_of, published,
    set_of, trusted, verifier,
};

/// Every form in which an attacker finds a public key: what a verifier may have kept of it.
fn forms(key: &SigningKey) -> Vec<(&'static str, Vec<u8>)> {
    let jwk = key.public_jwk();
    let pem = key.public_pem();
    let mut forms = vec![
        ("SPKI in PEM", pem.clone().into_bytes()),
        ("SPKI in PEM, no newline at the end", pem.trim_end().into()),
        ("SPKI in PEM, CRLF", pem.replace('\n', "\r\n").into_bytes()),
        ("SPKI in PEM on one line", pem.replace('\n', "").into_bytes()),
        (
            "SPKI in PEM, newlines escaped",
            pem.replace('\n', "\\n").into_bytes(),
        ),
        ("SPKI in DER", key.public_der()),
        ("JWK", jwk.to_string().into_bytes()),
        ("JWK, pretty", serde_json::to_vec_pretty(&jwk).unwrap()),
        ("JWK set", json!({"keys": [jwk]}).to_string().into_bytes()),
        ("key id", key.kid().as_bytes().to_vec()),
        ("nothing", Vec::new()),
        ("zeros", vec![0; 64]),
    ];
    for member in ["n", "e", "x", "y"] {
        if let Some(value) = jwk[member].as_str() {
            forms.push(("a member's text", value.into()));
            forms.push(("a member's bytes", decode(value)));
        }
    }
    if key.alg().starts_with("RS") {
        let pkcs1 = key.public_pkcs1_pem();
        forms.push(("PKCS#1 in PEM, no newline", pkcs1.trim_end().into()));
        forms.push(("PKCS#1 in PEM", pkcs1.into_bytes()));
    }
    forms
}

/// T-ALG-1, K6, row 10: every form of every kind of key, under every MAC, with and without `kid`.
#[test]
fn a_token_maced_with_the_public_key_is_refused() {
    for alg in ["RS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"] {
        let key = SigningKey::generate(alg, "key-1");
        let issuer = issuer_of(&key);
        let verifier = verifier(&issuer);
        let _ = accepted(&verifier, &issuer.token().build());
        for (form, secret) in forms(&key) {
            for mac in SYMMETRIC {
                let forged = issuer.token().signed_with_hmac_secret(mac.name(), &secret);
                let what = format!("{alg} as {form} under {mac}");
                assert_refused(&verifier, &forged.build(), JwtError::AlgorithmNotAllowed, &what);
                let nameless = forged.without_header("kid").build();
                assert_refused(&verifier, &nameless, JwtError::AlgorithmNotAllowed, &what);
            }
        }
    }
}

/// T-ALG-1, K3: allowing MACs does not turn a public key into a secret, wherever it came from.
#[test]
fn a_public_key_is_no_secret_even_where_macs_are_allowed() {
    for alg in ["RS256", "ES256", "EdDSA"] {
        let key = SigningKey::generate(alg, "key-1");
        let issuer = issuer_of(&key);
        let local = VerifyingKey::from_pem(key.public_pem().as_bytes()).unwrap();
        let secret = Secret::new(vec![7; 64]);
        let beside = VerifyingKey::hmac(Algorithm::Hs512, &secret).unwrap();
        let sets = [
            published(&issuer),
            StaticKeySet::new([local.clone()]).unwrap(),
            StaticKeySet::new([local, beside]).unwrap(),
        ];
        for keys in sets {
            let trusted = TrustedIssuer::new(ISSUER, keys).algorithms([Algorithm::Hs256]);
            let verifier = built(builder().issuer(trusted));
            for (form, secret) in forms(&key) {
                let forged = issuer.token().signed_with_hmac_secret("HS256", secret).build();
                assert_refused(&verifier, &forged, JwtError::UnknownKey, form);
            }
        }
    }
}

/// T-ALG-1, BCP1: one list never holds both kinds, so that neither kind is tried for the other.
#[test]
fn a_list_that_mixes_macs_and_signatures_is_refused() {
    let issuer = issuer_of(&SigningKey::es256("key-1"));
    for mac in SYMMETRIC {
        for algorithm in ASYMMETRIC {
            let mixed = builder().issuer(trusted(&issuer).algorithms([mac, algorithm]));
            assert!(mixed.build().is_err(), "{mac} beside {algorithm}");
        }
    }
    let none = builder().issuer(TrustedIssuer::new(ISSUER, published(&issuer)));
    assert!(none.build().is_err(), "no list is no default");
}

/// T-ALG-2, A6, BCP1: the unsecured form and everything that looks like it.
#[test]
fn an_unsecured_token_is_refused_in_every_spelling() {
    let issuer = issuer_of(&SigningKey::es256("key-1"));
    let verifier = verifier(&issuer);
    for alg in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "none ",
        " none",
        "",
        "null",
        "n\u{43e}ne",
        "none\0",
        "NONE256",
        "es256",
        "ES256 ",
        "Es256",
        "ES256K",
        "ES256,none",
        "RSA1_5",
        "RSA-OAEP",
        "dir",
        "A128KW",
        "PBES2-HS256+A128KW",
        "Ed448",
        "RS1",
        "HS1",
        "HS256\n",
    ] {
        let signed = issuer.token().alg(alg);
        assert_refused(&verifier, &signed.build(), JwtError::AlgorithmNotAllowed, alg);
        let unsigned = issuer.token().alg(alg).unsigned().build();
        assert_refused(&verifier, &unsigned, JwtError::NotCompact, alg);
        let filled = format!("{unsigned}AA");
        assert_refused(&verifier, &filled, JwtError::AlgorithmNotAllowed, alg);
    }
    let cut = issuer.token().alg("none").unsigned().build();
    let two_segments = cut.trim_end_matches('.');
    assert_refused(&verifier, two_segments, JwtError::NotCompact, "no third segment");
}

/// T-ALG-2, T8: `alg` is a string, and it is there.
#[test]
fn an_algorithm_of_another_type_is_refused() {
    let issuer = issuer_of(&SigningKey::es256("key-1"));
    let verifier = verifier(&issuer);
    for alg in [
        json!(null),
        json!(0),
        json!(256),
        json!(true),
        json!(["ES256"]),
        json!([]),
        json!({}),
        json!({"ES256": 1}),
    ] {
        let token = issuer.token().header("alg", alg.clone()).build();
        assert_refused(&verifier, &token, JwtError::Header, &alg.to_string());
    }
    let missing = issuer.token().without_header("alg");
    assert_refused(&verifier, &missing.build(), JwtError::Header, "missing");
    for header in [
        r#"{"alg":"ES256","alg":"none"}"#,
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":"ES256","\u0061lg":"none"}"#,
        r#"{"ALG":"ES256"}"#,
        r#"{"alg ":"ES256"}"#,
    ] {
        let token = issuer.token().raw_header(header).build();
        assert_refused(&verifier, &token, JwtError::Header, header);
    }
}

/// T-ALG-3, K6: a secret that is published verifies nothing, whatever it calls itself.
#[test]
fn a_symmetric_key_of_a_fetched_set_verifies_nothing() {
    let good = SigningKey::es256("key-1");
    let secret = SigningKey::hs256("shared");
    let issuer = issuer_of(&good);
    let published = |change: &dyn Fn(&mut Value)| {
        let mut jwk = secret.secret_jwk();
        change(&mut jwk);
        set_of([good.public_jwk(), jwk])
    };
    let sets = [
        published(&|_| {}),
        published(&|jwk| jwk["alg"] = json!("ES256")),
        published(&|jwk| jwk["kty"] = json!("EC")),
        published(&|jwk| jwk["kty"] = json!("OCT")),
        published(&|jwk| {
            jwk.as_object_mut().unwrap().remove("alg");
        }),
    ];
    for keys in sets {
        assert_eq!(keys_in(&keys), ["key-1"]);
        for algorithms in [&SYMMETRIC[..], &ASYMMETRIC] {
            let trusted = TrustedIssuer::new(ISSUER, keys.clone()).algorithms(algorithms.iter().copied());
            let verifier = built(builder().issuer(trusted));
            let token = issuer.token().key(&secret).build();
            assert!(verifier.verify_now(&token).is_err());
        }
    }
}

fn keys_in(keys: &StaticKeySet) -> Vec<String> {
    use portcullis_jwt::KeySet;
    let keys = keys.current().unwrap();
    keys.iter()
        .filter_map(|key| key.kid().map(str::to_owned))
        .collect()
}

/// T-ALG-4, K3, BCP1: the header does not choose; the list does, also for a key that says nothing.
#[test]
fn a_key_without_an_algorithm_serves_only_what_the_list_allows() {
    let key = SigningKey::rs256("key-1");
    let issuer = issuer_of(&key);
    let mut jwk = key.public_jwk();
    jwk.as_object_mut().unwrap().remove("alg");
    let trusted = TrustedIssuer::new(ISSUER, set_of([jwk])).algorithms([Algorithm::Rs256]);
    let verifier = built(builder().issuer(trusted));
    let _ = accepted(&verifier, &issuer.token().build());
    for alg in ["RS384", "RS512", "PS256", "PS384", "PS512"] {
        let token = issuer.token().key(&key.with_alg(alg)).build();
        assert_refused(&verifier, &token, JwtError::AlgorithmNotAllowed, alg);
    }
}

/// T-ALG-4, K3: a key that says its algorithm serves no other, even one that the list allows.
#[test]
fn a_key_with_an_algorithm_serves_no_other() {
    let all = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    for declared in all {
        let key = SigningKey::generate(declared, "key-1");
        let issuer = issuer_of(&key);
        let verifier = verifier(&issuer);
        for alg in all {
            let token = issuer.token().key(&key.with_alg(alg)).build();
            let expected = (alg != declared).then_some(JwtError::UnknownKey);
            assert_eq!(
                verifier.verify_now(&token).err(),
                expected,
                "{alg} under {declared}"
            );
        }
    }
}

/// K3, A5, row 10: two names of one algorithm, each accepted only where it is on the list.
#[test]
fn either_name_of_ed25519_counts_only_where_it_is_allowed() {
    let lists: [(&[Algorithm], [bool; 2]); 3] = [
        (&[Algorithm::EdDsa], [true, false]),
        (&[Algorithm::Ed25519], [false, true]),
        (&[Algorithm::EdDsa, Algorithm::Ed25519], [true, true]),
    ];
    for declared in [Some("EdDSA"), Some("Ed25519"), None] {
        let key = SigningKey::eddsa("key-1");
        let issuer = issuer_of(&key);
        let mut jwk = key.public_jwk();
        match declared {
            Some(name) => jwk["alg"] = json!(name),
            None => drop(jwk.as_object_mut().unwrap().remove("alg")),
        }
        for (list, expected) in lists {
            let trusted = TrustedIssuer::new(ISSUER, set_of([jwk.clone()])).algorithms(list.iter().copied());
            let verifier = built(builder().issuer(trusted));
            let verdicts = ["EdDSA", "Ed25519"].map(|alg| {
                let token = issuer.token().key(&key.with_alg(alg)).build();
                match verifier.verify_now(&token) {
                    Ok(_) => true,
                    Err(error) => {
                        assert_eq!(error, JwtError::AlgorithmNotAllowed);
                        false
                    }
                }
            });
            assert_eq!(verdicts, expected, "{declared:?} under {list:?}");
        }
    }
}
