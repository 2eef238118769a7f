use axum::Router;
use axum::routing::get;
use http::{Method, StatusCode};
use portcullis_axum::{Authenticated, Authorized};
use portcullis_core::SignedIn;
use portcullis_tower::{AuthenticateLayer, LedgerLayer};

use crate::wire::{Log, Scene, bearer_value, request, send};

async fn forgets(_: Authenticated) -> &'static str {
    "ok"
}

/// A handler that asks and does not listen.
async fn ignores(caller: Authorized<SignedIn>) -> &'static str {
    let denied = portcullis_core::Decision::Denied(portcullis_core::Reason::new("not_hers"));
    let _ = caller.enforce(denied);
    "ok"
}

fn routes() -> Router {
    Router::new()
        .route("/documents/{id}", get(forgets).post(forgets))
        .route("/ignored/{id}", get(ignores))
        .route("/decided/{id}", get(async |_: Authorized<SignedIn>| "ok"))
}

/// What is said about one request to a path that nobody should see in a log.
async fn said(layer: LedgerLayer, method: Method, resource: &str) -> (StatusCode, Vec<String>) {
    let scene = Scene::new();
    let application = routes()
        .layer(AuthenticateLayer::required(scene.bearer()))
        .layer(layer);
    let token = bearer_value(&scene.reader().build());
    let (log, _guard) = Log::capture();
    let path = format!("/{resource}/hunter2?secret=hunter2");
    let answer = send(&application, request(method, &path, &[("authorization", &token)])).await;
    let log = log.text();
    assert!(!log.contains("hunter2"), "{log}");
    let ours = log
        .lines()
        .filter(|line| line.contains("portcullis_tower::ledger"));
    (answer.status(), ours.map(str::to_owned).collect())
}

/// ASVS 16.3.2, 16.3.4
#[tokio::test]
async fn one_line_says_which_route_and_what_to_do() {
    let report = LedgerLayer::report_only;
    let all = || LedgerLayer::new().withhold_writes();
    for (layer, method, resource, status, level, what) in [
        (
            LedgerLayer::new(),
            "GET",
            "documents",
            500,
            "ERROR",
            "an answer was withheld",
        ),
        (
            LedgerLayer::new(),
            "HEAD",
            "documents",
            500,
            "ERROR",
            "an answer was withheld",
        ),
        (LedgerLayer::new(), "POST", "documents", 200, "ERROR", "alarm"),
        (
            LedgerLayer::new(),
            "GET",
            "ignored",
            500,
            "ERROR",
            "an answer was withheld",
        ),
        (all(), "POST", "documents", 500, "ERROR", "an answer was withheld"),
        (report(), "GET", "documents", 200, "WARN", "would be withheld"),
        (report(), "POST", "documents", 200, "WARN", "would be withheld"),
        (report(), "GET", "ignored", 200, "WARN", "would be withheld"),
    ] {
        let parsed = Method::from_bytes(method.as_bytes()).expect("a method");
        let (answered, lines) = said(layer, parsed, resource).await;
        assert_eq!(answered, status, "{method} {resource}");
        let [line] = lines.as_slice() else {
            panic!("one line, not {lines:?}");
        };
        let (reason, cure) = match resource {
            "ignored" => ("refusal_ignored", "return the refusal"),
            _ => ("authorization_forgotten", "say who may"),
        };
        for expected in [
            level,
            what,
            cure,
            &format!("method=\"{method}\""),
            &format!("route=\"/{resource}/{{id}}\""),
            &format!("reason=\"{reason}\""),
        ] {
            assert!(line.contains(expected), "{expected}: {line}");
        }
    }
}

#[tokio::test]
async fn nothing_is_said_about_what_was_decided_or_where_nobody_looks() {
    let silent = LedgerLayer::audit_only(|_: &portcullis_core::AuditEvent<'_>| {});
    for (layer, resource) in [
        (LedgerLayer::new(), "decided"),
        (LedgerLayer::report_only(), "decided"),
        (silent, "documents"),
    ] {
        let (answered, lines) = said(layer, Method::GET, resource).await;
        assert_eq!((answered, lines), (StatusCode::OK, vec![]));
    }
}
