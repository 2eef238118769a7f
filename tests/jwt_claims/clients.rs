//! Who acts: a person through a client, or the client for itself.

use portcullis_core::{Decision, Requirement, SignedIn, SignedInUser};
use portcullis_jwt::{ClaimMap, JwtError, Verifier};
use portcullis_test::{TestIssuer, TokenBuilder};
use serde_json::json;

use crate::support::{accepted, assert_refused, builder, built, issuer, trusted, verifier};

fn with_map(issuer: &TestIssuer, map: ClaimMap) -> Verifier {
    built(builder().issuer(trusted(issuer).claims(map)))
}

#[track_caller]
fn assert_is_client(verifier: &Verifier, token: &TokenBuilder, expected: bool) {
    let verified = accepted(verifier, &token.build());
    assert_eq!(verified.is_client(), expected);
    let caller = verified.into_authentication().unwrap();
    assert_eq!(caller.is_client(), expected);
    assert_eq!(SignedIn::decide(&caller), Decision::Granted);
    assert_eq!(
        SignedInUser::decide(&caller) == Decision::Granted,
        !expected,
        "only people"
    );
}

/// AT10, RFC 9068 §5: a token whose subject is its client is nobody's.
#[test]
fn a_client_that_acts_for_itself_is_no_user() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    assert_is_client(&verifier, &issuer.token(), false);
    assert_is_client(&verifier, &issuer.token().subject(TokenBuilder::CLIENT_ID), true);
    let azp = issuer.token().without("client_id").claim("azp", "service");
    assert_is_client(&verifier, &azp.clone().subject("service"), true);
    assert_is_client(&verifier, &azp.subject("alice"), false);
    assert_is_client(&verifier, &issuer.token().subject("TEST-CLIENT"), false);
}

/// AT10, BCP9: `azp` does not hide the client that `client_id` names, nor the other way round.
#[test]
fn either_name_of_the_client_gives_it_away() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let token = issuer.token().claim("client_id", "one").claim("azp", "two");
    assert_is_client(&verifier, &token.clone().subject("one"), true);
    assert_is_client(&verifier, &token.clone().subject("two"), true);
    let first = accepted(&verifier, &token.build());
    assert_eq!(first.client_id(), Some("one"));
}

/// T8: a client is one text.
#[test]
fn a_client_id_is_one_text() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    for name in ["client_id", "azp"] {
        for value in [
            json!(1),
            json!(null),
            json!({}),
            json!(["one"]),
            json!(["one", "two"]),
        ] {
            let token = issuer.token().claim(name, value.clone()).build();
            assert_refused(&verifier, &token, JwtError::Claims, &format!("{name}: {value}"));
        }
    }
    let mapped = with_map(&issuer, ClaimMap::okta());
    let token = issuer.token().claim("cid", json!(["one"])).build();
    assert_refused(&mapped, &token, JwtError::Claims, "cid");
    let empty = issuer.token().claim("client_id", "").claim("azp", "two").build();
    assert_eq!(accepted(&verifier, &empty).client_id(), Some("two"));
}

/// AT10: an issuer that marks people: whoever has no mark is a client.
#[test]
fn without_the_mark_of_a_person_the_caller_is_a_client() {
    let issuer = issuer();
    let verifier = with_map(&issuer, ClaimMap::standard().client_unless(["user", "name"]));
    assert_is_client(
        &verifier,
        &issuer.token().claim("user", json!({"name": "alice"})),
        false,
    );
    assert_is_client(
        &verifier,
        &issuer.token().claim("user", json!({"name": " "})),
        true,
    );
    assert_is_client(&verifier, &issuer.token().claim("user", json!({})), true);
    assert_is_client(&verifier, &issuer.token().claim("name", "alice"), true);
    assert_is_client(&verifier, &issuer.token(), true);
    let same = issuer
        .token()
        .claim("user", json!({"name": "alice"}))
        .subject(TokenBuilder::CLIENT_ID);
    assert_is_client(&verifier, &same, true);
}

/// AT10: the marks of a map, each with its counterpart.
#[test]
fn a_mark_makes_a_client_and_only_the_right_value_is_one() {
    let issuer = issuer();
    let verifier = with_map(&issuer, ClaimMap::standard().client_when(["kind"], "machine"));
    assert_is_client(&verifier, &issuer.token().claim("kind", "machine"), true);
    assert_is_client(&verifier, &issuer.token().claim("kind", "machines"), false);
    assert_is_client(&verifier, &issuer.token().claim("Kind", "machine"), false);
    assert_is_client(&verifier, &issuer.token(), false);
    let odd = issuer.token().claim("kind", json!(1)).build();
    assert_refused(&verifier, &odd, JwtError::Claims, "of another type");
}
