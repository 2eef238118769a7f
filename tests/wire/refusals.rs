//! What the wire says: status, challenge, body, for each row of the wire table.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Method, Response, StatusCode};
use portcullis_core::AuthErrorKind;
use portcullis_test::{Refusal, assert_problem, assert_refused, assert_status, assert_vary};

use crate::support::{Scene, bearer_value, get_with, request, send};

const PROTECTED: [&str; 8] = [
    "/me",
    "/documents",
    "/admin",
    "/any",
    "/person",
    "/down",
    "/step-up",
    "/hers",
];

fn challenge_lines(response: &Response<bytes::Bytes>) -> Vec<&str> {
    let lines = response.headers().get_all(WWW_AUTHENTICATE).iter();
    lines.map(|line| line.to_str().expect("ascii")).collect()
}

/// H1, H4, H7, B1, B2, B3, PD1, PD2, PD3: row 1, row 2, row 3.
#[tokio::test]
async fn no_credentials_are_answered_with_401_and_a_challenge_without_error() {
    let scene = Scene::new();
    for service in [scene.required(), scene.optional()] {
        for path in PROTECTED {
            let response = get_with(&service, path, None).await;
            assert_refused(&response, AuthErrorKind::MissingCredentials);
            assert_eq!(challenge_lines(&response), [r#"Bearer realm="api""#], "{path}");
            let problem = assert_problem(&response);
            assert_eq!(
                problem,
                serde_json::json!({"title": "Unauthorized", "status": 401})
            );
            assert_vary(&response, "authorization");
        }
    }
    assert_eq!(scene.reached.times(), 0);
}

/// H1, B1, B6, B14, B17, H16, R1, R6: whatever is wrong with a token, the answer is the same.
#[tokio::test]
async fn every_bad_token_is_answered_alike_with_401_invalid_token() {
    let scene = Scene::new();
    let valid = bearer_value(&scene.reader().build());
    for service in [scene.required(), scene.optional()] {
        assert_status(&get_with(&service, "/documents", Some(&valid)).await, 200);
        let mut answers = Vec::new();
        for (what, token) in scene.bad_tokens() {
            for path in ["/open", "/whoami", "/documents"] {
                let response = get_with(&service, path, Some(&bearer_value(&token))).await;
                let refusal = assert_refused(&response, AuthErrorKind::InvalidCredentials);
                assert_eq!(
                    challenge_lines(&response),
                    [r#"Bearer realm="api", error="invalid_token""#],
                    "{what}"
                );
                assert_eq!(refusal.parameter("error_description"), None, "{what}");
                assert_eq!(assert_problem(&response)["error"], "invalid_token", "{what}");
                assert_vary(&response, "authorization");
                answers.push((crate::support::sorted(response.headers()), response.into_body()));
            }
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "one answer for all: {answers:?}");
    }
    assert_eq!(scene.reached.times(), 2, "the valid ones");
}

/// B18: row 5.
#[tokio::test]
async fn an_optional_caller_is_nobody_without_credentials_and_never_with_bad_ones() {
    let scene = Scene::new();
    let service = scene.optional();
    assert_eq!(get_with(&service, "/whoami", None).await.body(), "nobody");
    let good = bearer_value(&scene.reader().build());
    assert_eq!(get_with(&service, "/whoami", Some(&good)).await.body(), "alice");
    for (what, token) in scene.bad_tokens() {
        let response = get_with(&service, "/whoami", Some(&bearer_value(&token))).await;
        assert_eq!(response.status(), 401, "{what}");
    }
    for garbage in [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer a,b",
        "Bearer \"a\"",
        ",",
        "",
    ] {
        let response = get_with(&service, "/whoami", Some(garbage)).await;
        assert_eq!(response.status(), 400, "{garbage:?}");
    }
}

/// H7, B1, B7, B13, B15, PD7: row 4.
#[tokio::test]
async fn a_token_without_the_scope_is_answered_with_403_and_the_scope_it_needs() {
    let scene = Scene::new();
    let service = scene.required();
    for scope in [
        "documents:read",
        "documents:write",
        "x  documents:read y documents:read",
    ] {
        let token = bearer_value(&scene.issuer.token().scope(scope).build());
        assert_status(&get_with(&service, "/documents", Some(&token)).await, 200);
    }
    for scope in [
        "",
        "documents",
        "documents:rea",
        "documents:readwrite",
        "DOCUMENTS:READ",
        "documents: read",
    ] {
        let token = bearer_value(
            &scene
                .issuer
                .token()
                .scope(scope)
                .roles(["documents:read"])
                .build(),
        );
        let response = get_with(&service, "/documents", Some(&token)).await;
        assert_refused(&response, AuthErrorKind::InsufficientScope);
        assert_eq!(
            challenge_lines(&response),
            [r#"Bearer realm="api", error="insufficient_scope", scope="documents:read""#],
            "{scope:?}"
        );
        assert_eq!(assert_problem(&response)["error"], "insufficient_scope");
        assert_vary(&response, "authorization");
    }
}

/// H7, H16, R7: the role is missing, the token is not.
#[tokio::test]
async fn a_token_without_the_role_is_answered_with_403_and_no_challenge() {
    let scene = Scene::new();
    let service = scene.required();
    let admin = bearer_value(&scene.issuer.token().roles(["admin"]).build());
    assert_status(&get_with(&service, "/admin", Some(&admin)).await, 200);
    for roles in [
        &[] as &[&str],
        &["Admin"],
        &["administrator"],
        &["admin "],
        &["user", "editor"],
    ] {
        let token = scene.issuer.token().scope("admin").roles(roles.iter().copied());
        let response = get_with(&service, "/admin", Some(&bearer_value(&token.build()))).await;
        assert_refused(&response, AuthErrorKind::Denied);
        assert_eq!(
            assert_problem(&response),
            serde_json::json!({"title": "Forbidden", "status": 403})
        );
    }
}

/// AT10: a client that acts for itself is somebody, and not a person.
#[tokio::test]
async fn a_client_is_signed_in_and_is_not_a_user() {
    let scene = Scene::new();
    let service = scene.required();
    let person = bearer_value(&scene.issuer.token().build());
    let client = scene.issuer.token().subject("batch").claim("client_id", "batch");
    let client = bearer_value(&client.build());
    for path in ["/any", "/me"] {
        assert_status(&get_with(&service, path, Some(&person)).await, 200);
        assert_status(&get_with(&service, path, Some(&client)).await, 200);
    }
    assert_status(&get_with(&service, "/person", Some(&person)).await, 200);
    assert_refused(
        &get_with(&service, "/person", Some(&client)).await,
        AuthErrorKind::Denied,
    );
}

/// T-ERR-1, H13: what cannot be decided is 503, and what must be proven again is 401.
#[tokio::test]
async fn an_undecided_requirement_and_a_step_up_have_answers_of_their_own() {
    let scene = Scene::new();
    let service = scene.required();
    let token = bearer_value(&scene.reader().build());
    let response = get_with(&service, "/down", Some(&token)).await;
    assert_refused(&response, AuthErrorKind::Unavailable);
    let _ = assert_problem(&response);

    let response = get_with(&service, "/step-up", Some(&token)).await;
    assert_refused(&response, AuthErrorKind::StepUpRequired);
    assert_eq!(
        challenge_lines(&response),
        [
            r#"Bearer realm="api", error="insufficient_user_authentication", acr_values="mfa phr", max_age="300""#
        ]
    );
    assert_eq!(
        assert_problem(&response)["error"],
        "insufficient_user_authentication"
    );
}

/// H7: a decision about a loaded object.
#[tokio::test]
async fn a_handlers_own_decision_is_answered_like_a_requirement() {
    let scene = Scene::new();
    let service = scene.required();
    let alice = bearer_value(&scene.issuer.token().build());
    let mallory = bearer_value(&scene.issuer.token().subject("mallory").build());
    assert_status(&get_with(&service, "/hers", Some(&alice)).await, 200);
    let response = get_with(&service, "/hers", Some(&mallory)).await;
    assert_refused(&response, AuthErrorKind::Denied);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
}

/// H15: `HEAD` gets the decision of `GET`, and no body.
#[tokio::test]
async fn head_is_decided_like_get() {
    let scene = Scene::new();
    let service = scene.required();
    let mut credentials: Vec<_> = scene
        .bad_tokens()
        .into_iter()
        .map(|(_, token)| bearer_value(&token))
        .collect();
    credentials.push(bearer_value(&scene.reader().build()));
    for path in PROTECTED.into_iter().chain(["/open", "/whoami", "/nowhere"]) {
        for value in credentials.iter().map(String::as_str).chain(["", "Bearer"]) {
            let headers: &[_] = if value.is_empty() {
                &[]
            } else {
                &[("authorization", value)]
            };
            let get = send(&service, request(Method::GET, path, headers)).await;
            let head = send(&service, request(Method::HEAD, path, headers)).await;
            assert_eq!(head.status(), get.status(), "{path}");
            assert_eq!(challenge_lines(&head), challenge_lines(&get), "{path}");
            assert!(head.body().is_empty(), "{path}");
            let length = head.headers().get(CONTENT_LENGTH);
            assert!(
                length.is_none_or(|said| said == get.body().len().to_string().as_str()),
                "{path}"
            );
        }
    }
}

/// T-PATH-1: whatever path a router makes of it, the decision is that of the handler that runs.
#[tokio::test]
async fn no_spelling_of_a_path_reaches_a_handler_without_its_decision() {
    let scene = Scene::new();
    for service in [scene.required(), scene.optional()] {
        for path in [
            "/admin",
            "//admin",
            "/admin/",
            "/admin/.",
            "/./admin",
            "/%61dmin",
            "/admin%2f",
            "/admin;x=1",
            "/ADMIN",
            "/admin?",
            "/admin?x=/open",
            "/open/../admin",
            "/open/..%2fadmin",
            "/admin%00",
            "http://evil.test/admin",
            "https://u@h/admin",
            "/open//admin",
            "/admin%20",
            "/%2e/admin",
            "*",
        ] {
            for method in [
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::OPTIONS,
                Method::TRACE,
            ] {
                let mut sent = request(method.clone(), "/", &[]);
                *sent.uri_mut() = path.parse().expect(path);
                let response = send(&service, sent).await;
                assert!(!response.status().is_success(), "{method} {path}");
                if response.status() == StatusCode::UNAUTHORIZED {
                    let _ = Refusal::of(&response);
                }
            }
        }
    }
    assert_eq!(scene.reached.times(), 0);
}
