//! What is in a token, and what never gets into one.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::{AuthError, AuthErrorKind};
use portcullis_jwt::{
    Algorithm, ClaimFault, JwtError, JwtSigner, LocalKeySet, MAX_TOKEN_LEN, Profile, RotationSchedule,
    SignError, TokenRequest,
};
use portcullis_test::ManualClock;
use serde::Serialize;
use serde_json::{Value, json};

use crate::support::{
    API, DAY, HOUR, Held, ISSUER, MINUTE, NOW, at, local_verifier, memory, ring_with_a, s, signer,
    verifier_of,
};

fn world() -> (ManualClock, JwtSigner, Held) {
    let clock = ManualClock::at(NOW);
    let keys = Held::new(ring_with_a());
    (clock.clone(), signer(&clock, keys.clone()), keys)
}

fn request(signer: &JwtSigner) -> TokenRequest {
    signer.access_token("alice", API, "web")
}

fn part(token: &str, index: usize) -> Value {
    let segment = token.split('.').nth(index).expect("three segments");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).expect("base64url")).expect("JSON")
}

#[track_caller]
fn assert_fault(request: TokenRequest, name: &str, fault: ClaimFault) {
    let name = name.into();
    assert_eq!(request.sign().err(), Some(SignError::Claim { name, fault }));
}

/// RFC 9068 §2.1, §2.2
#[test]
fn an_access_token_holds_what_the_profile_asks_for_and_verifies_under_it() {
    let (clock, signer, keys) = world();
    let signed = request(&signer)
        .scope("documents:read documents:write")
        .scope("documents:read profile")
        .roles(["editor"])
        .auth_time(at(0).saturating_sub(s(60)))
        .acr("urn:mace:incommon:iap:silver")
        .amr(["pwd", "otp"])
        .claim("tenant", json!({"id": 7}))
        .sign()
        .expect("a key");
    let token = signed.token().expose();
    assert_eq!(
        part(token, 0),
        json!({"alg": "EdDSA", "kid": "a", "typ": "at+jwt"})
    );
    assert_eq!(
        part(token, 1),
        json!({
            "iss": ISSUER, "sub": "alice", "aud": API, "client_id": "web",
            "iat": NOW, "exp": NOW + 600, "jti": signed.token_id(),
            "scope": "documents:read documents:write profile", "roles": ["editor"],
            "auth_time": NOW - 60, "acr": "urn:mace:incommon:iap:silver", "amr": ["pwd", "otp"],
            "tenant": {"id": 7},
        })
    );
    assert_eq!(signed.expires_at(), at(600));
    let verified = local_verifier(&clock, keys).verify_now(token).expect("it holds");
    assert_eq!(
        (verified.subject(), verified.client_id()),
        (Some("alice"), Some("web"))
    );
    assert!(verified.scopes().iter().any(|scope| scope == "documents:write"));
    assert_eq!(verified.claims().token_id(), Some(signed.token_id()));
}

#[test]
fn a_token_is_dead_when_it_expires() {
    let (clock, signer, keys) = world();
    let signed = request(&signer).lifetime(s(60)).sign().expect("a key");
    let verifier = local_verifier(&clock, keys);
    assert!(verifier.verify_now(signed.token().expose()).is_ok());
    clock.advance(s(60) + 5 * MINUTE);
    let refused = verifier.verify_now(signed.token().expose());
    assert_eq!(refused.err(), Some(JwtError::Expired));
}

/// T-SIGN-9
#[test]
fn a_token_of_ones_own_is_never_an_access_token() {
    let (clock, signer, keys) = world();
    let own = signer
        .jwt("alice", API)
        .claim("client", "web")
        .scope("documents:read")
        .sign()
        .expect("a key");
    assert_eq!(part(own.token().expose(), 0)["typ"], "JWT");
    let strict = local_verifier(&clock, keys.clone());
    assert_eq!(
        strict.verify_now(own.token().expose()).err(),
        Some(JwtError::WrongKind)
    );
    let access = request(&signer).sign().expect("a key");
    assert!(strict.verify_now(access.token().expose()).is_ok());
    let plain = verifier_of(
        Profile::Jwt,
        API,
        &clock,
        LocalKeySet::new(keys),
        &[Algorithm::EdDsa],
    );
    assert!(plain.verify_now(own.token().expose()).is_ok());
}

/// T-SIGN-8
#[test]
fn no_claim_of_the_applications_own_replaces_the_signers() {
    let (_, signer, _) = world();
    for name in [
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "client_id",
        "scope",
        "auth_time",
        "acr",
        "amr",
        "roles",
    ] {
        assert_fault(request(&signer).claim(name, "x"), name, ClaimFault::Reserved);
        let object = json!({"fine": 1, name: "x"});
        assert_fault(request(&signer).claims(&object), name, ClaimFault::Reserved);
        assert_fault(
            signer.jwt("alice", API).claim(name, "x"),
            name,
            ClaimFault::Reserved,
        );
    }
    assert!(request(&signer).claim("ISS", "x").sign().is_ok(), "another name");
}

#[test]
fn a_claim_is_set_once() {
    let (_, signer, _) = world();
    assert!(request(&signer).claim("a", 1).claim("b", 1).sign().is_ok());
    assert_fault(
        request(&signer).claim("a", 1).claim("a", 1),
        "a",
        ClaimFault::Repeated,
    );
    assert_fault(
        request(&signer).claim("a", 1).claims(&json!({"a": 2})),
        "a",
        ClaimFault::Repeated,
    );
    assert_fault(request(&signer).acr("x").acr("x"), "acr", ClaimFault::Repeated);
    assert_fault(
        request(&signer).claim("a", 1).claim("a", 1).claim("sub", 1),
        "a",
        ClaimFault::Repeated,
    );
}

/// T-SIGN-9
#[test]
fn an_access_token_gets_no_claim_that_makes_it_another_kind() {
    let (_, signer, _) = world();
    for name in ["nonce", "events", "at_hash", "htm", "token_introspection"] {
        assert_fault(request(&signer).claim(name, "x"), name, ClaimFault::OtherKind);
        assert!(signer.jwt("alice", API).claim(name, "x").sign().is_ok(), "{name}");
    }
}

#[test]
fn claims_are_the_members_of_an_object() {
    #[derive(Serialize)]
    struct Tenant<'a> {
        tenant: &'a str,
        plan: u8,
    }

    let (_, signer, _) = world();
    let tenant = Tenant {
        tenant: "acme",
        plan: 3,
    };
    let signed = request(&signer).claims(&tenant).sign().expect("a key");
    let payload = part(signed.token().expose(), 1);
    assert_eq!(
        (&payload["tenant"], &payload["plan"]),
        (&json!("acme"), &json!(3))
    );
    for other in [json!(["acme"]), json!("acme"), json!(null)] {
        assert_fault(request(&signer).claims(&other), "claims", ClaimFault::Malformed);
    }
    let keys_that_are_no_texts = std::collections::HashMap::from([((1, 2), 3)]);
    assert_fault(
        request(&signer).claim("a", keys_that_are_no_texts),
        "a",
        ClaimFault::Malformed,
    );
    assert_fault(request(&signer).claim("", 1), "", ClaimFault::Empty);
}

#[test]
fn what_says_nothing_or_something_impossible_is_refused() {
    let (clock, signer, _) = world();
    for (request, name) in [
        (signer.access_token("", API, "web"), "sub"),
        (signer.access_token("alice", "", "web"), "aud"),
        (signer.access_token("alice", None, "web"), "aud"),
        (signer.access_token("alice", API, ""), "client_id"),
        (signer.jwt("", API), "sub"),
        (signer.jwt("alice", None), "aud"),
        (request(&signer).acr(""), "acr"),
        (request(&signer).amr(["pwd", ""]), "amr"),
        (request(&signer).roles([""]), "roles"),
        (request(&signer).lifetime(s(0)), "exp"),
    ] {
        assert_fault(request, name, ClaimFault::Empty);
    }
    assert_fault(request(&signer).scope("a \"b\""), "scope", ClaimFault::Malformed);
    assert!(request(&signer).auth_time(at(300)).sign().is_ok());
    assert_fault(
        request(&signer).auth_time(at(301)),
        "auth_time",
        ClaimFault::InTheFuture,
    );
    let huge = request(&signer).claim("a", "x".repeat(MAX_TOKEN_LEN)).sign();
    assert_eq!(huge.err(), Some(SignError::TooLong));
    let with_default = JwtSigner::builder(ISSUER, Held::new(ring_with_a()))
        .audience(API)
        .clock(clock)
        .build()
        .expect("a sound configuration");
    let token = with_default
        .access_token("alice", None, "web")
        .sign()
        .expect("a key");
    assert_eq!(part(token.token().expose(), 1)["aud"], API);
    let token = with_default
        .access_token("alice", "https://other.test", "web")
        .sign();
    assert_eq!(
        part(token.expect("a key").token().expose(), 1)["aud"],
        "https://other.test"
    );
}

#[test]
fn a_token_lives_shorter_than_the_signers_others_or_is_refused() {
    let (_, signer, _) = world();
    let signed = request(&signer).lifetime(10 * MINUTE).sign().expect("a key");
    assert_eq!(signed.expires_at(), at(600));
    let refused = request(&signer).lifetime(10 * MINUTE + s(1)).sign();
    assert_eq!(refused.err(), Some(SignError::LifetimeTooLong));
}

/// T-SIGN-10
#[test]
fn a_signer_whose_tokens_outlive_their_key_is_not_built() {
    let clock = ManualClock::at(NOW);
    let keys = memory(&clock, RotationSchedule::new());
    let build = |lifetime| {
        JwtSigner::builder(ISSUER, keys.clone())
            .lifetime(lifetime)
            .build()
    };
    assert!(build(HOUR).is_ok());
    assert!(build(HOUR + s(1)).is_err());
    assert!(build(s(0)).is_err());
    assert!(JwtSigner::builder("", keys.clone()).build().is_err());
    assert!(
        JwtSigner::builder(ISSUER, keys.clone())
            .audience("")
            .build()
            .is_err()
    );
}

/// T-SIGN-10
#[test]
fn a_signer_that_could_not_ask_the_ring_when_it_was_built_asks_when_it_signs() {
    let source = Held::new(ring_with_a());
    source.set(None);
    let signer = JwtSigner::builder(ISSUER, source.clone())
        .lifetime(DAY)
        .clock(ManualClock::at(NOW))
        .build()
        .expect("nobody knows better");
    source.set(Some(ring_with_a()));
    assert_eq!(request(&signer).sign().err(), Some(SignError::LifetimeTooLong));
    assert!(request(&signer).lifetime(HOUR).sign().is_ok());
}

#[test]
fn without_keys_the_answer_is_503_and_a_mistake_is_500() {
    let (_, signer, keys) = world();
    assert!(request(&signer).sign().is_ok());
    keys.set(None);
    let error = request(&signer).sign().expect_err("no ring");
    assert_eq!(
        error,
        SignError::KeysUnavailable {
            retry_after: Some(s(7))
        }
    );
    let refusal = AuthError::from(error);
    assert_eq!(
        (refusal.kind(), refusal.retry_after()),
        (AuthErrorKind::Unavailable, Some(s(7)))
    );
    let mut empty = ring_with_a();
    empty.withdraw(at(0), "a").expect("it is there");
    keys.set(Some(empty));
    let error = request(&signer).sign().expect_err("no key");
    assert_eq!(error, SignError::KeysUnavailable { retry_after: None });
    let error = request(&signer).claim("sub", 1).sign().expect_err("reserved");
    assert_eq!(AuthError::from(error).kind(), AuthErrorKind::Misconfigured);
}

#[test]
fn token_ids_are_random_unless_a_test_draws_them() {
    let (_, signer, keys) = world();
    let ids: HashSet<_> = (0..64)
        .map(|_| request(&signer).sign().expect("a key").token_id().to_owned())
        .collect();
    assert_eq!(ids.len(), 64);
    assert!(ids.iter().all(|id| id.len() == 22));
    let drawn = JwtSigner::builder(ISSUER, keys).random(|| [0xff; 16]).build();
    let token = drawn
        .expect("a sound configuration")
        .access_token("alice", API, "web")
        .sign();
    assert_eq!(token.expect("a key").token_id(), "_____________________w");
}

#[test]
fn debug_shows_neither_a_token_nor_a_claim() {
    let (_, signer, _) = world();
    let request = request(&signer).claim("pin", "1234");
    let shown = format!("{request:?}");
    assert!(!shown.contains("1234") && !shown.contains("alice"), "{shown}");
    let signed = request.sign().expect("a key");
    let shown = format!("{signed:?} {signer:?}");
    assert!(!shown.contains(signed.token().expose().as_str()), "{shown}");
    assert!(shown.contains("Secret(..)"));
}

/// What no verifier of ours would read is not signed: a claim that nests too deeply.
#[test]
fn a_claim_is_signed_as_deep_as_it_is_read() {
    let (clock, signer, keys) = world();
    let verifier = local_verifier(&clock, keys);
    let mut value = json!(1);
    let mut deepest = 0;
    for depth in 1..40 {
        value = if depth % 2 == 0 {
            json!([value])
        } else {
            json!({"a": value})
        };
        match request(&signer).claim("deep", &value).sign() {
            Ok(signed) => {
                assert!(verifier.verify_now(signed.token().expose()).is_ok(), "{depth}");
                deepest = depth;
            }
            Err(error) => {
                let name = "deep".into();
                let fault = ClaimFault::Malformed;
                assert_eq!(error, SignError::Claim { name, fault }, "{depth}");
                assert_eq!(deepest + 1, 16, "as deep as it can get");
                return;
            }
        }
    }
    panic!("nothing was refused");
}

/// A session store whose clock is a little ahead: nobody authenticated after the token was issued.
#[test]
fn an_auth_time_a_little_ahead_is_not_later_than_the_token() {
    let (clock, signer, keys) = world();
    let verifier = local_verifier(&clock, keys);
    for (ahead, written) in [(0, NOW), (1, NOW), (300, NOW)] {
        let signed = request(&signer).auth_time(at(ahead)).sign().expect("a key");
        assert_eq!(part(signed.token().expose(), 1)["auth_time"], written);
        assert!(verifier.verify_now(signed.token().expose()).is_ok(), "{ahead}");
    }
    let before = request(&signer).auth_time(at(0).saturating_sub(s(1))).sign();
    assert_eq!(
        part(before.expect("a key").token().expose(), 1)["auth_time"],
        NOW - 1
    );
}

/// T-SIGN-8
/// Texts that would end a string, or a name that looks like another one, stay what they are.
#[test]
fn no_text_breaks_out_of_its_claim() {
    let (clock, signer, keys) = world();
    let verifier = local_verifier(&clock, keys);
    for text in [
        r#"alice","sub":"root"#,
        "a\\u0022,\"exp\":9999999999",
        "\u{0}\u{1f}\n\r\t",
        "\u{2028}\u{1f600}\u{fffd}",
        ".",
        "=",
    ] {
        let signed = signer
            .access_token(text, API, text)
            .roles([text])
            .acr(text)
            .claim(text, text)
            .sign()
            .expect("a key");
        let payload = part(signed.token().expose(), 1);
        assert_eq!(
            (&payload["sub"], &payload["client_id"]),
            (&json!(text), &json!(text))
        );
        assert_eq!(
            (&payload["roles"], &payload[text]),
            (&json!([text]), &json!(text))
        );
        assert_eq!(payload.as_object().map(|members| members.len()), Some(10));
        assert_eq!(payload["exp"], NOW + 600);
        let verified = verifier.verify_now(signed.token().expose()).expect("it holds");
        assert_eq!(verified.subject(), Some(text));
    }
    for scope in ["a\u{a0}b", "a\tb", "a\nb", "\u{e9}", "a\\b", "a\"b"] {
        assert_fault(request(&signer).scope(scope), "scope", ClaimFault::Malformed);
    }
}

/// T-SIGN-4
/// A token that a verifier remembers is worth no more than its key.
#[test]
fn a_withdrawn_key_takes_the_remembered_tokens_of_its_own_signer_with_it() {
    let clock = ManualClock::at(NOW);
    let keys = memory(&clock, RotationSchedule::new());
    let signer = signer(&clock, keys.clone());
    let ourselves = portcullis_jwt::TrustedIssuer::new(ISSUER, LocalKeySet::new(keys.clone()));
    let verifier = portcullis_jwt::Verifier::builder()
        .issuer(ourselves.algorithms([Algorithm::EdDsa]))
        .audience(API)
        .clock(clock)
        .cache_tokens(10)
        .build()
        .expect("a sound configuration");
    let signed = request(&signer).sign().expect("a key");
    for _ in 0..2 {
        assert!(verifier.verify_now(signed.token().expose()).is_ok());
    }
    keys.rotate().expect("none waits");
    assert!(
        verifier.verify_now(signed.token().expose()).is_ok(),
        "another key is nothing to it"
    );
    keys.withdraw("key-1").expect("it is there");
    let refused = verifier.verify_now(signed.token().expose());
    assert_eq!(refused.err(), Some(JwtError::UnknownKey));
}
