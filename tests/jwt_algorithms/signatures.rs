//! Signatures that mathematics or encodings let through where nobody looks (CVE-2022-21449 and kin).

use portcullis_jwt::{JwtError, Verifier};
use portcullis_test::{SigningKey, TestIssuer};

use crate::support::{
    accepted, assert_refused, decode, hex, issuer_of, minus, signature_of, verifier, with_signature,
};

/// The orders of P-256, P-384 and P-521 (SEC 2).
const ORDERS: [(&str, &str); 3] = [
    (
        "ES256",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    ),
    (
        "ES384",
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    ),
    (
        "ES512",
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d0\
         3bb5c9b8899c47aebb6fb71e91386409",
    ),
];

/// `a + b` of big-endian numbers of one length; `None` when it needs more.
fn plus(a: &[u8], b: &[u8]) -> Option<Vec<u8>> {
    let mut sum = a.to_vec();
    let mut carry = 0;
    for (digit, addend) in sum.iter_mut().zip(b).rev() {
        let value = u16::from(*digit) + u16::from(*addend) + carry;
        carry = value / 256;
        *digit = u8::try_from(value % 256).unwrap();
    }
    (carry == 0).then_some(sum)
}

fn house(alg: &str) -> (TestIssuer, Verifier, String) {
    let issuer = issuer_of(&SigningKey::generate(alg, "key-1"));
    let verifier = verifier(&issuer);
    let token = issuer.token().build();
    let _ = accepted(&verifier, &token);
    (issuer, verifier, token)
}

/// T-SIG-1, A3: zero, the order and everything beyond it are no R and no S.
#[test]
fn ecdsa_values_outside_their_range_are_refused() {
    for (alg, order) in ORDERS {
        let (_, verifier, token) = house(alg);
        let order = hex(order);
        let signature = signature_of(&token);
        let (r, s) = signature.split_at(signature.len() / 2);
        let zero = vec![0; r.len()];
        let one = [vec![0; r.len() - 1], vec![1]].concat();
        let above = plus(&order, &one).unwrap();
        let full = vec![0xff; r.len()];
        let mut forms = Vec::new();
        for odd in [&zero, &order, &above, &full, &one] {
            forms.extend([[odd, s].concat(), [r, odd].concat(), [&odd[..], odd].concat()]);
        }
        for more in [
            plus(r, &order).map(|r| [&r, s].concat()),
            plus(s, &order).map(|s| [r, &s].concat()),
        ] {
            forms.extend(more);
        }
        forms.push([s, r].concat());
        for (index, form) in forms.iter().enumerate() {
            let forged = with_signature(&token, form);
            assert_refused(&verifier, &forged, JwtError::Signature, &format!("{alg} {index}"));
        }
    }
}

/// T-SIG-1, P-JWT3: (R, n - S) holds as (R, S) does: ECDSA has no canonical form that JOSE asks for. A
/// token has two spellings then, which is why a deny-list names (`iss`, `jti`) and never the text.
#[test]
fn the_second_spelling_of_an_ecdsa_signature_is_the_same_token() {
    for (alg, order) in ORDERS {
        let (_, verifier, token) = house(alg);
        let signature = signature_of(&token);
        let (r, s) = signature.split_at(signature.len() / 2);
        let twin = with_signature(&token, &[r, &minus(&hex(order), s)].concat());
        assert_ne!(token, twin);
        let [one, two] = [&token, &twin].map(|token| accepted(&verifier, token));
        assert_eq!(one.claims().token_id(), two.claims().token_id());
        assert!(one.claims().token_id().is_some());
        assert_eq!(one.claims().as_json(), two.claims().as_json());
    }
}

/// T-SIG-1, A3: R and S side by side, never as the DER sequence of X.509.
#[test]
fn an_ecdsa_signature_in_der_is_refused() {
    for (alg, _) in ORDERS {
        let (issuer, verifier, _) = house(alg);
        let token = issuer.token().der_signature().build();
        assert_refused(&verifier, &token, JwtError::Signature, alg);
    }
}

/// T-SIG-1: points and scalars that hold for many messages, and S without its reduction (RFC 8032
/// §5.1.7), which would give every token a second spelling.
#[test]
fn ed25519_signatures_outside_their_range_are_refused() {
    const L: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let (_, verifier, token) = house("EdDSA");
    let signature = signature_of(&token);
    let (r, s) = signature.split_at(32);
    let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
    let order = reversed(&hex(L));
    let shifted = reversed(&plus(&reversed(s), &order).unwrap());
    let identity = [vec![1], vec![0; 31]].concat();
    let minus_zero = [vec![1], vec![0; 30], vec![0x80]].concat();
    let zero = vec![0; 32];
    for (what, r, s) in [
        ("all zero", &zero[..], &zero[..]),
        ("identity and zero", &identity, &zero),
        ("non-canonical identity", &minus_zero, &zero),
        ("S not reduced", r, &shifted),
        ("S is the order", r, &hex(L)),
        ("S is zero", r, &zero),
        ("R is zero", &zero, s),
        ("R is the identity", &identity, s),
        ("swapped", s, r),
    ] {
        let forged = with_signature(&token, &[r, s].concat());
        assert_refused(&verifier, &forged, JwtError::Signature, what);
    }
}

/// T-SIG-1: numbers that are their own signature, and the modulus itself.
#[test]
fn trivial_rsa_signatures_are_refused() {
    for alg in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        let (issuer, verifier, token) = house(alg);
        let n = decode(issuer.signing_key().public_jwk()["n"].as_str().unwrap());
        let one = [vec![0; n.len() - 1], vec![1]].concat();
        let signature = signature_of(&token);
        let mut forms = vec![
            vec![0; n.len()],
            one.clone(),
            minus(&n, &one),
            n.clone(),
            minus(&n, &signature),
        ];
        forms.extend(plus(&signature, &n));
        for (index, form) in forms.iter().enumerate() {
            let forged = with_signature(&token, form);
            assert_refused(&verifier, &forged, JwtError::Signature, &format!("{alg} {index}"));
        }
    }
}

/// T-SIG-1, J2: an RSA signature that begins with a zero is as long as any other.
#[test]
fn an_rsa_signature_keeps_its_leading_zero() {
    let issuer = issuer_of(&SigningKey::rs256("key-1"));
    let verifier = verifier(&issuer);
    let token = (0..20_000)
        .map(|id| issuer.token().claim("jti", id.to_string()).build())
        .find(|token| signature_of(token)[0] == 0)
        .expect("one signature in 256 begins with a zero");
    let _ = accepted(&verifier, &token);
    let signature = signature_of(&token);
    let stripped = with_signature(&token, &signature[1..]);
    assert_refused(&verifier, &stripped, JwtError::Signature, "stripped");
    let longer = with_signature(&token, &[&[0], &signature[..]].concat());
    assert_refused(&verifier, &longer, JwtError::Signature, "one zero more");
}

/// T-SIG-1, K3: the signature of a key of another kind.
#[test]
fn a_signature_of_another_kind_is_refused() {
    let algs = ["RS256", "ES256", "ES384", "ES512", "EdDSA"];
    for alg in algs {
        let (issuer, verifier, _) = house(alg);
        for other in algs.into_iter().filter(|other| *other != alg) {
            let stranger = SigningKey::generate(other, "key-1");
            let token = issuer.token().signed_by(&stranger).build();
            assert_refused(
                &verifier,
                &token,
                JwtError::Signature,
                &format!("{other} as {alg}"),
            );
        }
    }
}
