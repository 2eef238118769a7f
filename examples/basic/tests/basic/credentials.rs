//! What is accepted, what is refused, and how.

use basic_example::{Limits, Passwords, users};
use http::Request;
use portcullis::AuthErrorKind::{InvalidCredentials, InvalidRequest, MissingCredentials};
use portcullis_test::{assert_challenge, assert_private, assert_refused, assert_status, assert_vary};

use crate::support::{ALICE, BOB, answer, basic, encoded, get};

#[tokio::test]
async fn the_right_password_is_accepted_in_every_spelling_of_the_scheme() {
    for user in [ALICE, BOB] {
        let sent = basic(user);
        for authorization in [sent.clone(), sent.replace("Basic ", "bAsIc   ")] {
            let response = answer(get("/me", &authorization)).await;
            assert_status(&response, 200);
            assert_eq!(response.body().trim_end(), user.0);
            assert_private(&response);
            for name in ["authorization", "origin", "sec-fetch-site"] {
                assert_vary(&response, name);
            }
        }
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_user_or_password_the_answer_is_the_same() {
    let mut answers = Vec::new();
    for wrong in [
        ("alice", "correct house"),
        ("alice", "correct horse "),
        ("alice", "Correct horse"),
        ("alice", ""),
        ("alice", BOB.1),
        ("Alice", ALICE.1),
        ("mallory", ALICE.1),
        ("", ALICE.1),
        ("", ""),
    ] {
        let response = answer(get("/me", &basic(wrong))).await;
        assert_refused(&response, InvalidCredentials);
        assert_challenge(&response, "Basic")
            .has("realm", "notes")
            .has("charset", "UTF-8")
            .has("error", "invalid_token");
        answers.push(format!("{:?} {}", response.headers(), response.body()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_status(&answer(get("/me", &basic(ALICE))).await, 200);
}

#[tokio::test]
async fn without_credentials_or_with_those_of_another_scheme_the_browser_is_told_to_ask() {
    for request in [
        Request::get("/me"),
        get("/me", "Bearer abc.def.ghi"),
        get("/me", r#"Digest username="alice""#),
    ] {
        let response = answer(request).await;
        assert_refused(&response, MissingCredentials);
        assert_challenge(&response, "Basic")
            .has("realm", "notes")
            .has("charset", "UTF-8")
            .lacks("error");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_malformed_and_never_taken_for_a_wrong_password() {
    let right = basic(ALICE);
    for unreadable in [
        "Basic",
        "Basic %",
        // Base64 without its padding, and in the alphabet of URLs.
        right.trim_end_matches('='),
        "Basic _-_-",
        // No colon; Latin-1; a control character on either side.
        &encoded("alice"),
        &encoded(b"b\xf8b:secret"),
        &encoded("alice\n:correct horse"),
        &encoded("alice:correct horse\0"),
        &format!("{right}, {right}"),
        &format!("{right} {right}"),
    ] {
        let response = answer(get("/me", unreadable)).await;
        assert_refused(&response, InvalidRequest);
        assert_challenge(&response, "Basic").has("error", "invalid_request");
    }
    let twice = get("/me", &right).header("authorization", &right);
    assert_refused(&answer(twice).await, InvalidRequest);
    assert_status(&answer(get("/me", &right)).await, 200);
}

/// RFC 7617 §2: the first colon separates. What looks like a user-id with a colon is another user.
#[tokio::test]
async fn a_colon_belongs_to_the_password() {
    let response = answer(get("/me", &encoded("alice:correct horse:"))).await;
    assert_refused(&response, InvalidCredentials);
    assert_status(&answer(get("/me", &encoded("alice:correct horse"))).await, 200);
}

#[tokio::test]
async fn the_front_page_is_public_whatever_is_sent() {
    for request in [
        Request::get("/"),
        get("/", "Basic %"),
        get("/", &basic(("alice", "x"))),
    ] {
        assert_status(&answer(request).await, 200);
    }
}

/// Made by the `argon2` of Debian, as the README says.
const OF_DEBIAN: &str = "$argon2id$v=19$m=19456,t=2,p=1$dVlwVHVrellScEphUkNiN3AzZXZEdz09\
    $jnUIFk2rO5PBj9CM/ylYCzQ78yVm6kWAHCu1lNt2Jzs";

/// A user whose check takes another time than that of unknown ones would be found by measuring.
#[test]
fn hashes_that_cannot_be_read_or_cost_something_else_are_a_mistake_in_the_configuration() {
    let [(_, good), _] = users();
    let with = |hash: &str| Passwords::new([("alice", hash)], Limits::default());
    assert!(with(good).is_ok());
    assert!(with(OF_DEBIAN).is_ok(), "a longer salt costs nothing");
    for bad in [
        "",
        "correct horse",
        &good.replace("m=19456", "m=9728"),
        &good.replace("t=2", "t=3"),
        &good.replace("argon2id", "argon2i"),
        &good.replace("v=19", "v=16"),
        good.rsplit_once('$').map_or("", |(no_output, _)| no_output),
    ] {
        assert!(with(bad).is_err(), "{bad}");
    }
}

#[test]
fn debug_shows_neither_users_nor_hashes() {
    let passwords = Passwords::new(users(), Limits::default()).expect("hashes");
    let shown = format!("{passwords:?}");
    assert!(!shown.contains("alice") && !shown.contains("argon2"), "{shown}");
}
