//! `iss`: one text, compared byte for byte, always.

use portcullis_jwt::{ClaimMap, JwtError, Profile, TrustedIssuer, Verifier};
use portcullis_test::{ManualClock, TokenBuilder};
use serde_json::json;

use crate::support::{
    ASYMMETRIC, ISSUER, NOW, accepted, assert_refused, builder, built, issuer, published, trusted,
};

/// T-ISS-1, T2, CVE-2024-53861: the signature is good each time; only `iss` is not what it must be.
#[test]
fn an_issuer_that_only_looks_like_the_configured_one_is_refused() {
    let issuer = issuer();
    let one = built(builder().issuer(trusted(&issuer)));
    let another = TrustedIssuer::new("https://other.test", published(&issuer)).algorithms(ASYMMETRIC);
    let two = built(builder().issuer(trusted(&issuer)).issuer(another));
    let _ = (
        accepted(&one, &issuer.token().build()),
        accepted(&two, &issuer.token().build()),
    );
    for iss in [
        "https://issuer.tes",
        "https://issuer.test/",
        "https://issuer.test//",
        "https://issuer.test.attacker.test",
        "https://issuer.test@attacker.test",
        "https://issuer.test#",
        "https://issuer.test?",
        "https://attacker.test/https://issuer.test",
        "https://attacker.test/?https://issuer.test",
        "issuer.test",
        "//issuer.test",
        "http://issuer.test",
        "https://ISSUER.test",
        "HTTPS://issuer.test",
        "https://issuer.test:443",
        "https://issuer.test.",
        "https://issuer.test ",
        " https://issuer.test",
        "https://issuer.test\n",
        "https://issuer.test\0",
        "https://issuer.test,https://other.test",
        "https://issu\u{0435}r.test",
        "https://issuer.test\u{feff}",
        "https://%69ssuer.test",
        "",
        "*",
    ] {
        let token = issuer.token().claim("iss", iss).build();
        assert_refused(&one, &token, JwtError::Issuer, iss);
        assert_refused(&two, &token, JwtError::Issuer, iss);
    }
}

/// T-ISS-1, T8: an issuer is a string, and there is one.
#[test]
fn an_issuer_of_another_type_is_refused() {
    let issuer = issuer();
    let another = TrustedIssuer::new("https://other.test", published(&issuer)).algorithms(ASYMMETRIC);
    for verifier in [
        built(builder().issuer(trusted(&issuer))),
        built(builder().issuer(trusted(&issuer)).issuer(another)),
    ] {
        for iss in [
            json!([ISSUER]),
            json!([ISSUER, "https://attacker.test"]),
            json!(["https://attacker.test", ISSUER]),
            json!([]),
            json!({ISSUER: true}),
            json!({"iss": ISSUER}),
            json!(null),
            json!(true),
            json!(1),
        ] {
            let token = issuer.token().claim("iss", iss.clone()).build();
            assert_refused(&verifier, &token, JwtError::Claims, &iss.to_string());
        }
        let missing = issuer.token().without("iss").build();
        assert_refused(&verifier, &missing, JwtError::MissingClaim("iss"), "missing");
        let nested = issuer
            .token()
            .without("iss")
            .claim("a", json!({"iss": ISSUER}))
            .build();
        assert_refused(&verifier, &nested, JwtError::MissingClaim("iss"), "nested");
        let upper = issuer.token().without("iss").claim("ISS", ISSUER).build();
        assert_refused(&verifier, &upper, JwtError::MissingClaim("iss"), "upper case");
    }
}

/// T-ISS-1, J3: an issuer that stands there twice, plainly or with escapes.
#[test]
fn an_issuer_named_twice_is_refused() {
    let issuer = issuer();
    let verifier = built(builder().issuer(trusted(&issuer)));
    let claims = serde_json::to_string(issuer.token().claims()).unwrap();
    let escaped = claims.replace("\"iss\"", "\"\\u0069ss\"");
    assert_ne!(claims, escaped);
    let _ = accepted(&verifier, &issuer.token().raw_payload(escaped).build());
    for (name, value) in [
        ("iss", ISSUER),
        ("iss", "https://attacker.test"),
        ("\\u0069ss", "https://attacker.test"),
        ("\\u0069\\u0073\\u0073", ISSUER),
    ] {
        let last = format!("{},\"{name}\":\"{value}\"}}", claims.trim_end_matches('}'));
        let first = claims.replacen('{', &format!("{{\"{name}\":\"{value}\","), 1);
        for payload in [first, last] {
            let token = issuer.token().raw_payload(payload).build();
            assert_refused(&verifier, &token, JwtError::Claims, name);
        }
    }
}

/// T-ISS-2, CVE-2026-22748: however the rest is configured, the issuer is checked.
#[test]
fn every_configuration_checks_the_issuer() {
    let issuer = issuer();
    let one = || builder().issuer(trusted(&issuer));
    let own = || Verifier::builder().clock(ManualClock::at(NOW));
    let maps = [
        ClaimMap::standard(),
        ClaimMap::empty(),
        ClaimMap::empty().require(["sub"], ["alice"]),
    ];
    let mut verifiers = vec![
        ("plain", built(one())),
        ("strict", built(one().profile(Profile::AccessToken))),
        ("jwt", built(one().profile(Profile::Jwt))),
        ("audience optional", built(one().dangerous_without_audience())),
        (
            "issuer's audience",
            built(own().issuer(trusted(&issuer).audience(TokenBuilder::AUDIENCE))),
        ),
        ("required", built(one().require_claim("sub", ["alice"]))),
        (
            "lifetime",
            built(one().max_lifetime(std::time::Duration::from_secs(3600))),
        ),
        (
            "skew",
            built(one().clock_skew(std::time::Duration::from_secs(300))),
        ),
    ];
    for map in maps {
        verifiers.push(("map", built(builder().issuer(trusted(&issuer).claims(map)))));
    }
    let twin = TrustedIssuer::new("https://other.test", published(&issuer)).algorithms(ASYMMETRIC);
    verifiers.push(("two issuers", built(one().issuer(twin))));
    let no_audience = built(own().issuer(trusted(&issuer)).dangerous_without_audience());
    let without = issuer.token().without("aud");
    let _ = accepted(&no_audience, &without.build());
    let wrong = without.claim("iss", "https://other.test").build();
    assert_refused(&no_audience, &wrong, JwtError::Issuer, "no audience");
    for (what, verifier) in &verifiers {
        let _ = accepted(verifier, &issuer.token().build());
        let wrong = issuer.wrong_issuer_token().build();
        assert_refused(verifier, &wrong, JwtError::Issuer, what);
        let missing = issuer.token().without("iss").build();
        assert_refused(verifier, &missing, JwtError::MissingClaim("iss"), what);
    }
}

/// T-ISS-2: an issuer that is left out, empty or there twice is a mistake, not a wildcard.
#[test]
fn a_verifier_without_a_definite_issuer_is_not_built() {
    let issuer = issuer();
    let named = |name: &str| TrustedIssuer::new(name, published(&issuer)).algorithms(ASYMMETRIC);
    assert!(builder().build().is_err(), "none");
    assert!(builder().issuer(named("")).build().is_err(), "empty");
    assert!(
        builder().issuer(named(ISSUER)).issuer(named("")).build().is_err(),
        "one of them empty"
    );
    assert!(
        builder()
            .issuer(named(ISSUER))
            .issuer(named(ISSUER))
            .build()
            .is_err(),
        "twice"
    );
    assert!(
        builder()
            .issuer(named(ISSUER))
            .issuer(named("https://issuer.test/"))
            .build()
            .is_ok()
    );
}

/// T2, DC2: a trailing slash belongs to the name.
#[test]
fn a_trailing_slash_belongs_to_the_issuers_name() {
    let issuer = issuer();
    let slash = TrustedIssuer::new("https://issuer.test/", published(&issuer)).algorithms(ASYMMETRIC);
    let verifier = built(builder().issuer(slash));
    let _ = accepted(
        &verifier,
        &issuer.token().claim("iss", "https://issuer.test/").build(),
    );
    assert_refused(&verifier, &issuer.token().build(), JwtError::Issuer, "no slash");
}
