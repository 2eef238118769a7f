//! `exp`, `nbf`, `iat`, `auth_time` and the longest lifetime, to the second and below it.

use std::time::Duration;

use portcullis_jwt::{JwtError, Verifier};
use serde_json::{Value, json};

use crate::support::{NOW, accepted, assert_refused, builder, built, issuer, trusted};

fn with_skew(seconds: u64) -> Verifier {
    built(
        builder()
            .issuer(trusted(&issuer_with_one_key()))
            .clock_skew(Duration::from_secs(seconds)),
    )
}

/// The same issuer for every verifier of one test thread.
fn issuer_with_one_key() -> portcullis_test::TestIssuer {
    thread_local!(static ISSUER: portcullis_test::TestIssuer = issuer());
    ISSUER.with(Clone::clone)
}

fn verdict(verifier: &Verifier, name: &str, value: Value) -> Option<JwtError> {
    // An `iat` long ago, so that it contradicts nothing that is tried here.
    let token = issuer_with_one_key().token().claim("iat", 1).claim(name, value);
    verifier.verify_now(&token.build()).err()
}

/// T5, row 15: the second `exp` names is the first in which the token is refused.
#[test]
fn a_token_expires_the_moment_its_expiry_comes() {
    for skew in [0, 1, 30, 300] {
        let verifier = with_skew(skew);
        let first_bad = NOW - skew;
        assert_eq!(verdict(&verifier, "exp", json!(first_bad + 1)), None, "{skew}");
        assert_eq!(
            verdict(&verifier, "exp", json!(first_bad)),
            Some(JwtError::Expired),
            "{skew}"
        );
        assert_eq!(
            verdict(&verifier, "exp", json!(first_bad - 1)),
            Some(JwtError::Expired),
            "{skew}"
        );
    }
    assert!(
        builder()
            .issuer(trusted(&issuer()))
            .clock_skew(Duration::from_secs(301))
            .build()
            .is_err()
    );
    assert!(
        builder()
            .issuer(trusted(&issuer()))
            .clock_skew(Duration::MAX)
            .build()
            .is_err()
    );
}

/// T5: the skew that nobody configured is thirty seconds, in both directions.
#[test]
fn thirty_seconds_are_tolerated_unless_told_otherwise() {
    let verifier = built(builder().issuer(trusted(&issuer_with_one_key())));
    assert_eq!(verdict(&verifier, "exp", json!(NOW - 29)), None);
    assert_eq!(
        verdict(&verifier, "exp", json!(NOW - 30)),
        Some(JwtError::Expired)
    );
    assert_eq!(verdict(&verifier, "nbf", json!(NOW + 30)), None);
    assert_eq!(
        verdict(&verifier, "nbf", json!(NOW + 31)),
        Some(JwtError::NotYetValid)
    );
}

/// T6, row 15: fractions of a second count.
#[test]
fn a_fractional_date_is_read_and_compared_exactly() {
    let verifier = with_skew(0);
    let now = NOW as f64;
    for (exp, expected) in [
        (json!(now + 0.5), None),
        (json!(now), Some(JwtError::Expired)),
        (json!(now - 0.5), Some(JwtError::Expired)),
        (json!(2e9), None),
        (json!(1.9e9), None),
    ] {
        assert_eq!(verdict(&verifier, "exp", exp.clone()), expected, "{exp}");
    }
    assert_eq!(
        verdict(&verifier, "nbf", json!(now + 0.5)),
        Some(JwtError::NotYetValid)
    );
    assert_eq!(verdict(&verifier, "nbf", json!(now)), None);
}

fn raw(verifier: &Verifier, name: &str, value: &str) -> Option<JwtError> {
    let token = issuer_with_one_key().token().claim("iat", 1).without(name);
    let claims = serde_json::to_string(token.claims()).unwrap();
    let payload = claims.replacen('{', &format!("{{\"{name}\":{value},"), 1);
    verifier.verify_now(&token.raw_payload(payload).build()).err()
}

/// T6, T8, row 15, T-DOS-4: whatever is no date is refused, and nothing wraps or panics.
#[test]
fn a_date_that_is_none_is_refused() {
    let verifier = with_skew(30);
    for name in ["exp", "nbf", "iat", "auth_time"] {
        for value in [
            "null",
            "true",
            "\"1900000000\"",
            "\"\"",
            "[]",
            "[1900000000]",
            "{}",
            "{\"$serde_json::private::Number\":\"1900000000\"}",
            "-1",
            "-0.5",
            "-1e300",
            "-9223372036854775808",
            "-9223372036854775809",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "340282366920938463463374607431768211456",
            "1e19",
            "1e30",
            "1e308",
            "1e309",
            "1e400",
            "1e99999999999",
            "NaN",
            "Infinity",
            "-Infinity",
            "0x10",
            "01",
            "1.",
            ".5",
            "+1",
            "1_000",
        ] {
            let refused = raw(&verifier, name, value);
            assert_eq!(refused, Some(JwtError::Claims), "{name}: {value}");
        }
    }
}

/// T6: dates at the far end of time neither wrap around nor overflow, with any skew.
#[test]
fn dates_at_the_end_of_time_saturate() {
    for verifier in [with_skew(0), with_skew(300)] {
        for late in ["9223372036854775807", "1e18", "9.2e18", "253402300800"] {
            assert_eq!(raw(&verifier, "exp", late), None, "{late}");
            assert_eq!(raw(&verifier, "nbf", late), Some(JwtError::NotYetValid), "{late}");
            assert_eq!(raw(&verifier, "iat", late), Some(JwtError::Implausible), "{late}");
        }
        for early in ["0", "-0", "-0.0", "0.0", "1e-400", "1"] {
            assert_eq!(raw(&verifier, "exp", early), Some(JwtError::Expired), "{early}");
            assert_eq!(raw(&verifier, "nbf", early), None, "{early}");
        }
    }
}

/// T9: a token that never expires is none.
#[test]
fn a_token_without_expiry_is_refused() {
    let issuer = issuer_with_one_key();
    let verifier = with_skew(300);
    let missing = issuer.token().without("exp").build();
    assert_refused(&verifier, &missing, JwtError::MissingClaim("exp"), "missing");
    let elsewhere = issuer
        .token()
        .without("exp")
        .claim("expires", NOW + 300)
        .claim("EXP", NOW + 300);
    assert_refused(
        &verifier,
        &elsewhere.build(),
        JwtError::MissingClaim("exp"),
        "elsewhere",
    );
}

/// T7
#[test]
fn a_token_that_is_not_valid_yet_is_refused() {
    for skew in [0, 30] {
        let verifier = with_skew(skew);
        assert_eq!(verdict(&verifier, "nbf", json!(NOW + skew)), None);
        assert_eq!(
            verdict(&verifier, "nbf", json!(NOW + skew + 1)),
            Some(JwtError::NotYetValid)
        );
        assert_eq!(verdict(&verifier, "nbf", json!(0)), None);
    }
}

/// T5, T7: `iat` from the future, and times that contradict each other.
#[test]
fn implausible_times_are_refused() {
    let verifier = with_skew(30);
    assert_eq!(verdict(&verifier, "iat", json!(NOW + 30)), None);
    assert_eq!(
        verdict(&verifier, "iat", json!(NOW + 31)),
        Some(JwtError::Implausible)
    );
    let issuer = issuer_with_one_key();
    let backwards = issuer.token().claim("iat", NOW + 20).claim("exp", NOW + 10);
    assert_refused(
        &verifier,
        &backwards.build(),
        JwtError::Implausible,
        "issued after it expired",
    );
    let never = issuer.token().claim("nbf", NOW + 20).claim("exp", NOW + 10);
    assert_refused(
        &verifier,
        &never.build(),
        JwtError::Implausible,
        "valid after it expired",
    );
    let _ = accepted(&verifier, &issuer.token().without("iat").build());
}

/// T5, P-JWT1: the longest lifetime, from `iat` to `exp`, and no way around it.
#[test]
fn a_token_that_lives_too_long_is_refused() {
    let issuer = issuer_with_one_key();
    let hour = built(
        builder()
            .issuer(trusted(&issuer))
            .max_lifetime(Duration::from_secs(3600)),
    );
    let lived = |iat: Value, exp: Value| issuer.token().claim("iat", iat).claim("exp", exp).build();
    let _ = accepted(&hour, &lived(json!(NOW), json!(NOW + 3600)));
    for (iat, exp) in [
        (json!(NOW), json!(NOW + 3601)),
        (json!(NOW), json!(NOW as f64 + 3600.5)),
        (json!(NOW - 3600), json!(NOW + 1)),
        (json!(0), json!(NOW + 1)),
        (json!(NOW), json!(i64::MAX)),
        (json!(0), json!(i64::MAX)),
    ] {
        let what = format!("{iat} to {exp}");
        assert_refused(&hour, &lived(iat, exp), JwtError::LifetimeTooLong, &what);
    }
    let undated = issuer.token().without("iat").build();
    assert_refused(&hour, &undated, JwtError::MissingClaim("iat"), "no iat");
    let future = lived(json!(NOW + 3600), json!(NOW + 7200));
    assert_refused(&hour, &future, JwtError::Implausible, "iat moved ahead");
}

/// P-JWT1: what was verified says until when, without the tolerated skew.
#[test]
fn the_expiry_that_is_handed_on_is_the_tokens_own() {
    let issuer = issuer_with_one_key();
    let verified = accepted(
        &with_skew(300),
        &issuer.token().claim("exp", NOW - 100).claim("iat", 5).build(),
    );
    assert_eq!(verified.claims().expires_at().as_unix_seconds(), NOW - 100);
    assert_eq!(
        verified.claims().issued_at().map(|at| at.as_unix_seconds()),
        Some(5)
    );
    let authentication = verified.into_authentication().unwrap();
    assert_eq!(
        authentication.expires_at().map(|at| at.as_unix_seconds()),
        Some(NOW - 100)
    );
}
