//! Every algorithm: valid, and with exactly one thing broken.

use portcullis_core::Secret;
use portcullis_jwt::{Algorithm, JwtError, StaticKeySet, TrustedIssuer, Verifier, VerifyingKey};
use portcullis_test::{Segment, SigningKey, TestIssuer};

use crate::support::{
    ASYMMETRIC, ISSUER, SYMMETRIC, accepted, assert_refused, builder, built, decode, encode, issuer_of,
    segments, signature_of, verifier, with_signature,
};

/// An issuer that signs with `algorithm`, and a verifier of its tokens that allows all of that kind.
fn house(algorithm: Algorithm) -> (TestIssuer, Verifier) {
    if !algorithm.is_symmetric() {
        let issuer = issuer_of(&SigningKey::generate(algorithm.name(), "key-1"));
        let verifier = verifier(&issuer);
        return (issuer, verifier);
    }
    let secret = [9; 64];
    let issuer = issuer_of(&SigningKey::from_secret(algorithm.name(), "key-1", &secret));
    let key = VerifyingKey::hmac(algorithm, &Secret::new(secret.to_vec())).unwrap();
    let keys = StaticKeySet::new([key.with_kid("key-1")]).unwrap();
    let trusted = TrustedIssuer::new(ISSUER, keys).algorithms(SYMMETRIC);
    (issuer, built(builder().issuer(trusted)))
}

fn all() -> impl Iterator<Item = Algorithm> {
    ASYMMETRIC.into_iter().chain(SYMMETRIC)
}

/// BCP3, K3, J1, T-SIG-1
#[test]
fn a_token_verifies_and_with_one_thing_broken_it_does_not() {
    for algorithm in all() {
        let (issuer, verifier) = house(algorithm);
        let token = issuer.token();
        let valid = accepted(&verifier, &token.build());
        assert_eq!(valid.subject(), Some("alice"));
        let stranger = SigningKey::generate(algorithm.name(), "key-1");
        for (what, broken, expected) in [
            (
                "signature",
                token.clone().tampered_signature(),
                JwtError::Signature,
            ),
            ("payload", token.clone().tampered_payload(), JwtError::Signature),
            ("key", token.clone().signed_by(&stranger), JwtError::Signature),
            ("kid", token.clone().kid("key-2"), JwtError::UnknownKey),
            ("none", token.clone().alg("none"), JwtError::AlgorithmNotAllowed),
            ("unsigned", token.clone().unsigned(), JwtError::NotCompact),
            ("padding", token.clone().padded(), JwtError::Encoding),
        ] {
            assert_refused(
                &verifier,
                &broken.build(),
                expected,
                &format!("{algorithm}: {what}"),
            );
        }
    }
}

/// K3, K6: a signature of one algorithm under the name of each other one.
#[test]
fn a_signature_counts_under_no_other_name() {
    for algorithm in all() {
        let (issuer, verifier) = house(algorithm);
        let token = issuer.token();
        for other in all().filter(|other| *other != algorithm) {
            let renamed = token.clone().alg(other.name()).build();
            let refused = verifier.verify_now(&renamed).err();
            let twins = [Algorithm::EdDsa, Algorithm::Ed25519];
            if twins.contains(&algorithm) && twins.contains(&other) {
                assert_eq!(refused, None, "two names of one algorithm");
            } else if other.is_symmetric() == algorithm.is_symmetric() {
                assert_eq!(refused, Some(JwtError::UnknownKey), "{algorithm} as {other}");
            } else {
                assert_eq!(
                    refused,
                    Some(JwtError::AlgorithmNotAllowed),
                    "{algorithm} as {other}"
                );
            }
        }
    }
}

/// BCP2, BCP3: an RSA key that serves six algorithms still makes six different signatures.
#[test]
fn a_signature_by_another_algorithm_of_the_same_key_does_not_hold() {
    let key = SigningKey::rs256("key-1");
    let local = VerifyingKey::from_pem(key.public_pem().as_bytes()).unwrap();
    let keys = StaticKeySet::new([local]).unwrap();
    let verifier = built(builder().issuer(TrustedIssuer::new(ISSUER, keys).algorithms(ASYMMETRIC)));
    let issuer = issuer_of(&key);
    let rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    for signed in rsa {
        for named in rsa {
            let token = issuer.token().alg(named).signed_by(&key.with_alg(signed)).build();
            let expected = (signed != named).then_some(JwtError::Signature);
            assert_eq!(verifier.verify_now(&token).err(), expected, "{signed} as {named}");
        }
    }
}

/// T-SIG-1, BCP3: no bit of a signature is overlooked.
#[test]
fn no_bit_of_a_signature_may_change() {
    for algorithm in all() {
        let (issuer, verifier) = house(algorithm);
        let token = issuer.token().build();
        let signature = signature_of(&token);
        for bit in 0..signature.len() * 8 {
            // An RSA verification is slow here; every byte has one of its bits changed.
            if signature.len() > 200 && bit % 8 != (bit / 8) % 8 {
                continue;
            }
            let mut flipped = signature.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let forged = with_signature(&token, &flipped);
            assert_refused(
                &verifier,
                &forged,
                JwtError::Signature,
                &format!("{algorithm} bit {bit}"),
            );
        }
    }
}

/// T-SIG-1, J1: whatever bit of a header or a payload changes, the token is another one.
#[test]
fn no_bit_of_a_header_or_payload_may_change() {
    let (issuer, verifier) = house(Algorithm::Es256);
    let token = issuer.token().build();
    let [header, payload, signature] = segments(&token);
    for (segment, is_header) in [(header, true), (payload, false)] {
        let bytes = decode(segment);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let flipped = encode(&flipped);
            let forged = if is_header {
                format!("{flipped}.{payload}.{signature}")
            } else {
                format!("{header}.{flipped}.{signature}")
            };
            assert!(verifier.verify_now(&forged).is_err(), "bit {bit}");
        }
    }
}

/// T-SIG-1, A3, J1: longer and shorter than the algorithm's signature is.
#[test]
fn a_signature_has_exactly_its_length() {
    for algorithm in all() {
        let (issuer, verifier) = house(algorithm);
        let token = issuer.token().build();
        let signature = signature_of(&token);
        let half = signature.len() / 2;
        let forms = [
            signature[..1].to_vec(),
            signature[..half].to_vec(),
            signature[..signature.len() - 1].to_vec(),
            signature[1..].to_vec(),
            [&signature[..], &[0]].concat(),
            [&[0], &signature[..]].concat(),
            [&signature[..], &signature[..]].concat(),
            vec![0; signature.len()],
            vec![0xff; signature.len()],
        ];
        for (index, form) in forms.iter().enumerate() {
            let forged = with_signature(&token, form);
            assert_refused(
                &verifier,
                &forged,
                JwtError::Signature,
                &format!("{algorithm} {index}"),
            );
        }
        // Longer than any signature there is: refused before anybody reckons with it.
        let endless = with_signature(&token, &[1; 4096]);
        assert_refused(&verifier, &endless, JwtError::Encoding, algorithm.name());
    }
}

/// J2: the one spelling of each segment.
#[test]
fn a_second_spelling_of_a_segment_is_refused() {
    let (issuer, verifier) = house(Algorithm::Es256);
    for segment in [Segment::Header, Segment::Payload, Segment::Signature] {
        let token = issuer.token().non_canonical_base64url(segment).build();
        assert_refused(&verifier, &token, JwtError::Encoding, "stray bits");
    }
    let token = issuer.token().build();
    for byte in ["=", " ", "\n", "\t", "\0", "+", "/", "%3D", "\u{e9}", "{", "\""] {
        for at in [0, 10, token.len()] {
            let mut broken = token.clone();
            broken.insert_str(at, byte);
            assert!(verifier.verify_now(&broken).is_err(), "{byte:?} at {at}");
        }
    }
    let standard = token.replace('-', "+").replace('_', "/");
    if standard != token {
        assert!(verifier.verify_now(&standard).is_err(), "the other alphabet");
    }
}
