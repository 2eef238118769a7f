//! What a gate allocates: nothing.

use axum::extract::State;
use axum::{Router, routing};
use http::Method;
use portcullis_axum::Authorized;
use portcullis_axum::gate::{Gate, get};
use portcullis_core::Principal;
use tower::ServiceExt;

use super::*;

async fn documents() -> &'static str {
    "documents"
}

async fn extracted(_: Authorized<Reads>) -> &'static str {
    "documents"
}

async fn stateful(_: State<&'static str>) -> &'static str {
    "documents"
}

/// The allocations of one request, when everything that happens once has happened.
fn allocations(app: &Router) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let mut counted = 0;
    for _ in 0..3 {
        let request = request(Method::GET, "/documents", Some(alice().scope(Read::NAME)));
        let app = app.clone();
        let info = allocation_counter::measure(|| {
            let answer = runtime.block_on(app.oneshot(request)).expect("infallible");
            assert_eq!(answer.status(), 200);
        });
        counted = info.count_total;
    }
    counted
}

fn served(router: Router) -> Router {
    // As `axum::serve` does.
    router.with_state(())
}

#[test]
fn a_gate_adds_no_allocation_to_a_request() {
    let bare = Router::new().route("/documents", routing::get(documents));
    let by_extractor = Router::new().route("/documents", routing::get(extracted));
    let gate = |gate: Gate| gate.into_router();
    let guarded = gate(Gate::new().guarded("/documents", get(documents).needs::<Reads>()));
    let public = gate(Gate::new().public("/documents", get(documents)));
    for stage in [|router| router, served] {
        let [bare, by_extractor, guarded, public] =
            [&bare, &by_extractor, &guarded, &public].map(|router| allocations(&stage(router.clone())));
        assert!(bare > 2);
        assert!(guarded <= bare, "{guarded} and not {bare}");
        assert!(guarded <= by_extractor, "{guarded} and not {by_extractor}");
        assert!(public <= bare, "{public} and not {bare}");
    }
}

#[test]
fn a_gate_adds_no_allocation_where_handlers_have_state() {
    let bare = Router::new().route("/documents", routing::get(stateful));
    let guarded = Gate::<_, Principal>::new().guarded("/documents", get(stateful).needs::<Reads>());
    let policy = |_: &portcullis_core::Authentication<Principal>, _: &http::request::Parts| {
        portcullis_core::Decision::Granted
    };
    let by_policy = Gate::<_, Principal>::new().guarded("/documents", get(stateful).policy("any", policy));
    let bare = allocations(&bare.with_state("state"));
    let guarded = allocations(&guarded.with_state("state").into_router());
    let by_policy = allocations(&by_policy.with_state("state").into_router());
    assert!(
        guarded <= bare && by_policy <= bare,
        "{guarded}, {by_policy} and not {bare}"
    );
}
