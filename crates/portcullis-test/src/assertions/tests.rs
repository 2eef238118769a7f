use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use portcullis_core::{AuthError, AuthErrorKind, Challenges, Scheme, StepUp, append_vary};
use serde_json::json;

use super::*;

fn answer(error: &AuthError) -> Response<()> {
    let places = Challenges::new([
        Challenge::new(Scheme::BEARER).realm("test").unwrap(),
        Challenge::new(Scheme::API_KEY).realm("test").unwrap(),
    ])
    .unwrap();
    let error = error.clone().or_challenges(&places).with_scheme(Scheme::BEARER);
    let mut response = Response::new(());
    *response.status_mut() = error.status();
    error.write_headers(response.headers_mut());
    response
}

fn errors() -> Vec<AuthError> {
    vec![
        AuthError::missing_credentials(),
        AuthError::invalid_request("test"),
        AuthError::invalid_credentials("test"),
        AuthError::step_up_required(StepUp::new().with_max_age(Duration::from_secs(60))),
        AuthError::insufficient_scope("documents:read"),
        AuthError::denied("test"),
        AuthError::throttled(Duration::from_secs(9)),
        AuthError::unavailable("test"),
        AuthError::misconfigured("test"),
    ]
}

/// An answer of this status with these header fields.
fn made(status: u16, fields: &[(&'static str, &str)]) -> Response<()> {
    let mut response = Response::builder().status(status);
    for (name, value) in fields {
        response = response.header(*name, *value);
    }
    response.body(()).unwrap()
}

fn fails(what: &str, assertion: impl FnOnce()) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(assertion)) else {
        panic!("{what} was not noticed");
    };
    *panic.downcast::<String>().expect("a formatted message")
}

#[test]
fn every_kind_is_read_back_from_what_it_writes() {
    for error in errors() {
        let refusal = assert_refused(&answer(&error), error.kind());
        assert_eq!(refusal.error(), error.kind().wire().error);
        assert_eq!(refusal.parameter("scope"), error.scope());
        assert_eq!(refusal.retry_after().is_some(), error.kind().wire().retry_after);
    }
}

#[test]
fn a_refusal_that_strays_from_the_wire_table_is_noticed() {
    const CLOSED: (&str, &str) = ("cache-control", "no-store");
    const BEARER: (&str, &str) = ("www-authenticate", r#"Bearer realm="a""#);
    const API_KEY: (&str, &str) = ("www-authenticate", r#"ApiKey realm="a""#);
    const INVALID: (&str, &str) = ("www-authenticate", r#"Bearer error="invalid_token""#);
    for good in [
        made(401, &[CLOSED, BEARER]),
        made(401, &[CLOSED, BEARER, API_KEY]),
        made(401, &[CLOSED, INVALID]),
        made(503, &[CLOSED, ("retry-after", "5")]),
    ] {
        let _ = Refusal::of(&good);
    }
    for (what, bad) in [
        ("a success", made(200, &[CLOSED])),
        ("401 without challenge", made(401, &[CLOSED])),
        ("401 that may be stored", made(401, &[BEARER])),
        (
            "a challenge without parameter",
            made(401, &[CLOSED, ("www-authenticate", "Bearer")]),
        ),
        ("Bearer second", made(401, &[CLOSED, API_KEY, BEARER])),
        (
            "two error codes",
            made(401, &[CLOSED, INVALID, ("www-authenticate", r#"DPoP error="x""#)]),
        ),
        (
            "an unreadable challenge",
            made(401, &[CLOSED, ("www-authenticate", "=")]),
        ),
        (
            "an error code with the wrong status",
            made(403, &[CLOSED, INVALID]),
        ),
        ("400 without error code", made(400, &[CLOSED, BEARER])),
        (
            "503 with a challenge",
            made(503, &[CLOSED, BEARER, ("retry-after", "5")]),
        ),
        ("503 without Retry-After", made(503, &[CLOSED])),
        ("a denial with a challenge", made(403, &[CLOSED, BEARER])),
    ] {
        let message = fails(what, move || drop(Refusal::of(&bad)));
        assert!(message.contains("the answer was"), "{what}: {message}");
    }
    let missing = made(401, &[CLOSED, BEARER]);
    let message = fails("another kind", move || {
        assert_refused(&missing, AuthErrorKind::InvalidCredentials);
    });
    assert!(message.contains("MissingCredentials"), "{message}");
}

#[test]
fn challenges_are_asserted_by_scheme_and_parameter() {
    let response = answer(&AuthError::invalid_credentials("test"));
    assert_challenge(&response, "bearer")
        .has("realm", "test")
        .has("error", "invalid_token")
        .lacks("scope");
    assert_challenge(&response, "ApiKey").lacks("error");
    let bearer = assert_challenge(&response, "Bearer");
    fails("a missing scheme", move || {
        drop(assert_challenge(&response, "DPoP"))
    });
    let other = bearer.clone();
    fails("another value", move || drop(other.has("realm", "Test")));
    let other = bearer.clone();
    fails("a missing parameter", move || drop(other.has("scope", "")));
    fails("a parameter too many", move || drop(bearer.lacks("realm")));
    let denied = answer(&AuthError::denied("test"));
    assert_no_challenge(&denied);
    let missing = answer(&AuthError::missing_credentials());
    fails("a challenge", move || assert_no_challenge(&missing));
}

#[test]
fn caching_and_vary_are_read_as_lists() {
    let mut response = made(
        200,
        &[("cache-control", "max-age=0, No-Store"), ("vary", "Accept")],
    );
    append_vary(response.headers_mut(), &[http::header::COOKIE]);
    assert_status(&response, 200);
    assert_no_store(&response);
    assert_private(&response);
    assert_vary(&response, "cookie");
    assert_vary(&made(200, &[("vary", "*")]), "anything");
    assert_private(&made(200, &[("cache-control", "private")]));
    fails("another field", move || assert_vary(&response, "authorization"));
    for value in ["max-age=60", "no-storey", "public"] {
        fails(value, move || {
            assert_no_store(&made(200, &[("cache-control", value)]))
        });
        fails(value, move || {
            assert_private(&made(200, &[("cache-control", value)]))
        });
    }
    let message = fails("another status", || assert_status(&made(404, &[]), 200));
    assert!(
        message.contains("expected status 200") && message.contains("404"),
        "{message}"
    );
}

#[test]
fn a_problem_agrees_with_its_head() {
    let with = |media_type: &str, body: &Value| {
        let head = answer(&AuthError::invalid_credentials("test"));
        let mut response = head.map(|()| body.to_string());
        response
            .headers_mut()
            .insert(CONTENT_TYPE, media_type.parse().unwrap());
        response
    };
    const PROBLEM: &str = "application/problem+json";
    let good = json!({"status": 401, "title": "Unauthorized", "error": "invalid_token"});
    assert_eq!(assert_problem(&with(PROBLEM, &good)), good);
    let _ = assert_problem(&with(PROBLEM, &json!({})));
    for (what, bad) in [
        ("another media type", with("application/json", &good)),
        ("another status", with(PROBLEM, &json!({"status": 403}))),
        (
            "another error",
            with(PROBLEM, &json!({"error": "invalid_request"})),
        ),
        ("no object", with(PROBLEM, &json!([]))),
        ("no JSON", with(PROBLEM, &good).map(|body| body + "}")),
    ] {
        fails(what, move || drop(assert_problem(&bad)));
    }
}

#[test]
fn messages_do_not_show_sensitive_values() {
    let mut response = made(200, &[]);
    let mut value = http::HeaderValue::from_static("hunter2");
    value.set_sensitive(true);
    response.headers_mut().insert("set-cookie", value);
    let message = fails("another status", move || assert_status(&response, 401));
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn a_grpc_answer_of_another_shape_is_noticed() {
    const TYPE: (&str, &str) = ("content-type", "application/grpc");
    const CODE: (&str, &str) = ("grpc-status", "16");
    const CLOSED: (&str, &str) = ("cache-control", "no-store");
    for good in [
        made(200, &[TYPE, CODE]),
        made(200, &[("content-type", "application/grpc+proto"), CODE]),
        made(200, &[("content-type", "application/grpc; x=y"), CODE, CLOSED]),
    ] {
        assert_grpc_status(&good, 16);
    }
    assert_grpc_refused(
        &made(200, &[TYPE, CODE, CLOSED]),
        AuthErrorKind::InvalidCredentials,
    );
    for (what, bad) in [
        ("another HTTP status", made(401, &[TYPE, CODE, CLOSED])),
        ("no media type", made(200, &[CODE, CLOSED])),
        (
            "another media type",
            made(200, &[("content-type", "application/grpc-web"), CODE, CLOSED]),
        ),
        ("no status", made(200, &[TYPE, CLOSED])),
        ("another status", made(200, &[TYPE, ("grpc-status", "7"), CLOSED])),
        ("two statuses", made(200, &[TYPE, CODE, CODE, CLOSED])),
        ("an answer that may be kept", made(200, &[TYPE, CODE])),
    ] {
        fails(what, move || {
            assert_grpc_refused(&bad, AuthErrorKind::MissingCredentials);
        });
    }
}

#[test]
fn every_kind_has_its_grpc_status_and_no_other() {
    for error in errors() {
        let code = match error.status().as_u16() {
            400 | 401 => "16",
            403 => "7",
            429 => "8",
            503 => "14",
            _ => "13",
        };
        let of = |code| {
            let head = [
                ("content-type", "application/grpc"),
                ("grpc-status", code),
                ("cache-control", "no-store"),
            ];
            made(200, &head)
        };
        assert_grpc_refused(&of(code), error.kind());
        for other in ["0", "5", "7", "8", "13", "14", "16"] {
            if other != code {
                fails(other, || assert_grpc_refused(&of(other), error.kind()));
            }
        }
    }
}
