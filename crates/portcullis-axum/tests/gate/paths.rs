//! Spellings of a path: the verdict is that of the handler that runs.

use axum::Router;
use http::{Method, Uri};
use portcullis_axum::gate::{Gate, any, get};
use portcullis_core::{AuthErrorKind, Principal, SignedIn};
use portcullis_test::assert_refused;

use super::*;

/// `/admin` for whoever may delete, other pages of one segment for who is signed in, files for everybody.
fn app() -> Router {
    let inner = Gate::<(), Principal>::new()
        .guarded("/admin", any(async || "admin").needs::<Deletes>())
        .public("/open", get(async || "open"));
    Gate::new()
        .guarded("/admin", any(async || "admin").needs::<Deletes>())
        .guarded("/{page}", any(async || "page").needs::<SignedIn>())
        .any_public("/files/{*path}", async || "file")
        .nest("/nested", inner)
        .guarded_service::<Deletes, _>("/legacy", Router::new().fallback(async || "legacy"))
        .into_router()
}

const TARGETS: [&str; 36] = [
    "/admin",
    "/admin?",
    "/admin?x=/files/1",
    "//admin",
    "/admin/",
    "/admin//",
    "/admin/.",
    "/admin/..",
    "/./admin",
    "/files/../admin",
    "/files/..%2fadmin",
    "/files/%2e%2e/admin",
    "/%61dmin",
    "/%2561dmin",
    "/admin%2f",
    "/admin%2F..%2Ffiles",
    "/admin%00",
    "/admin%20",
    "/admin;x=1",
    "/admin;/files/1",
    "/ADMIN",
    "/Admin",
    "http://app.test/admin",
    "http://admin/files/1",
    "http://user:password@app.test/admin",
    "https://app.test//admin",
    "/nested/admin",
    "/nested//admin",
    "/nested/admin/",
    "/nested/open/../admin",
    "/nested/%61dmin",
    "/legacy",
    "/legacy/../files/1",
    "/legacy%2fadmin",
    "//legacy",
    "*",
];

/// T-PATH-1
#[tokio::test]
async fn whatever_the_spelling_a_gate_asks_what_the_handler_that_runs_needs() {
    let app = app();
    let mut ran = Vec::new();
    for target in TARGETS {
        assert!(target.parse::<Uri>().is_ok(), "{target}");
        let of = |caller| ask(&app, Method::GET, target, caller);
        let granted = of(Some(alice().scope(Delete::NAME))).await;
        let handler = match granted.status().as_u16() {
            200 => text(granted).await,
            404 => "none".to_owned(),
            other => panic!("{target}: {other}"),
        };
        let (anonymous, caller) = (of(None).await, of(Some(alice())).await);
        match handler.as_str() {
            "admin" | "legacy" => {
                assert_refused(&anonymous, AuthErrorKind::MissingCredentials);
                assert_refused(&caller, AuthErrorKind::InsufficientScope);
            }
            "page" => {
                assert_refused(&anonymous, AuthErrorKind::MissingCredentials);
                assert_eq!(text(caller).await, "page", "{target}");
            }
            "file" | "open" => {
                assert_eq!(text(anonymous).await, handler, "{target}");
                assert_eq!(text(caller).await, handler, "{target}");
            }
            _ => assert_eq!([anonymous.status(), caller.status()], [404, 404], "{target}"),
        }
        ran.push(handler);
    }
    for handler in ["admin", "page", "file", "legacy", "none"] {
        assert!(ran.iter().any(|ran| ran == handler), "{handler}: {ran:?}");
    }
}
