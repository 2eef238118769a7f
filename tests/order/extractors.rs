//! What an extractor must not be talked into: a caller that another site brought, claims that nobody signed, a refusal
//! that passes for nobody.

use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use http::{Method, Request};
use portcullis_axum::{AuthRejection, Authenticated, Authorized, Claims, Verified};
use portcullis_core::{AuthErrorKind, HasScope, any_of};
use portcullis_jwt::JwtBearer;
use portcullis_test::{assert_refused, assert_status, assert_vary};
use serde::Deserialize;

use crate::on_demand::session;
use crate::support::{Mode, Scene, Sent};
use crate::wire::{DocumentsRead, request, send};

/// `Verified` decides without any layer, and asks as the layer does where a cookie comes from, also where the
/// anonymous are let in.
#[tokio::test]
async fn a_verified_cookie_acts_for_nobody_from_another_site() {
    async fn must(caller: Verified<Arc<JwtBearer>>) -> String {
        caller.principal().subject().to_owned()
    }
    async fn may(caller: Option<Verified<Arc<JwtBearer>>>) -> String {
        caller.map_or_else(
            || "nobody".to_owned(),
            |caller| caller.principal().subject().to_owned(),
        )
    }
    let scene = Scene::new();
    let service = Router::new()
        .route("/must", any(must))
        .route("/may", any(may))
        .with_state(Arc::new(scene.cookie()));
    let cookie = format!("token={}", scene.token("alice"));
    let ask = |method: &Method, path: &str, headers: &[(&str, &str)]| {
        let mut sent = request(method.clone(), path, headers);
        sent.headers_mut()
            .insert("host", "app.test".parse().expect("a host"));
        sent
    };
    let own = [
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
        ("origin", "https://app.test"),
    ];
    let foreign = [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", ""),
        ("origin", "https://evil.test"),
        ("origin", "null"),
        ("x-nothing", "1"),
    ];
    for path in ["/must", "/may"] {
        for from in own {
            let answer = send(&service, ask(&Method::POST, path, &[("cookie", &cookie), from])).await;
            assert_status(&answer, 200);
            assert_eq!(answer.body(), "alice");
            let bad = [("cookie", "token=a.b.c"), from];
            assert_refused(
                &send(&service, ask(&Method::POST, path, &bad)).await,
                AuthErrorKind::InvalidCredentials,
            );
        }
        for from in foreign {
            for upgrade in [false, true] {
                let method = if upgrade { Method::GET } else { Method::POST };
                let mut headers = vec![("cookie", cookie.as_str()), from];
                headers.extend(upgrade.then_some(("upgrade", "websocket")));
                let answer = send(&service, ask(&method, path, &headers)).await;
                assert_refused(&answer, AuthErrorKind::Denied);
                for name in ["cookie", "origin", "sec-fetch-site"] {
                    assert_vary(&answer, name);
                }
            }
            let without = send(&service, ask(&Method::POST, path, &[from])).await;
            match path {
                "/must" => drop(assert_refused(&without, AuthErrorKind::MissingCredentials)),
                _ => assert_eq!(without.body(), "nobody"),
            }
        }
    }
}

#[derive(Deserialize)]
struct Subject {
    sub: String,
}

/// Claims come from a token that was verified. A caller of another method has none, and is no reason to make some up.
#[tokio::test]
async fn a_caller_without_a_token_has_no_claims() {
    #[derive(Deserialize)]
    struct Everything {
        sub: Option<String>,
    }
    async fn claims(claims: Claims<Subject>) -> String {
        claims.into_inner().sub
    }
    async fn anything(claims: Claims<Everything>) -> String {
        claims.into_inner().sub.unwrap_or_default()
    }
    async fn of_others(_: Claims<Subject, ()>) -> &'static str {
        "others"
    }
    let scene = Scene::new();
    for mode in Mode::ALL {
        let service = Router::new()
            .route("/claims", any(claims))
            .route("/anything", any(anything))
            .route("/others", any(of_others))
            .layer(mode.layer(any_of((scene.bearer(), session()))));
        for path in ["/claims", "/anything"] {
            let token = send(&service, scene.request(Method::GET, path, Sent::Good)).await;
            assert_eq!(token.body(), "alice");
            let by_session = send(&service, request(Method::GET, path, &[("cookie", "id=alice")])).await;
            assert_refused(&by_session, AuthErrorKind::Denied);
            let nobody = send(&service, scene.request(Method::GET, path, Sent::Nothing)).await;
            assert_refused(&nobody, AuthErrorKind::MissingCredentials);
            // A bad token beside a good session is no session.
            let mut both = scene.request(Method::GET, path, Sent::Bad);
            both.headers_mut()
                .insert("cookie", "id=alice".parse().expect("a cookie"));
            assert!(!send(&service, both).await.status().is_success());
        }
        let others = send(&service, scene.request(Method::GET, "/others", Sent::Good)).await;
        assert_refused(&others, AuthErrorKind::Misconfigured);
    }
}

/// A handler that takes a refusal into its own hands gets it as it is; never a caller in its place, and never nobody.
#[tokio::test]
async fn a_handler_that_looks_at_a_refusal_sees_that_refusal() {
    type Wanted = Authorized<HasScope<DocumentsRead>>;
    async fn look(
        caller: Result<Wanted, AuthRejection>,
        perhaps: Result<Option<Authenticated>, AuthRejection>,
    ) -> String {
        let kind = |rejection: AuthRejection| format!("{:?}", rejection.error().kind());
        let wanted = caller.map_or_else(kind, |_| "granted".to_owned());
        let perhaps = perhaps.map_or_else(kind, |caller| format!("{}", caller.is_some()));
        format!("{wanted} {perhaps}")
    }
    let scene = Scene::new();
    let service = Router::new()
        .route("/", any(look))
        .layer(Mode::OnDemand.layer(scene.bearer()));
    for (sent, seen) in [
        (Sent::Nothing, "MissingCredentials false"),
        (Sent::Good, "granted true"),
        (Sent::Poor, "InsufficientScope true"),
        (Sent::Bad, "InvalidCredentials InvalidCredentials"),
        (Sent::Malformed, "InvalidRequest InvalidRequest"),
        (Sent::Undecidable, "Unavailable Unavailable"),
    ] {
        let answer = send(&service, scene.request(Method::GET, "/", sent)).await;
        assert_eq!(answer.body(), seen, "{sent:?}");
    }
    let no_layer = Router::new().route("/", any(look));
    let answer = send(&no_layer, Request::new(axum::body::Body::empty())).await;
    assert_eq!(answer.body(), "Misconfigured Misconfigured");
}
