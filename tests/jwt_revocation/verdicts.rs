//! What is refused once it was taken back, and what is not. Each of it anew and from a cache.

use portcullis_core::{AuthError, AuthErrorKind, Timestamp};
use portcullis_jwt::{JwtError, Verifier};
use portcullis_test::{SigningKey, TestIssuer, TokenBuilder};
use serde_json::json;

use crate::doubles::{HandKeys, House, keys_of};
use crate::support::{ASYMMETRIC, ISSUER, NOW, accepted, assert_refused, built};

fn both(house: &House) -> [Verifier; 2] {
    [built(house.builder()), house.verifier()]
}

fn revoke(house: &House, id: &str) {
    let end = Timestamp::from_unix_seconds(NOW + 300);
    house.list.list.revoke(ISSUER, id, end).expect("room");
}

fn revoke_before(house: &House, subject: &str, instant: u64) {
    let instant = Timestamp::from_unix_seconds(instant);
    house
        .list
        .list
        .revoke_before(ISSUER, subject, instant)
        .expect("room");
}

/// T-REV-1: by issuer and id, and nothing that only looks alike.
#[test]
fn asvs_8_3_2_a_revoked_token_is_refused_and_its_neighbours_are_not() {
    let house = House::new();
    for (verifier, id) in both(&house).into_iter().zip(["id-1", "id-2"]) {
        let token = house.issuer.token().claim("jti", id);
        let others = [
            token.clone().claim("jti", format!("{id} ")),
            token.clone().claim("jti", id.to_uppercase()),
            token.clone().claim("jti", format!("{id}\0")),
            token.clone().claim("jti", "alice"),
            token.clone().claim("jti", "x").subject(id),
        ];
        for token in others.iter().chain([&token]) {
            let _ = accepted(&verifier, &token.build());
        }
        revoke(&house, id);
        for _ in 0..2 {
            assert_refused(&verifier, &token.build(), JwtError::Revoked, "revoked");
        }
        // Signed once more, it is still the token of that id.
        let again = token.clone().scope("more").build();
        assert_refused(&verifier, &again, JwtError::Revoked, "another with its id");
        for token in &others {
            let _ = accepted(&verifier, &token.build());
        }
    }
}

/// T-REV-1: an id is an issuer's own.
#[test]
fn an_id_of_one_issuer_revokes_nothing_of_another() {
    let house = House::new();
    let other = TestIssuer::new("https://other.test")
        .clock(house.clock.clone())
        .with_key(&SigningKey::es256("key-1"));
    let keys = HandKeys::new(Ok(keys_of([&other.signing_key()])));
    let trusted = portcullis_jwt::TrustedIssuer::new(other.url(), keys).algorithms(ASYMMETRIC);
    let verifier = built(house.builder().issuer(trusted).cache_tokens(10));
    let [ours, theirs] = [&house.issuer, &other].map(|issuer| issuer.token().claim("jti", "1").build());
    for token in [&ours, &theirs] {
        let _ = accepted(&verifier, token);
    }
    revoke(&house, "1");
    assert_refused(&verifier, &ours, JwtError::Revoked, "ours");
    let _ = accepted(&verifier, &theirs);
    revoke_before(&house, TokenBuilder::SUBJECT, NOW);
    let _ = accepted(&verifier, &theirs);
}

/// T-REV-1: everything of a subject up to a second, that second and its fractions included.
#[test]
fn a_subjects_tokens_are_refused_up_to_the_second_of_the_revocation() {
    let house = House::new();
    for (verifier, subject) in both(&house).into_iter().zip(["bob", "carol"]) {
        let token = |iat: serde_json::Value| house.issuer.token().subject(subject).claim("iat", iat).build();
        let before = [
            json!(1),
            json!(NOW - 11),
            json!(NOW - 10),
            json!(NOW as f64 - 9.5),
        ]
        .map(token);
        let after = [json!(NOW - 9), json!(NOW)].map(token);
        for token in before.iter().chain(&after) {
            let _ = accepted(&verifier, token);
        }
        revoke_before(&house, subject, NOW - 10);
        for (number, token) in before.iter().enumerate() {
            assert_refused(&verifier, token, JwtError::Revoked, &number.to_string());
        }
        for token in &after {
            let _ = accepted(&verifier, token);
        }
        // An id that happens to be the subject's name is nobody's.
        let named = house.issuer.token().claim("jti", subject).build();
        let _ = accepted(&verifier, &named);
    }
}

/// T-REV-1: the instant may be any, as a clock reads it: a token of that second goes with it.
#[test]
fn an_instant_within_a_second_takes_the_whole_second() {
    for millis in [0, 1, 500, 999] {
        let house = House::new();
        let verifier = house.verifier();
        let token = |iat: f64| house.issuer.token().claim("iat", json!(iat)).build();
        let instant = Timestamp::from_unix(std::time::Duration::from_millis((NOW - 10) * 1_000 + millis));
        house.list.list.revoke_before(ISSUER, "alice", instant).unwrap();
        let second = NOW as f64 - 10.0;
        for iat in [second, second + 0.25, second + 0.75] {
            assert_refused(
                &verifier,
                &token(iat),
                JwtError::Revoked,
                &format!("{millis} {iat}"),
            );
        }
        let _ = accepted(&verifier, &token(second + 1.0));
    }
}

/// T-REV-1: what could not be taken back is not taken. Without a list, it is.
#[test]
fn a_verifier_with_a_list_wants_an_id_and_a_date() {
    let house = House::new();
    let without = built(
        Verifier::builder()
            .issuer(house.trusted())
            .audience(TokenBuilder::AUDIENCE)
            .clock(house.clock.clone()),
    );
    for verifier in both(&house) {
        let valid = house.issuer.token();
        let _ = accepted(&verifier, &valid.build());
        for name in ["jti", "iat"] {
            let missing = valid.clone().without(name).build();
            assert_refused(&verifier, &missing, JwtError::MissingClaim(name), name);
            let _ = accepted(&without, &missing);
        }
        for jti in [json!(""), json!(1), json!(null), json!(["a"]), json!({})] {
            let odd = valid.clone().claim("jti", jti.clone()).build();
            assert_refused(&verifier, &odd, JwtError::Claims, &jti.to_string());
        }
        let _ = accepted(&verifier, &valid.clone().without("sub").build());
    }
}

/// T-REV-1: escapes in a token hide neither its id nor its subject.
#[test]
fn an_id_or_a_subject_written_with_escapes_is_the_same() {
    let house = House::new();
    let [by_id, by_subject] = [("jti", "id-\u{e9}"), ("sub", "al\u{ef}ce")];
    revoke(&house, by_id.1);
    revoke_before(&house, by_subject.1, NOW);
    for verifier in both(&house) {
        for (name, plain, escaped) in [
            (by_id.0, by_id.1, "\\u0069d\\u002d\\u00e9"),
            (by_subject.0, by_subject.1, "\\u0061l\\u00EFce"),
        ] {
            let token = house.issuer.token().without(name);
            let claims = serde_json::to_string(token.claims()).unwrap();
            for written in [plain, escaped] {
                let payload = claims.replacen('{', &format!("{{\"{name}\":\"{written}\","), 1);
                let revoked = token.clone().raw_payload(payload).build();
                assert_refused(&verifier, &revoked, JwtError::Revoked, written);
            }
        }
    }
}

/// T-ERR-1: revoked is 401, as every bad token, and says no more.
#[test]
fn a_revoked_token_is_answered_as_any_bad_token() {
    let house = House::new();
    let verifier = house.verifier();
    let token = house.issuer.token().build();
    house.revoke(&accepted(&verifier, &token));
    let error = AuthError::from(verifier.verify_now(&token).expect_err("revoked"));
    let bad = AuthError::from(verifier.verify_now("a.b.c").expect_err("bad"));
    assert_eq!(
        (error.kind(), error.status()),
        (AuthErrorKind::InvalidCredentials, bad.status())
    );
}
