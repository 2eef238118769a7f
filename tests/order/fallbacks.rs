//! What a layer stands around, and what was added too late for it.

use axum::Router;
use axum::routing::get;
use http::Method;
use portcullis_axum::Authenticated;

use crate::support::{Mode, Need, Scene, Sent};
use crate::wire::send;

/// T-WIRE-1, T-WIRE-3: a fallback is a handler like any other, and the layer stands outside it or not.
///
/// | fallback | layer by | who answers an anonymous caller |
/// |---|---|---|
/// | of the router | `Router::layer` after it | the layer |
/// | of the router | `Router::layer` *before* it | nobody stood outside: 500 |
/// | of the router | `route_layer` | nobody stood outside: 500 |
/// | of a nested router | `layer` of the nested one | the layer |
/// | of the outer router, for a path below the nested one | `layer` of the nested one | nobody: 500 |
#[tokio::test]
async fn a_fallback_is_behind_a_layer_that_was_added_after_it() {
    async fn me(caller: Authenticated) -> String {
        caller.principal().subject().to_owned()
    }
    let scene = Scene::new();
    for mode in Mode::ALL {
        let layer = || mode.layer(scene.bearer());
        let nested = || Router::<()>::new().route("/x", get(me));
        for (name, service, uri, guarded) in [
            ("after", nested().fallback(me).layer(layer()), "/nowhere", true),
            ("before", nested().layer(layer()).fallback(me), "/nowhere", false),
            (
                "by route",
                nested().fallback(me).route_layer(layer()),
                "/nowhere",
                false,
            ),
            (
                "nested",
                Router::new().nest("/api", nested().fallback(me).layer(layer())),
                "/api/nowhere",
                true,
            ),
            (
                "outer of nested",
                Router::new().nest("/api", nested().layer(layer())).fallback(me),
                "/api/nowhere",
                false,
            ),
            (
                "outer, layered as well",
                Router::new()
                    .nest("/api", nested().layer(layer()))
                    .fallback(me)
                    .layer(layer()),
                "/api/nowhere",
                true,
            ),
            (
                "a route added after the layer",
                nested().layer(layer()).route("/late", get(me)),
                "/late",
                false,
            ),
            (
                "a method added after the layer",
                Router::new().route("/m", get(me).layer(layer()).post(me)),
                "/m",
                false,
            ),
        ] {
            let method = if uri == "/m" { Method::POST } else { Method::GET };
            for sent in Sent::ALL {
                let answer = send(&service, scene.request(method.clone(), uri, sent)).await;
                let refusal = Need::Caller.refuses(sent);
                let expected = match refusal {
                    _ if !guarded => 500,
                    Some(kind) => kind.wire().status.as_u16(),
                    None => 200,
                };
                assert_eq!(answer.status(), expected, "{name} {mode:?} {sent:?}");
            }
        }
    }
}
