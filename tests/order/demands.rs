//! `AuthorizeLayer` around the whole, around routes, and around one route.

use http::Method;
use portcullis_core::HasScope;
use portcullis_tower::AuthorizeLayer;
use tower::Layer;

use crate::handlers::{Anyone, Routes, State};
use crate::support::{App, Expected, Mode, Need, Scene, Sent, app, assert_expected};
use crate::wire::{DocumentsRead, send};

/// Where `AuthorizeLayer` stands inside the layer: the whole service, the routes, one route.
///
/// | `AuthorizeLayer` | unknown path, anonymous, `optional` outside |
/// |---|---|
/// | `Router::layer` | 401 |
/// | `Router::route_layer` | 404 |
/// | `MethodRouter::layer` | 404 |
///
/// R7
#[tokio::test]
async fn a_demand_of_a_layer_holds_for_what_it_is_put_around() {
    let scene = Scene::new();
    let state = State::new(&scene);
    let demand = AuthorizeLayer::needs::<HasScope<DocumentsRead>>;
    let routes = || Routes::asking::<Anyone>(&state);
    for mode in Mode::ALL {
        let layer = || mode.layer(scene.bearer());
        let assemblies: [(&str, App, bool, bool); 5] = [
            (
                "Router::layer",
                app(routes().router().layer(demand()).layer(layer())),
                true,
                true,
            ),
            (
                "around the finished router",
                app(layer().layer(demand().layer(routes().router()))),
                true,
                true,
            ),
            (
                "Router::route_layer, the other outside",
                app(routes().router().route_layer(demand()).layer(layer())),
                false,
                true,
            ),
            (
                "both by Router::route_layer",
                app(routes().router().route_layer(demand()).route_layer(layer())),
                false,
                true,
            ),
            (
                "MethodRouter::layer",
                app(routes()
                    .map(|route| route.layer(demand()))
                    .router()
                    .layer(layer())),
                false,
                true,
            ),
        ];
        for (name, service, unknown, other_method) in assemblies {
            let by_route = name.starts_with("both");
            for (uri, demanded, behind, router) in [
                ("/all", true, true, None),
                ("/nowhere", unknown, !by_route, Some(404)),
                ("/only-post", other_method, true, Some(405)),
            ] {
                for sent in Sent::ALL {
                    let by_layer = mode.refuses(sent).filter(|_| behind);
                    let by_demand = Need::Scope.refuses(sent).filter(|_| demanded);
                    let expected = match (by_layer.or(by_demand), router) {
                        (Some(kind), _) => Expected::Refused(kind),
                        (None, Some(code)) => Expected::Router(code),
                        (None, None) => Expected::Served,
                    };
                    let answer = send(&service, scene.request(Method::GET, uri, sent)).await;
                    let row = format!("{name} {mode:?} {uri} {sent:?}");
                    assert_expected(&answer, &scene.reached, expected, &row);
                }
            }
        }
    }
}
