//! A token in a cookie: ambient, so that another site can make a browser send it.

use axum::Router;
use http::Method;
use http::header::WWW_AUTHENTICATE;
use portcullis_core::{AuthErrorKind, any_of};
use portcullis_test::{assert_private, assert_refused, assert_status, assert_vary};
use portcullis_tower::AuthenticateLayer;

use crate::support::{Scene, bearer_value, request, routes, send};

const NAME: &str = "__Host-token";

fn cookie_app(scene: &Scene, required: bool) -> Router {
    let method = scene.bearer().in_cookie(NAME).expect("name");
    let layer = match required {
        true => AuthenticateLayer::required(method),
        false => AuthenticateLayer::optional(method),
    };
    routes(&scene.reached).layer(layer)
}

fn cookie(token: &str) -> String {
    format!("{NAME}={token}")
}

/// H1, H11, H12: row 1.
#[tokio::test]
async fn a_cookie_is_read_and_challenged_under_its_own_scheme() {
    let scene = Scene::new();
    let service = cookie_app(&scene, true);
    let good = cookie(&scene.reader().build());
    let response = send(&service, request(Method::GET, "/documents", &[("cookie", &good)])).await;
    assert_eq!(
        (response.status().as_u16(), &response.body()[..]),
        (200, &b"alice"[..])
    );
    assert_private(&response);
    assert_vary(&response, "cookie");

    let response = send(&service, request(Method::GET, "/documents", &[])).await;
    assert_refused(&response, AuthErrorKind::MissingCredentials);
    assert_eq!(
        response.headers()[WWW_AUTHENTICATE],
        r#"Cookie realm="api", cookie-name="__Host-token""#
    );
    assert_vary(&response, "cookie");

    let forged = cookie(&scene.issuer.forged_token().build());
    let response = send(
        &service,
        request(Method::GET, "/documents", &[("cookie", &forged)]),
    )
    .await;
    let refusal = assert_refused(&response, AuthErrorKind::InvalidCredentials);
    assert_eq!(refusal.challenges().len(), 1);
    assert_eq!(refusal.error(), Some("invalid_token"));
}

/// B18: a bad cookie is refused, also where none is needed.
#[tokio::test]
async fn every_bad_token_in_a_cookie_is_refused() {
    let scene = Scene::new();
    for required in [true, false] {
        let service = cookie_app(&scene, required);
        for (what, token) in scene.bad_tokens() {
            let bad = cookie(&token);
            let response = send(&service, request(Method::GET, "/whoami", &[("cookie", &bad)])).await;
            assert_eq!(response.status(), 401, "{what}");
            assert_refused(&response, AuthErrorKind::InvalidCredentials);
        }
    }
    assert_eq!(scene.reached.times(), 0);
}

/// CK10, CK11: one of two cookies of one name may have been planted, so neither counts.
#[tokio::test]
async fn a_cookie_that_occurs_twice_identifies_nobody() {
    let scene = Scene::new();
    let good = cookie(&scene.reader().build());
    let planted = cookie(&scene.reader().subject("mallory").build());
    let tables: [&[(&str, &str)]; 8] = [
        &[("cookie", &format!("{good}; {planted}"))],
        &[("cookie", &format!("{planted}; {good}"))],
        &[("cookie", &good), ("cookie", &planted)],
        &[("cookie", &planted), ("cookie", &good)],
        &[("cookie", &good), ("cookie", &good)],
        &[
            ("cookie", &format!("a=1;{good};b=2")),
            ("cookie", &format!("{NAME}=")),
        ],
        // Another cookie that is not ASCII hides neither of the two.
        &[
            ("cookie", &planted),
            ("cookie", &format!("{good}; theme=dunkelgrün")),
        ],
        &[
            ("cookie", &format!("theme=dunkelgrün; {good}")),
            ("cookie", &planted),
        ],
    ];
    for headers in tables {
        let response = send(&cookie_app(&scene, true), request(Method::GET, "/me", headers)).await;
        assert_refused(&response, AuthErrorKind::MissingCredentials);
        let response = send(
            &cookie_app(&scene, false),
            request(Method::GET, "/whoami", headers),
        )
        .await;
        assert_eq!(response.body(), "nobody", "{headers:?}");
    }
}

/// CK9, CK10: the name exactly, on any line, whatever stands beside it.
#[tokio::test]
async fn a_cookie_is_found_by_its_exact_name_beside_any_others() {
    let scene = Scene::new();
    let service = cookie_app(&scene, true);
    let token = scene.reader().build();
    for line in [
        format!("a=1; {NAME}={token}; b=2"),
        format!("a;{NAME}={token}"),
        format!("theme=dunkelgrün; {NAME}={token}"),
        format!("{NAME}=\"{token}\""),
    ] {
        let response = send(&service, request(Method::GET, "/me", &[("cookie", &line)])).await;
        assert_eq!(response.status(), 200, "{line}");
    }
    for line in [
        format!("__host-token={token}"),
        format!("x{NAME}={token}"),
        format!("{NAME}x={token}"),
        format!("x={NAME}={token}"),
        NAME.to_owned(),
        format!("{NAME}="),
        format!("\u{a0}{NAME}={token}"),
        format!("{NAME}={token}\u{e9}"),
    ] {
        let response = send(&service, request(Method::GET, "/me", &[("cookie", &line)])).await;
        assert_eq!(response.status(), 401, "{line}");
    }
    let header = bearer_value(&token);
    let response = send(
        &service,
        request(Method::GET, "/me", &[("authorization", &header)]),
    )
    .await;
    assert_refused(&response, AuthErrorKind::MissingCredentials);
}

/// B20, CS1, CS2, CS14: row 39.
#[tokio::test]
async fn a_request_that_another_site_provoked_is_refused_when_the_cookie_would_decide() {
    let scene = Scene::new();
    let good = cookie(&scene.reader().build());
    let (host, own, evil) = (
        ("host", "app.test"),
        ("origin", "https://app.test"),
        ("origin", "https://evil.test"),
    );
    type Row<'t> = (Method, &'t [(&'t str, &'t str)], bool);
    let tables: [Row<'_>; 12] = [
        (Method::GET, &[("sec-fetch-site", "cross-site")], true),
        (Method::POST, &[("sec-fetch-site", "same-origin")], true),
        (Method::POST, &[host, own], true),
        (Method::POST, &[], false),
        (Method::POST, &[host, evil], false),
        (Method::POST, &[host, ("origin", "null")], false),
        (
            Method::POST,
            &[("sec-fetch-site", "cross-site"), host, own],
            false,
        ),
        (Method::POST, &[("sec-fetch-site", "same-site")], false),
        (
            Method::POST,
            &[
                host,
                own,
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "cross-site"),
            ],
            false,
        ),
        (Method::GET, &[("upgrade", "websocket"), host, evil], false),
        (Method::GET, &[("upgrade", "websocket"), host, own], true),
        (Method::CONNECT, &[("sec-fetch-site", "cross-site")], false),
    ];
    for required in [true, false] {
        let service = cookie_app(&scene, required);
        for (method, headers, passes) in &tables {
            let mut sent = vec![("cookie", good.as_str())];
            sent.extend_from_slice(headers);
            let response = send(&service, request(method.clone(), "/whoami", &sent)).await;
            assert_eq!(response.status().is_success(), *passes, "{method} {headers:?}");
            if !passes {
                assert_refused(&response, AuthErrorKind::Denied);
            }
            // The verdict read these.
            for name in ["cookie", "origin", "sec-fetch-site"] {
                assert_vary(&response, name);
            }
        }
    }
}

/// H9, B5, B8: header and cookie side by side; exactly one decides, and there is no falling through.
#[tokio::test]
async fn of_a_header_and_a_cookie_the_header_decides_alone() {
    let scene = Scene::new();
    let methods = || any_of((scene.bearer().in_cookie(NAME).expect("name"), scene.bearer()));
    let alice = scene.issuer.token();
    let good = bearer_value(&alice.clone().build());
    let forged = bearer_value(&scene.issuer.forged_token().build());
    let bobs = cookie(&alice.clone().subject("bob").build());
    let bad_cookie = cookie(&scene.issuer.forged_token().build());
    let opaque = "Bearer 2YotnFZFEjr1zCsicMWpAA".to_owned();
    let encrypted = "Bearer a.b.c.d.e".to_owned();
    type Row<'t> = (&'t [(&'t str, &'t str)], u16, &'t str);
    let tables: [Row<'_>; 14] = [
        (&[("authorization", &good), ("cookie", &bobs)], 200, "alice"),
        (&[("cookie", &bobs), ("authorization", &good)], 200, "alice"),
        (&[("authorization", &good), ("cookie", &bad_cookie)], 200, "alice"),
        (&[("cookie", &bobs)], 200, "bob"),
        (&[("authorization", &forged), ("cookie", &bobs)], 401, ""),
        (&[("authorization", &opaque), ("cookie", &bobs)], 401, ""),
        (&[("authorization", &encrypted), ("cookie", &bobs)], 401, ""),
        (&[("authorization", "Bearer"), ("cookie", &bobs)], 400, ""),
        (&[("authorization", "Bearer a b"), ("cookie", &bobs)], 400, ""),
        (
            &[
                ("authorization", &good),
                ("authorization", &good),
                ("cookie", &bobs),
            ],
            400,
            "",
        ),
        (&[("authorization", "Cookie abc"), ("cookie", &bobs)], 401, ""),
        // Somebody else's scheme is no credential here, and the cookie stays one.
        (&[("authorization", "Basic dTpw"), ("cookie", &bobs)], 200, "bob"),
        (&[("cookie", &bad_cookie)], 401, ""),
        (&[], 401, ""),
    ];
    for (headers, status, body) in tables {
        for layer in [
            AuthenticateLayer::required(methods()),
            AuthenticateLayer::optional(methods()),
        ] {
            let service = routes(&scene.reached).layer(layer);
            let response = send(&service, request(Method::GET, "/me", headers)).await;
            assert_eq!(response.status(), status, "{headers:?}");
            if status == 200 {
                assert_eq!(response.body(), body, "{headers:?}");
                assert_private(&response);
            }
            for name in ["authorization", "cookie"] {
                assert_vary(&response, name);
            }
        }
    }
}

/// H5, H6, B7: `Bearer` first, one line each, the error where it belongs.
#[tokio::test]
async fn with_two_methods_each_is_challenged_and_the_error_goes_to_the_one_that_was_used() {
    let scene = Scene::new();
    let methods = any_of((scene.bearer().in_cookie(NAME).expect("name"), scene.bearer()));
    let service = routes(&scene.reached).layer(AuthenticateLayer::required(methods));
    let lines = |headers: &[(&str, &str)]| {
        let sent = request(Method::GET, "/documents", headers);
        let service = service.clone();
        async move {
            let response = send(&service, sent).await;
            let lines = response.headers().get_all(WWW_AUTHENTICATE).iter();
            lines
                .map(|line| line.to_str().expect("ascii").to_owned())
                .collect::<Vec<_>>()
        }
    };
    let plain = r#"Cookie realm="api", cookie-name="__Host-token""#;
    assert_eq!(lines(&[]).await, [r#"Bearer realm="api""#, plain]);
    let forged = scene.issuer.forged_token().build();
    assert_eq!(
        lines(&[("authorization", &bearer_value(&forged))]).await,
        [r#"Bearer realm="api", error="invalid_token""#, plain]
    );
    assert_eq!(
        lines(&[("cookie", &cookie(&forged))]).await,
        [
            r#"Bearer realm="api""#.to_owned(),
            format!(r#"{plain}, error="invalid_token""#)
        ]
    );
    let poor = scene.issuer.token().scope("x").build();
    assert_eq!(
        lines(&[("cookie", &cookie(&poor))]).await,
        [format!(
            r#"{plain}, error="insufficient_scope", scope="documents:read""#
        )]
    );
}

/// CS14: an explicit credential cannot be forged, so nothing is asked about where the request comes from.
#[tokio::test]
async fn a_token_in_the_header_passes_whatever_site_the_request_comes_from() {
    let scene = Scene::new();
    let methods = any_of((scene.bearer().in_cookie(NAME).expect("name"), scene.bearer()));
    let service = routes(&scene.reached).layer(AuthenticateLayer::required(methods));
    let good = bearer_value(&scene.reader().build());
    let bobs = cookie(&scene.reader().subject("bob").build());
    let cross = [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.test"),
        ("authorization", &*good),
        ("cookie", &*bobs),
    ];
    let response = send(&service, request(Method::POST, "/whoami", &cross)).await;
    assert_status(&response, 200);
    assert_eq!(response.body(), "alice");
}
