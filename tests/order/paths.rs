//! Spellings of a path, forms of a target, and fields that speak of another: the verdict is that of the handler
//! that runs.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Path;
use axum::routing::{any, get};
use http::{Method, Request, Uri};
use portcullis_axum::{Authenticated, Authorized};
use portcullis_core::{HasRole, SignedIn};
use portcullis_test::assert_refused;
use portcullis_tower::AuthorizeLayer;

use crate::support::{Mode, Need, Scene, Sent, over_a_connection};
use crate::wire::{Admin, request, send};

/// Which handler ran last, and for whom.
#[derive(Clone, Default)]
struct Ran(Arc<Mutex<Option<&'static str>>>);

impl Ran {
    fn note(&self, handler: &'static str) {
        *self.0.lock().expect("lock") = Some(handler);
    }

    fn take(&self) -> Option<&'static str> {
        self.0.lock().expect("lock").take()
    }
}

/// `/admin` for administrators, `/open` for everybody, pages of one segment for who is signed in, and files of any
/// path for everybody.
fn application(ran: &Ran) -> Router {
    let note = |handler: &'static str| {
        let ran = ran.clone();
        move || ran.note(handler)
    };
    let (admin, open, page, file) = (note("admin"), note("open"), note("page"), note("file"));
    Router::new()
        .route(
            "/admin",
            any(move |_: Authorized<HasRole<Admin>>| {
                admin();
                async {}
            }),
        )
        .route(
            "/open",
            any(move || {
                open();
                async {}
            }),
        )
        .route(
            "/{page}",
            any(move |_: Authenticated, Path(_): Path<String>| {
                page();
                async {}
            }),
        )
        .route(
            "/files/{*path}",
            any(move |Path(_): Path<String>| {
                file();
                async {}
            }),
        )
}

/// Paths that somebody might take for `/admin`.
const SPELLINGS: &[&str] = &[
    "/admin",
    "/admin?",
    "/admin?x=/open",
    "/admin?#/open",
    "//admin",
    "/admin/",
    "/admin//",
    "/admin/.",
    "/admin/..",
    "/./admin",
    "/open/../admin",
    "/open/..;/admin",
    "/files/../admin",
    "/files/..%2fadmin",
    "/files/%2e%2e/admin",
    "/%61dmin",
    "/%61%64%6d%69%6e",
    "/%2561dmin",
    "/admin%2f",
    "/admin%2F..%2Fopen",
    "/admin%00",
    "/admin%20",
    "/admin%0a",
    "/admin;x=1",
    "/admin;/open",
    "/admin\\",
    "/ADMIN",
    "/Admin",
    "/open;/admin",
    "/open%2f..%2fadmin",
    "http://app.test/admin",
    "http://admin/open",
    "http://user:password@app.test/admin",
    "https://app.test//admin",
    "*",
];

/// Fields with which proxies and frameworks speak of another path, host or method.
const SPOOFED: &[(&str, &str)] = &[
    ("x-forwarded-uri", "/open"),
    ("x-original-url", "/open"),
    ("x-original-uri", "/open"),
    ("x-rewrite-url", "/open"),
    ("x-forwarded-path", "/open"),
    ("x-forwarded-prefix", "/open"),
    ("x-forwarded-host", "open"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-method", "OPTIONS"),
    ("x-http-method-override", "OPTIONS"),
    ("x-middleware-subrequest", "middleware"),
    ("forwarded", "for=127.0.0.1;host=open"),
    ("x-forwarded-for", "127.0.0.1"),
];

/// What the handler that ran needed, and whether they had it.
fn may_run(handler: &str, sent: Sent) -> bool {
    match handler {
        "admin" => false,
        "page" => Need::Caller.refuses(sent).is_none(),
        "open" | "file" => true,
        other => panic!("unknown handler {other}"),
    }
}

/// T-PATH-1, T-PATH-2
#[tokio::test]
async fn whatever_the_path_is_spelt_like_the_handler_that_runs_has_been_asked_about() {
    let scene = Scene::new();
    let ran = Ran::default();
    for mode in Mode::ALL {
        let application = application(&ran).layer(mode.layer(scene.bearer()));
        for spelling in SPELLINGS {
            let Ok(uri) = spelling.parse::<Uri>() else {
                continue;
            };
            for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
                for sent in Sent::ALL {
                    let mut verdicts = Vec::new();
                    for spoofed in [&[][..], SPOOFED] {
                        let mut asked = scene.request(method.clone(), "/", sent);
                        *asked.uri_mut() = uri.clone();
                        let extra = request(Method::GET, "/", spoofed);
                        asked.headers_mut().extend(extra.headers().clone());
                        let answer = send(&application, asked).await;
                        let handler = ran.take();
                        let row = format!("{mode:?} {method} {spelling} {sent:?} {handler:?}");
                        if let Some(handler) = handler {
                            assert!(may_run(handler, sent), "{row}");
                            assert!(mode.refuses(sent).is_none(), "{row}");
                        } else {
                            assert!(!answer.status().is_success(), "{row} {}", answer.status());
                        }
                        if let Some(kind) = mode.refuses(sent) {
                            assert_refused(&answer, kind);
                        }
                        verdicts.push((answer.status(), handler));
                    }
                    assert_eq!(
                        verdicts[0], verdicts[1],
                        "a field changed the verdict: {spelling}"
                    );
                }
            }
        }
    }
}

/// The pair: who has the role runs `/admin`, under the spellings that are `/admin` to the router and no other.
#[tokio::test]
async fn an_administrator_reaches_the_handler_that_the_router_finds() {
    let scene = Scene::new();
    let ran = Ran::default();
    let token = scene.issuer.token().roles(["admin"]).build();
    let application = application(&ran).layer(Mode::Required.layer(scene.bearer()));
    for spelling in SPELLINGS {
        let Ok(uri) = spelling.parse::<Uri>() else {
            continue;
        };
        let mut asked = request(Method::GET, "/", &[("authorization", &format!("Bearer {token}"))]);
        *asked.uri_mut() = uri.clone();
        let _ = send(&application, asked).await;
        let is_admin = uri.path() == "/admin";
        assert_eq!(ran.take() == Some("admin"), is_admin, "{spelling}");
    }
}

/// T-PATH-1: a demand that is bound to routes is found under the route that runs; one that is bound to a part of
/// the tree, under everything that the router takes for a part of it.
#[tokio::test]
async fn asvs_8_3_1_a_demand_of_a_part_of_the_tree_holds_for_all_that_is_in_it() {
    let scene = Scene::new();
    let ran = Ran::default();
    let note = |handler: &'static str| {
        let ran = ran.clone();
        get(move || {
            ran.note(handler);
            async {}
        })
    };
    let admin = Router::new()
        .route("/", note("admin"))
        .route("/{*rest}", note("admin"))
        .layer(AuthorizeLayer::needs::<HasRole<Admin>>());
    let application = Router::new()
        .nest("/admin", admin)
        .route("/{*rest}", note("public"))
        .layer(Mode::OnDemand.layer(scene.bearer()));
    for spelling in SPELLINGS
        .iter()
        .copied()
        .chain(["/admin/users", "/admin/%2e%2e/users"])
    {
        let Ok(uri) = spelling.parse::<Uri>() else {
            continue;
        };
        for sent in Sent::ALL {
            let mut asked = scene.request(Method::GET, "/", sent);
            *asked.uri_mut() = uri.clone();
            let answer = send(&application, asked).await;
            let handler = ran.take();
            assert_ne!(handler, Some("admin"), "{spelling} {sent:?} {}", answer.status());
            // `/admin/` is no path of a router that is nested at `/admin`: whoever catches all outside gets it.
            let inside = uri.path() != "/admin/" && uri.path().starts_with("/admin/");
            assert!(handler.is_none() || !inside, "{spelling} {sent:?}");
        }
    }
}

/// T-PATH-1, T-PATH-2: the same over a connection, with targets that no URI type would build.
#[tokio::test]
async fn targets_as_they_come_over_a_connection_have_the_verdict_of_their_handler() {
    let scene = Scene::new();
    let ran = Ran::default();
    let good = scene.value(Sent::Good).expect("sent");
    for mode in Mode::ALL {
        let application = application(&ran).layer(mode.layer(scene.bearer()));
        let mut targets: Vec<String> = SPELLINGS.iter().map(|target| (*target).to_owned()).collect();
        targets.extend(
            [
                "app.test:80",
                "admin",
                "/admin#x",
                "/\u{61}dmin\u{9}",
                "http:///admin",
            ]
            .map(str::to_owned),
        );
        for target in targets {
            for method in ["GET", "OPTIONS", "CONNECT"] {
                for authorization in [None, Some(good)] {
                    let mut text =
                        format!("{method} {target} HTTP/1.1\r\nhost: app.test\r\nconnection: close\r\n");
                    for (name, value) in SPOOFED {
                        text.push_str(&format!("{name}: {value}\r\n"));
                    }
                    if let Some(value) = authorization {
                        text.push_str(&format!("authorization: {value}\r\n"));
                    }
                    text.push_str("\r\n");
                    let answer = over_a_connection(&application, &text).await;
                    let handler = ran.take();
                    let sent = authorization.map_or(Sent::Nothing, |_| Sent::Good);
                    let row = format!("{mode:?} {method} {target} {sent:?}: {handler:?} {answer}");
                    assert!(handler.is_none_or(|handler| may_run(handler, sent)), "{row}");
                    let refused = answer.starts_with("HTTP/1.1 4");
                    assert!(handler.is_some() || refused, "{row}");
                }
            }
        }
    }
}

/// T-WIRE-2: a nested router sees a part of the path; a demand there is no other.
#[tokio::test]
async fn nesting_hides_no_handler_from_its_demand() {
    let scene = Scene::new();
    let ran = Ran::default();
    let deep = Router::new().nest("/a", Router::new().nest("/b", application(&ran)));
    let service = deep.layer(Mode::OnDemand.layer(scene.bearer()));
    for path in [
        "/a/b/admin",
        "/a/b//admin",
        "/a/b/%61dmin",
        "/a//b/admin",
        "/a/b/../b/admin",
    ] {
        for sent in Sent::ALL {
            let mut asked: Request<_> = scene.request(Method::GET, path, sent);
            let extra = request(Method::GET, "/", SPOOFED);
            asked.headers_mut().extend(extra.headers().clone());
            let _ = send(&service, asked).await;
            let handler = ran.take();
            assert!(
                handler.is_none_or(|handler| may_run(handler, sent)),
                "{path} {sent:?}"
            );
        }
    }
    async fn me(_: Authorized<SignedIn>) {}
    let service = Router::new().nest(
        "/x",
        Router::new()
            .route("/me", get(me))
            .layer(Mode::Required.layer(scene.bearer())),
    );
    let answer = send(&service, scene.request(Method::GET, "/x/me", Sent::Nothing)).await;
    assert_refused(&answer, portcullis_core::AuthErrorKind::MissingCredentials);
}
