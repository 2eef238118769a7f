//! HEAD, OPTIONS, and methods a route does not have.

use axum::Router;
use http::Method;
use http::header::{ALLOW, CONTENT_LENGTH};
use portcullis_axum::gate::{Gate, get, head, options, post};
use portcullis_core::{AuthErrorKind, Principal, SignedIn};
use portcullis_test::{assert_refused, assert_status};

use super::*;

fn app() -> Router {
    Gate::<(), Principal>::new()
        .guarded("/one", get(async || "one").needs::<Reads>())
        .guarded(
            "/two",
            get(async || "two")
                .needs::<Reads>()
                .head(async || [("x-own", "yes")])
                .needs::<Deletes>(),
        )
        .guarded(
            "/probe",
            get(async || "probe").needs::<Reads>().head(async || ()).public(),
        )
        // Two routes in one place, as axum allows.
        .guarded("/split", get(async || "split").needs::<Reads>())
        .guarded("/split", head(async || ()).needs::<SignedIn>())
        .guarded("/split", post(async || "posted").needs::<Deletes>())
        .guarded("/options", options(async || "options").needs::<SignedIn>())
        .into_router()
}

/// T-WIRE-3
#[tokio::test]
async fn head_needs_what_get_needs_unless_it_has_a_handler_of_its_own() {
    let app = app();
    let (reader, deleter) = (alice().scope(Read::NAME), alice().scope(Delete::NAME));
    let table = [
        ("/one", Some(reader.clone()), Some(deleter.clone())),
        ("/two", Some(deleter), Some(reader)),
        ("/split", Some(alice()), None),
    ];
    for (path, passes, refused) in table {
        let is_anonymous = refused.is_none();
        assert_status(&ask(&app, Method::HEAD, path, passes).await, 200);
        let refused = ask(&app, Method::HEAD, path, refused).await;
        assert_refused(
            &refused,
            match is_anonymous {
                true => AuthErrorKind::MissingCredentials,
                false => AuthErrorKind::InsufficientScope,
            },
        );
        assert_ne!(refused.headers()[CONTENT_LENGTH], "0");
        assert_eq!(text(refused).await, "", "{path}");
    }
    assert_status(&ask(&app, Method::HEAD, "/probe", None).await, 200);
    let get = ask(&app, Method::GET, "/probe", None).await;
    assert_refused(&get, AuthErrorKind::MissingCredentials);
}

/// T-WIRE-3
#[tokio::test]
async fn a_guard_turns_no_405_no_preflight_and_no_404_into_401() {
    let app = app();
    let delete = ask(&app, Method::DELETE, "/two", None).await;
    assert_status(&delete, 405);
    assert_eq!(delete.headers()[ALLOW], "GET,HEAD");
    let mut preflight = request(Method::OPTIONS, "/one", None);
    let wanted = "GET".parse().expect("a value");
    preflight
        .headers_mut()
        .insert("access-control-request-method", wanted);
    assert_status(&send(&app, preflight).await, 405);
    assert_status(&ask(&app, Method::GET, "/none", None).await, 404);
    // The same place with a method it has.
    let get = ask(&app, Method::GET, "/two", None).await;
    assert_refused(&get, AuthErrorKind::MissingCredentials);
}

#[tokio::test]
async fn a_handler_of_options_has_its_own_need() {
    let app = app();
    assert_status(&ask(&app, Method::OPTIONS, "/options", Some(alice())).await, 200);
    let refused = ask(&app, Method::OPTIONS, "/options", None).await;
    assert_refused(&refused, AuthErrorKind::MissingCredentials);
}
