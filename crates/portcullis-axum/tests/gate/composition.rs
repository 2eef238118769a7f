//! Gates in gates, services, fallbacks, layers.

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::{Router, routing};
use http::Method;
use portcullis_axum::gate::{Gate, get};
use portcullis_core::{AuthErrorKind, Principal, SignedIn};
use portcullis_test::{assert_refused, assert_status};

use super::*;

fn foreign() -> Router {
    Router::new()
        .route("/", routing::get(async || "root"))
        .route("/page", routing::any(async || "page"))
}

fn admin() -> Gate {
    Gate::new()
        .guarded("/", get(async || "admin").needs::<Reads>())
        .guarded("/users/{id}", get(async || "user").needs::<Reads>())
        .public("/sign-in", get(async || "sign in"))
        .fallback_guarded::<Reads, _>(async || "nothing here")
}

fn app() -> Router {
    let other = Gate::<(), Principal>::new()
        .guarded("/merged", get(async || "merged").needs::<Reads>())
        .public("/open", get(async || "open"));
    Gate::new()
        .nest("/admin", admin())
        .merge(other)
        .public_service("/assets", foreign())
        .guarded_service::<Reads, _>("/legacy", foreign())
        .fallback_public(async || "lost?")
        .into_router()
}

/// T-WIRE-3
#[tokio::test]
async fn needs_hold_where_gates_and_services_are_put_together() {
    let app = app();
    let guarded = [
        ("/admin", "admin"),
        ("/admin/users/1", "user"),
        ("/admin/none", "nothing here"),
        ("/merged", "merged"),
        ("/legacy", "root"),
        ("/legacy/", "root"),
        ("/legacy/page", "page"),
    ];
    for (path, expected) in guarded {
        let granted = ask(&app, Method::GET, path, Some(alice().scope(Read::NAME))).await;
        assert_status(&granted, 200);
        assert_eq!(text(granted).await, expected);
        let refused = ask(&app, Method::GET, path, Some(alice())).await;
        assert_refused(&refused, AuthErrorKind::InsufficientScope);
        let refused = ask(&app, Method::GET, path, None).await;
        assert_refused(&refused, AuthErrorKind::MissingCredentials);
    }
    let public = [
        ("/admin/sign-in", "sign in"),
        ("/open", "open"),
        ("/assets", "root"),
        ("/assets/page", "page"),
        ("/none", "lost?"),
    ];
    for (path, expected) in public {
        let answer = ask(&app, Method::GET, path, None).await;
        assert_status(&answer, 200);
        assert_eq!(text(answer).await, expected);
    }
    // What a guarded service does not have, it tells only whom it serves.
    let post = |caller| ask(&app, Method::POST, "/legacy/none", caller);
    assert_status(&post(Some(alice().scope(Read::NAME))).await, 404);
    assert_refused(&post(None).await, AuthErrorKind::MissingCredentials);
}

#[tokio::test]
async fn a_service_at_the_root_and_a_fallback_answer_what_no_route_does() {
    let service = Gate::<(), Principal>::new()
        .public("/open", get(async || "open"))
        .guarded_service::<SignedIn, _>("/", foreign())
        .into_router();
    let handler = Gate::<(), Principal>::new()
        .public("/open", get(async || "open"))
        .fallback_guarded::<SignedIn, _>(async || "page")
        .into_router();
    for app in [service, handler] {
        assert_status(&ask(&app, Method::GET, "/open", None).await, 200);
        let granted = ask(&app, Method::GET, "/page", Some(alice())).await;
        assert_status(&granted, 200);
        assert_eq!(text(granted).await, "page");
        let refused = ask(&app, Method::GET, "/page", None).await;
        assert_refused(&refused, AuthErrorKind::MissingCredentials);
    }
}

#[tokio::test]
async fn a_layer_stands_around_the_routes_before_it() {
    let sign_in = from_fn(async |mut request: Request, next: Next| {
        let alice = std::sync::Arc::new(alice().authentication());
        let outcome = Outcome::authenticated(alice, challenges());
        request.extensions_mut().insert(outcome);
        next.run(request).await
    });
    let app = Gate::<(), Principal>::new()
        .guarded("/inside", get(async || "inside").needs::<SignedIn>())
        .layer(sign_in)
        .guarded("/outside", get(async || "outside").needs::<SignedIn>())
        .into_router();
    assert_status(&ask(&app, Method::GET, "/inside", None).await, 200);
    let refused = ask(&app, Method::GET, "/outside", None).await;
    assert_refused(&refused, AuthErrorKind::MissingCredentials);
}

#[test]
fn axum_finds_overlapping_routes_when_the_gate_is_built() {
    let gate = || Gate::<(), Principal>::new().public("/a/{id}", get(async || ()));
    let builds: [fn(Gate) -> Gate; 2] = [
        |gate| gate.public("/b", get(async || ())),
        |gate| gate.public("/a/{id}", portcullis_axum::gate::post(async || ())),
    ];
    for build in builds {
        let _ = build(gate());
    }
    let overlaps: [fn(Gate) -> Gate; 3] = [
        |gate| gate.public("/a/{name}", get(async || ())),
        |gate| gate.guarded("/a/{id}", get(async || ()).needs::<SignedIn>()),
        |gate| {
            gate.fallback_public(async || ())
                .merge(Gate::new().fallback_public(async || ()))
        },
    ];
    for overlap in overlaps {
        assert!(std::panic::catch_unwind(|| overlap(gate())).is_err());
    }
}
