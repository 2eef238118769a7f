//! How the token is sent: every form of `Authorization`, and the places a token must not come from.

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use portcullis_core::AuthErrorKind;
use portcullis_test::{assert_problem, assert_refused, assert_status};

use crate::support::{Scene, bearer_value, get_with, request, send};

/// H2, B10, R6: row 7.
#[tokio::test]
async fn the_scheme_is_read_without_case_and_with_any_number_of_spaces() {
    let scene = Scene::new();
    let token = scene.reader().build();
    for service in [scene.required(), scene.optional()] {
        for form in [
            format!("Bearer {token}"),
            format!("bearer {token}"),
            format!("BEARER {token}"),
            format!("bEaReR {token}"),
            format!("Bearer   {token}"),
            format!("  Bearer {token} \t"),
        ] {
            let response = get_with(&service, "/documents", Some(&form)).await;
            assert_eq!(
                (response.status().as_u16(), &response.body()[..]),
                (200, &b"alice"[..]),
                "{form}"
            );
        }
    }
}

/// B5, B19, H9: what is not `scheme SP token68` is no token.
#[tokio::test]
async fn an_authorization_that_cannot_be_read_is_answered_with_400() {
    let scene = Scene::new();
    let token = scene.reader().build();
    for service in [scene.required(), scene.optional()] {
        for value in [
            String::new(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            "Bearer =".to_owned(),
            "Bearer %".to_owned(),
            format!("Bearer\t{token}"),
            format!("Bearer: {token}"),
            format!("Bearer {token} x"),
            format!("Bearer {token}\t{token}"),
            format!("Bearer \"{token}\""),
            format!("Bearer token={token}"),
            format!("Bearer,{token}"),
            format!(",Bearer {token}"),
            format!("Bearer {token},"),
            format!("Bearer Bearer {token}"),
            // The scheme was forgotten: a token, and no credentials at all.
            token.clone(),
        ] {
            for path in ["/open", "/whoami", "/documents"] {
                let response = get_with(&service, path, Some(&value)).await;
                assert_refused(&response, AuthErrorKind::InvalidRequest);
                assert_eq!(assert_problem(&response)["error"], "invalid_request", "{value}");
            }
        }
        let mut sent = request(Method::GET, "/documents", &[]);
        let value = HeaderValue::from_bytes(b"Bearer \xff\xfe").expect("obs-text");
        sent.headers_mut().insert(AUTHORIZATION, value);
        assert_refused(&send(&service, sent).await, AuthErrorKind::InvalidRequest);
    }
    assert_eq!(scene.reached.times(), 0);
}

/// B8, H9: row 6.
#[tokio::test]
async fn two_authorization_lines_are_answered_with_400_whichever_is_good() {
    let scene = Scene::new();
    let good = bearer_value(&scene.reader().build());
    let bad = bearer_value(&scene.issuer.forged_token().build());
    let basic = "Basic dTpw".to_owned();
    for service in [scene.required(), scene.optional()] {
        for (first, second) in [
            (&good, &good),
            (&good, &bad),
            (&bad, &good),
            (&good, &basic),
            (&basic, &good),
            (&basic, &basic),
        ] {
            let headers = [
                ("authorization", first.as_str()),
                ("Authorization", second.as_str()),
            ];
            for path in ["/open", "/whoami", "/documents"] {
                let response = send(&service, request(Method::GET, path, &headers)).await;
                assert_refused(&response, AuthErrorKind::InvalidRequest);
            }
        }
    }
    assert_eq!(scene.reached.times(), 0);
}

/// B8, H9: two credentials on one line.
#[tokio::test]
async fn two_credentials_joined_with_a_comma_are_answered_with_400() {
    let scene = Scene::new();
    let token = scene.reader().build();
    for service in [scene.required(), scene.optional()] {
        for value in [
            format!("Bearer {token}, Bearer {token}"),
            format!("Bearer {token},Basic dTpw"),
            format!("Basic dTpw, Bearer {token}"),
            format!("Basic dTpw,bearer {token}"),
            format!("Digest username=\"a, b\", realm=\"x\", Bearer {token}"),
        ] {
            for path in ["/open", "/whoami", "/documents"] {
                let response = get_with(&service, path, Some(&value)).await;
                assert_eq!(response.status(), 400, "{value}");
                assert_refused(&response, AuthErrorKind::InvalidRequest);
            }
        }
    }
    assert_eq!(scene.reached.times(), 0);
}

/// B3, B4: row 3; a scheme that is not asked for is no credentials.
#[tokio::test]
async fn another_scheme_counts_as_no_credentials() {
    let scene = Scene::new();
    let token = scene.reader().build();
    for value in [
        "Basic dTpw".to_owned(),
        format!("Basic {token}"),
        format!("DPoP {token}"),
        format!("Token {token}"),
        format!("BearerX {token}"),
        format!("Bearer- {token}"),
        "Digest username=\"a, Bearer b\", realm=\"x\", uri=\"/\"".to_owned(),
        "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=d".to_owned(),
    ] {
        let response = get_with(&scene.required(), "/documents", Some(&value)).await;
        assert_refused(&response, AuthErrorKind::MissingCredentials);
        let response = get_with(&scene.optional(), "/whoami", Some(&value)).await;
        assert_eq!(
            (response.status().as_u16(), &response.body()[..]),
            (200, &b"nobody"[..]),
            "{value}"
        );
    }
}

/// B9, B11: a token in the address or in a form is not read.
#[tokio::test]
async fn a_token_in_the_query_or_a_form_is_ignored() {
    let scene = Scene::new();
    let token = scene.reader().build();
    let query = format!("?access_token={token}");
    let required = scene.required();
    let response = get_with(&required, &format!("/documents{query}"), None).await;
    assert_refused(&response, AuthErrorKind::MissingCredentials);
    let response = get_with(&scene.optional(), &format!("/whoami{query}"), None).await;
    assert_eq!(response.body(), "nobody");

    // Beside a header it neither helps nor harms.
    let good = bearer_value(&token);
    assert_status(
        &get_with(&required, "/documents?access_token=garbage", Some(&good)).await,
        200,
    );
    let bad = bearer_value(&scene.issuer.forged_token().build());
    let response = get_with(&required, &format!("/documents{query}"), Some(&bad)).await;
    assert_refused(&response, AuthErrorKind::InvalidCredentials);

    let mut form = request(Method::POST, "/whoami", &[]);
    let media_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    form.headers_mut().insert(CONTENT_TYPE, media_type);
    *form.body_mut() = Body::from(format!("access_token={token}"));
    assert_refused(&send(&required, form).await, AuthErrorKind::MissingCredentials);
}

/// T5, B14: the same token, a moment later.
#[tokio::test]
async fn a_token_ends_when_its_time_is_up() {
    let scene = Scene::new();
    let service = scene.required();
    let token = bearer_value(&scene.reader().build());
    assert_status(&get_with(&service, "/documents", Some(&token)).await, 200);
    scene.clock.advance(std::time::Duration::from_secs(300 + 29));
    assert_status(&get_with(&service, "/documents", Some(&token)).await, 200);
    scene.clock.advance(std::time::Duration::from_secs(1));
    let response = get_with(&service, "/documents", Some(&token)).await;
    assert_refused(&response, AuthErrorKind::InvalidCredentials);
}
