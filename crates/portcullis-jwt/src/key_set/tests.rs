use super::*;

const X: &str = "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY";
const Y: &str = "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU";
/// The Ed25519 base point.
const ED: &str = "WGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY";
/// RFC 8037 §A.2.
const ED_OTHER: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn p256(kid: &str, more: &str) -> String {
    format!(r#"{{"kty":"EC","crv":"P-256","kid":"{kid}","x":"{X}","y":"{Y}"{more}}}"#)
}

fn ed(kid: &str, x: &str) -> String {
    format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}"#)
}

fn keys(entries: &[String]) -> Result<Keys, JwksError> {
    let json = format!(r#"{{"keys":[{}]}}"#, entries.join(","));
    Keys::from_jwks(json.as_bytes(), &JwksLimits::new())
}

/// K1, T-JWKS-9
#[test]
fn one_bad_key_spoils_nothing_and_is_counted() {
    let good = p256("good", "");
    let bad = [
        r#""a string""#.to_owned(),
        r#"{"kid":"no type"}"#.to_owned(),
        r#"{"kty":"EC","crv":"P-256","kid":"no y","x":"AA"}"#.to_owned(),
        r#"{"kty":"RSA","kid":"numbers","n":1,"e":2}"#.to_owned(),
        p256("twice", r#","kid":"again""#),
        p256("bad ops", r#","key_ops":"verify""#),
    ];
    let all = keys(&[&[good][..], &bad].concat()).expect("one is good");
    assert_eq!((all.len(), all.skipped().malformed), (1, bad.len()));
    assert_eq!(keys(&bad).err(), Some(JwksError::NoUsableKeys));
}

/// T-ALG-3, K6
#[test]
fn symmetric_and_private_keys_of_a_set_are_never_used() {
    let entries = [
        p256("good", ""),
        r#"{"kty":"oct","kid":"a","alg":"HS256","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#
            .to_owned(),
        p256("private", r#","d":"AAAA""#),
        r#"{"kty":"RSA","kid":"b","n":"AQAB","e":"AQAB","oth":[]}"#.to_owned(),
    ];
    let keys = keys(&entries).expect("one is good");
    assert_eq!((keys.len(), keys.skipped().private), (1, 3));
    assert!(!keys.knows(Some("a"), Algorithm::Hs256));
}

/// K2, K3
#[test]
fn a_key_serves_only_what_all_its_members_agree_on() {
    let entries = [
        p256("plain", ""),
        p256("sig", r#","use":"sig","key_ops":["verify"],"alg":"ES256""#),
        p256("enc", r#","use":"enc""#),
        p256("ops", r#","key_ops":["encrypt"]"#),
        p256("no ops", r#","key_ops":[]"#),
        p256("other alg", r#","alg":"RS256""#),
        p256("other curve", r#","alg":"ES384""#),
        p256("unknown alg", r#","alg":"ECDH-ES""#),
        format!(r#"{{"kty":"EC","crv":"secp256k1","kid":"curve","x":"{X}","y":"{Y}"}}"#),
        format!(r#"{{"kty":"OKP","crv":"X25519","kid":"okp","x":"{ED}"}}"#),
        format!(r#"{{"kty":"OKP","crv":"P-256","kid":"mixed","x":"{X}","y":"{Y}"}}"#),
    ];
    let keys = keys(&entries).expect("two are good");
    let kids: Vec<_> = keys.iter().filter_map(VerifyingKey::kid).collect();
    assert_eq!(kids, ["plain", "sig"]);
    assert_eq!(keys.skipped().other_use, 3);
    assert_eq!(keys.skipped().unsupported, 6);
    assert!(keys.knows(Some("plain"), Algorithm::Es256));
    for algorithm in [
        Algorithm::Es384,
        Algorithm::Rs256,
        Algorithm::EdDsa,
        Algorithm::Hs256,
    ] {
        assert!(!keys.knows(Some("plain"), algorithm), "{algorithm}");
    }
}

/// A2, A4
#[test]
fn unsound_keys_of_a_set_are_left_out() {
    let n1024 = "_".repeat(171);
    let entries = [
        p256("good", ""),
        format!(r#"{{"kty":"RSA","kid":"small","n":"{n1024}","e":"AQAB"}}"#)
            .replace(&n1024, &format!("{}w", "_".repeat(170))),
        format!(
            r#"{{"kty":"OKP","crv":"Ed25519","kid":"zero","x":"{}"}}"#,
            "A".repeat(43)
        ),
        format!(r#"{{"kty":"EC","crv":"P-256","kid":"swapped","x":"{Y}","y":"{X}"}}"#),
    ];
    let keys = keys(&entries).expect("one is good");
    assert_eq!((keys.len(), keys.skipped().unsound), (1, 3));
}

/// K4: decoys of other types under the same id do not get in the way.
#[test]
fn the_same_kid_on_keys_of_other_types_is_no_conflict() {
    let keys = keys(&[ed("k", ED), p256("k", "")]).expect("both are good");
    assert_eq!(keys.skipped().total(), 0);
    assert!(keys.select(Some("k"), Algorithm::Es256).is_ok());
    assert!(keys.select(Some("k"), Algorithm::EdDsa).is_ok());
}

/// T-JWKS-10, K5
#[test]
fn two_candidates_are_ambiguous_and_never_tried_in_turn() {
    let same_kid = keys(&[ed("k", ED), ed("k", ED_OTHER)]).expect("both are good");
    assert_eq!(same_kid.skipped().conflicting, 1);
    assert_eq!(
        same_kid.select(Some("k"), Algorithm::EdDsa).err(),
        Some(JwtError::AmbiguousKey)
    );

    let two = keys(&[ed("a", ED), ed("b", ED_OTHER)]).expect("both are good");
    assert_eq!(
        two.select(None, Algorithm::EdDsa).err(),
        Some(JwtError::AmbiguousKey)
    );
    assert!(two.select(Some("a"), Algorithm::EdDsa).is_ok());

    let one = keys(&[ed("a", ED), p256("b", "")]).expect("both are good");
    assert!(
        one.select(None, Algorithm::EdDsa).is_ok(),
        "exactly one compatible key"
    );

    let repeated = keys(&[ed("a", ED), ed("a", ED)]).expect("the same key twice is one key");
    assert_eq!(repeated.len(), 1);
}

#[test]
fn a_published_key_answers_to_its_own_id_only() {
    let keys = keys(&[
        ed("a", ED),
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}"}}"#),
    ])
    .expect("good");
    assert_eq!(
        keys.select(Some("b"), Algorithm::EdDsa).err(),
        Some(JwtError::UnknownKey)
    );
    assert_eq!(
        keys.select(Some("b"), Algorithm::Es256).err(),
        Some(JwtError::UnknownKey)
    );
    assert!(keys.select(None, Algorithm::Es256).is_ok());
}

#[test]
fn a_document_that_is_no_key_set_is_refused() {
    for json in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":null}"#,
        "{\"keys\":[]} x",
    ] {
        let refused = Keys::from_jwks(json.as_bytes(), &JwksLimits::new()).err();
        assert_eq!(refused, Some(JwksError::Malformed), "{json}");
    }
    assert_eq!(keys(&[]).err(), Some(JwksError::NoUsableKeys));
}

/// T-JWKS-7: the count is capped before any key is parsed.
#[test]
fn more_keys_than_allowed_are_refused_whole() {
    let entries = vec![ed("k", ED); 101];
    assert_eq!(keys(&entries).err(), Some(JwksError::TooManyKeys));
    assert_eq!(keys(&entries[..100]).expect("one key, often").len(), 1);
}

#[test]
fn configured_keys_that_cannot_be_told_apart_are_refused() {
    let secret = portcullis_core::Secret::new(vec![7; 64]);
    let key = || VerifyingKey::hmac(Algorithm::Hs256, &secret).expect("key");
    assert!(StaticKeySet::new([]).is_err());
    assert!(StaticKeySet::new([key(), key()]).is_err());
    assert!(StaticKeySet::new([key().with_kid("a"), key()]).is_err());
    assert!(StaticKeySet::new([key().with_kid("a"), key().with_kid("a")]).is_err());
    assert!(StaticKeySet::new([key().with_kid("a"), key().with_kid("b")]).is_ok());
    let other = VerifyingKey::hmac(Algorithm::Hs512, &secret).expect("key");
    assert!(StaticKeySet::new([key(), other]).is_ok());
}
