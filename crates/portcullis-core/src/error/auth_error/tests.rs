use http::header::WWW_AUTHENTICATE;

use super::*;
use crate::Challenge;

fn challenges() -> Challenges {
    Challenges::new([
        Challenge::new(Scheme::BEARER).realm("api").expect("realm"),
        Challenge::new(Scheme::API_KEY).realm("api").expect("realm"),
    ])
    .expect("challenges")
}

fn wire(error: AuthError) -> (u16, Vec<String>, HeaderMap) {
    let error = error.or_challenges(&challenges());
    let mut headers = HeaderMap::new();
    error.write_headers(&mut headers);
    let lines = headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .map(|value| value.to_str().expect("ascii").to_owned())
        .collect();
    (error.status().as_u16(), lines, headers)
}

#[test]
fn the_wire_table_is_what_the_documentation_says() {
    let step_up = StepUp::new()
        .with_acr_values("mfa")
        .with_max_age(Duration::from_secs(300));
    let table: [(AuthError, u16, &[&str]); 9] = [
        (
            AuthError::missing_credentials(),
            401,
            &[r#"Bearer realm="api""#, r#"ApiKey realm="api""#],
        ),
        (
            AuthError::invalid_request("x"),
            400,
            &[r#"Bearer realm="api", error="invalid_request""#],
        ),
        (
            AuthError::invalid_credentials("x"),
            401,
            &[
                r#"Bearer realm="api", error="invalid_token""#,
                r#"ApiKey realm="api""#,
            ],
        ),
        (
            AuthError::step_up_required(step_up),
            401,
            &[
                r#"Bearer realm="api", error="insufficient_user_authentication", acr_values="mfa", max_age="300""#,
            ],
        ),
        (
            AuthError::insufficient_scope("a:read a:write"),
            403,
            &[r#"Bearer realm="api", error="insufficient_scope", scope="a:read a:write""#],
        ),
        (AuthError::denied("x"), 403, &[]),
        (AuthError::throttled(Duration::from_millis(1500)), 429, &[]),
        (AuthError::unavailable("x"), 503, &[]),
        (AuthError::misconfigured("x"), 500, &[]),
    ];
    for (error, status, lines) in table {
        let kind = error.kind();
        let (got, challenges, headers) = wire(error);
        assert_eq!(
            (got, &challenges[..]),
            (status, lines.map_strings().as_slice()),
            "{kind:?}"
        );
        assert_eq!(
            headers.get(CACHE_CONTROL).map(HeaderValue::as_bytes),
            Some(&b"no-store"[..])
        );
        let retry = matches!(status, 429 | 503);
        assert_eq!(headers.contains_key(RETRY_AFTER), retry, "{kind:?}");
    }
}

trait MapStrings {
    fn map_strings(&self) -> Vec<String>;
}

impl MapStrings for &[&str] {
    fn map_strings(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

#[test]
fn h13_retry_after_is_rounded_up_and_never_zero() {
    let seconds = |error| wire(error).2.get(RETRY_AFTER).cloned();
    let expected = |text| Some(HeaderValue::from_static(text));
    assert_eq!(
        seconds(AuthError::throttled(Duration::from_millis(1500))),
        expected("2")
    );
    assert_eq!(seconds(AuthError::throttled(Duration::ZERO)), expected("1"));
    assert_eq!(seconds(AuthError::unavailable("x")), expected("5"));
    assert_eq!(
        seconds(AuthError::throttled(Duration::MAX)),
        expected("18446744073709551615")
    );
}

/// B12, row 8: a refusal is written whatever a policy asks for, and nothing of it breaks out of its quotes.
#[test]
fn what_a_challenge_cannot_hold_is_left_out_and_the_rest_is_sent() {
    let lines = |error| wire(error).1;
    let step_up = |acr_values: &'static str| {
        AuthError::step_up_required(
            StepUp::new()
                .with_acr_values(acr_values)
                .with_max_age(Duration::MAX),
        )
    };
    let expected = |acr_values: &str| {
        let head = r#"Bearer realm="api", error="insufficient_user_authentication""#;
        [format!(r#"{head}{acr_values}, max_age="18446744073709551615""#)]
    };
    assert_eq!(lines(step_up("a b")), expected(r#", acr_values="a b""#));
    assert_eq!(lines(step_up(r#"a"b\c"#)), expected(r#", acr_values="a\"b\\c""#));
    assert_eq!(lines(step_up("a\r\nSet-Cookie: x=1")), expected(""));
    assert_eq!(lines(step_up("é")), expected(""));
    for scope in ["a\"b", "a\\b", "a\nb", "é"] {
        let only = [r#"Bearer realm="api", error="insufficient_scope""#];
        assert_eq!(lines(AuthError::insufficient_scope(scope)), only, "{scope:?}");
    }
    let nothing = AuthError::step_up_required(StepUp::new());
    let only = [r#"Bearer realm="api", error="insufficient_user_authentication""#];
    assert_eq!(lines(nothing), only);
}

#[test]
fn the_error_goes_to_the_scheme_that_was_used() {
    let (_, lines, _) = wire(AuthError::invalid_credentials("x").with_scheme(Scheme::API_KEY));
    assert_eq!(
        lines,
        [
            r#"Bearer realm="api""#,
            r#"ApiKey realm="api", error="invalid_token""#
        ]
    );
}

#[test]
fn a_missing_credential_allocates_nothing_of_its_own() {
    assert!(AuthError::missing_credentials().details.is_none());
    assert!(size_of::<AuthError>() <= 64);
}
