//! What the ledger hears.

use axum::{Router, routing};
use http::Method;
use portcullis_axum::gate::{Gate, any, get};
use portcullis_core::{Ledger, Principal, Standing};

use super::*;

fn app() -> Router {
    let foreign = || Router::new().route("/page", routing::any(async || "page"));
    let inner = Gate::<(), Principal>::new()
        .guarded("/users/{id}", get(async || "user").needs::<Reads>())
        .public_service("/files/", foreign())
        .fallback_public(async || "lost");
    Gate::new()
        .public("/open", get(async || "open"))
        .guarded("/", any(async || "root").needs::<Reads>())
        .nest("/tenants/{tenant}", inner)
        .guarded_service::<Reads, _>("/legacy", foreign())
        .fallback_guarded::<Reads, _>(async || "page")
        .into_router()
}

/// The ledger of a request, once it was answered.
async fn ledger(method: Method, path: &str, caller: Option<TestCaller>) -> Ledger {
    let ledger = Ledger::new(method.clone());
    let mut request = request(method, path, caller);
    request.extensions_mut().insert(ledger.clone());
    send(&app(), request).await;
    ledger
}

#[tokio::test]
async fn decisions_are_written_down_and_routes_named_by_their_template() {
    use Standing::{Granted, Public, Refused, Undecided};
    let reader = || Some(alice().scope(Read::NAME));
    let table = [
        ("/open", None, Public, Some("/open")),
        ("/", reader(), Granted, Some("/")),
        ("/", Some(alice()), Refused, Some("/")),
        // Nothing was decided about nobody.
        ("/", None, Undecided, Some("/")),
        (
            "/tenants/acme/users/7",
            reader(),
            Granted,
            Some("/tenants/{tenant}/users/{id}"),
        ),
        (
            "/tenants/acme/files/page",
            None,
            Public,
            Some("/tenants/{tenant}/files/{*rest}"),
        ),
        (
            "/tenants/acme/none",
            None,
            Public,
            Some("/tenants/{tenant}/{*rest}"),
        ),
        ("/legacy", reader(), Granted, Some("/legacy/{*rest}")),
        ("/legacy/page", Some(alice()), Refused, Some("/legacy/{*rest}")),
        ("/none/at/all", reader(), Granted, Some("/{*rest}")),
    ];
    for (path, caller, standing, route) in table {
        let ledger = ledger(Method::GET, path, caller).await;
        assert_eq!((ledger.standing(), ledger.route()), (standing, route), "{path}");
    }
}

#[tokio::test]
async fn what_axum_answers_by_itself_is_not_in_the_ledger() {
    let reader = Some(alice().scope(Read::NAME));
    let refused = ledger(Method::POST, "/open", reader.clone()).await;
    assert_eq!(refused.standing(), Standing::Undecided);
    let granted = ledger(Method::POST, "/", reader).await;
    assert_eq!(granted.standing(), Standing::Granted);
}
