//! `aud`: ours is among them, or the token is somebody else's.

use portcullis_jwt::{JwtError, Verifier};
use portcullis_test::{ManualClock, TokenBuilder};
use serde_json::json;

use crate::support::{NOW, accepted, assert_refused, builder, built, issuer, trusted, verifier};

const OURS: &str = TokenBuilder::AUDIENCE;

/// T3, T4, B17
#[test]
fn a_token_for_us_among_others_is_accepted() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    let many: Vec<_> = (0..100).map(|index| format!("urn:{index}")).collect();
    let many_and_us: Vec<_> = many.iter().map(String::as_str).chain([OURS]).collect();
    for aud in [
        json!(OURS),
        json!([OURS]),
        json!([OURS, OURS]),
        json!(["", OURS]),
        json!(many_and_us),
    ] {
        let _ = accepted(&verifier, &issuer.token().audience(aud).build());
    }
    for aud in [
        json!([]),
        json!(""),
        json!([""]),
        json!(many),
        json!("https://api.example.test/"),
        json!("https://api.example.tes"),
        json!("https://api.example.test/v1"),
        json!("https://API.example.test"),
        json!("https://api.example.test https://other.test"),
        json!("https://other.test,https://api.example.test"),
        json!("*"),
        json!(" https://api.example.test"),
    ] {
        let token = issuer.token().audience(aud.clone()).build();
        assert_refused(&verifier, &token, JwtError::Audience, &aud.to_string());
    }
    let missing = issuer.token().without("aud").build();
    assert_refused(&verifier, &missing, JwtError::MissingClaim("aud"), "missing");
}

/// T8: no coercion, also beside the right value.
#[test]
fn an_audience_of_another_type_is_refused() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    for aud in [
        json!(5),
        json!(null),
        json!(true),
        json!({}),
        json!({OURS: true}),
        json!([5]),
        json!([null]),
        json!([OURS, 5]),
        json!([5, OURS]),
        json!([OURS, null]),
        json!([[OURS]]),
        json!([{"aud": OURS}]),
    ] {
        let token = issuer.token().audience(aud.clone()).build();
        assert_refused(&verifier, &token, JwtError::Claims, &aud.to_string());
    }
    let payload = serde_json::to_string(issuer.token().claims()).unwrap();
    let twice = payload.replacen('{', "{\"aud\":\"https://other.test\",", 1);
    let token = issuer.token().raw_payload(twice).build();
    assert_refused(&verifier, &token, JwtError::Claims, "twice");
}

/// T4: without an audience there is no verifier; the loud opt-out takes tokens that have none, and
/// those only.
#[test]
fn the_opt_out_is_for_tokens_without_an_audience_only() {
    let issuer = issuer();
    let own = || {
        Verifier::builder()
            .clock(ManualClock::at(NOW))
            .issuer(trusted(&issuer))
    };
    assert!(own().build().is_err(), "an audience is mandatory");
    assert!(own().audience("").build().is_err(), "and not empty");
    let verifier = built(
        own()
            .dangerous_without_audience()
            .require_claim("client_id", ["test-client"]),
    );
    let _ = accepted(&verifier, &issuer.token().without("aud").build());
    for aud in [
        json!(OURS),
        json!("https://other.test"),
        json!([]),
        json!([""]),
        json!(""),
    ] {
        let token = issuer.token().audience(aud.clone()).build();
        assert_refused(&verifier, &token, JwtError::Audience, &aud.to_string());
    }
    let null = issuer.token().audience(json!(null)).build();
    assert_refused(&verifier, &null, JwtError::Claims, "null is not absent");
    let other_client = issuer
        .token()
        .without("aud")
        .claim("client_id", "another")
        .build();
    assert_refused(
        &verifier,
        &other_client,
        JwtError::RequiredClaim,
        "another client",
    );
    let no_client = issuer.token().without("aud").without("client_id").build();
    assert_refused(&verifier, &no_client, JwtError::RequiredClaim, "no client");

    let both = built(builder().issuer(trusted(&issuer)).dangerous_without_audience());
    let _ = accepted(&both, &issuer.token().build());
    let _ = accepted(&both, &issuer.token().without("aud").build());
    let other = issuer.wrong_audience_token().build();
    assert_refused(&both, &other, JwtError::Audience, "still somebody else's");
}

/// T3: several identifiers of one API.
#[test]
fn each_configured_audience_is_ours() {
    let issuer = issuer();
    let verifier = built(
        builder()
            .audience("urn:second")
            .issuer(trusted(&issuer).audience("urn:third")),
    );
    for aud in [OURS, "urn:second", "urn:third"] {
        let _ = accepted(&verifier, &issuer.token().audience(aud).build());
    }
    let token = issuer.token().audience("urn:fourth").build();
    assert_refused(&verifier, &token, JwtError::Audience, "not ours");
}

/// T4, BCP10: an opt-out that one issuer needs (Cognito) must not reach another's tokens.
#[test]
fn the_opt_out_for_one_issuer_does_not_reach_another() {
    let cognito = issuer();
    let other = portcullis_test::TestIssuer::new("https://other.test").clock(ManualClock::at(NOW));
    let verifier = built(
        builder()
            .issuer(trusted(&cognito).dangerous_without_audience())
            .issuer(trusted(&other)),
    );
    let for_all = builder()
        .issuer(trusted(&cognito))
        .issuer(trusted(&other))
        .dangerous_without_audience();
    assert!(for_all.build().is_err());
    let _ = accepted(&verifier, &cognito.token().without("aud").build());
    let token = other.token().without("aud").build();
    assert_refused(
        &verifier,
        &token,
        JwtError::MissingClaim("aud"),
        "the other issuer sends aud",
    );
}
