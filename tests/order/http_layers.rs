//! The layers of tower-http, inside and outside ours.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, VARY};
use http::{HeaderValue, Method, Response, StatusCode};
use portcullis_axum::Authenticated;
use portcullis_core::{AuthError, Authentication, Method as By, Principal, Secret, authenticate_fn, place};
use portcullis_test::assert_status;
use tower::Layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::normalize_path::NormalizePathLayer;
use tower_http::set_header::{SetRequestHeaderLayer, SetResponseHeaderLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::support::{Expected, Mode, Need, Reached, Scene, Sent, app, assert_expected};
use crate::wire::{Log, request, send};

pub(crate) fn routes(reached: &Reached) -> Router {
    let me = reached.clone();
    let open = reached.clone();
    Router::new()
        .route(
            "/me",
            get(move |caller: Authenticated| {
                me.count();
                async move { caller.principal().subject().repeat(100) }
            }),
        )
        .route(
            "/open",
            get(move || {
                open.count();
                async { "open" }
            }),
        )
}

const SECOND: Duration = Duration::from_secs(1);

/// Every layer, put around a router.
type Put = fn(Router) -> Router;

const LAYERS: &[(&str, Put)] = &[
    ("trace", |router| router.layer(TraceLayer::new_for_http())),
    ("cors", |router| router.layer(CorsLayer::permissive())),
    ("compression", |router| router.layer(CompressionLayer::new())),
    ("timeout", |router| {
        router.layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            SECOND,
        ))
    }),
    ("catch-panic", |router| router.layer(CatchPanicLayer::new())),
    ("set-header", |router| {
        let value = HeaderValue::from_static("nosniff");
        router.layer(SetResponseHeaderLayer::overriding(
            http::header::X_CONTENT_TYPE_OPTIONS,
            value,
        ))
    }),
    ("normalize-path", |router| {
        router.layer(NormalizePathLayer::trim_trailing_slash())
    }),
    ("body-limit", |router| {
        router.layer(RequestBodyLimitLayer::new(1_000))
    }),
];

/// The verdict is the same with each of them inside, outside, and on both sides.
#[tokio::test]
async fn no_layer_of_tower_http_changes_a_verdict() {
    let scene = Scene::new();
    let ours = |mode: Mode, router: Router| router.layer(mode.layer(scene.bearer()));
    for mode in Mode::ALL {
        for (name, put) in LAYERS {
            let inside = ours(mode, put(routes(&scene.reached)));
            let outside = put(ours(mode, routes(&scene.reached)));
            let both = put(ours(mode, put(routes(&scene.reached))));
            for (side, service) in [("inside", inside), ("outside", outside), ("both", both)] {
                for sent in Sent::ALL {
                    for (uri, need) in [("/me", Need::Caller), ("/open", Need::Open)] {
                        let expected = Expected::of(mode.refuses(sent).or_else(|| need.refuses(sent)));
                        let answer = send(&service, scene.request(Method::GET, uri, sent)).await;
                        let row = format!("{name} {side} {mode:?} {uri} {sent:?}");
                        assert_expected(&answer, &scene.reached, expected, &row);
                        let personal = mode != Mode::OnDemand || uri == "/me";
                        let vary: Vec<_> = answer.headers().get_all(VARY).iter().collect();
                        let listed = vary
                            .iter()
                            .any(|line| line.to_str().expect("ascii").contains("authorization"));
                        assert_eq!(listed, personal, "{row}: {vary:?}");
                    }
                }
            }
        }
    }
}

/// All of them at once, ours in every place among them.
#[tokio::test]
async fn among_all_of_them_every_place_is_a_good_one() {
    let scene = Scene::new();
    for mode in Mode::ALL {
        for place in 0..=LAYERS.len() {
            let mut service = routes(&scene.reached);
            for (index, (_, put)) in LAYERS.iter().enumerate() {
                if index == place {
                    service = service.layer(mode.layer(scene.bearer()));
                }
                service = put(service);
            }
            if place == LAYERS.len() {
                service = service.layer(mode.layer(scene.bearer()));
            }
            for sent in Sent::ALL {
                let expected = Expected::of(mode.refuses(sent).or_else(|| Need::Caller.refuses(sent)));
                let answer = send(&service, scene.request(Method::GET, "/me", sent)).await;
                assert_expected(
                    &answer,
                    &scene.reached,
                    expected,
                    &format!("{place} {mode:?} {sent:?}"),
                );
            }
        }
    }
}

/// A method whose check takes ten seconds.
fn slow() -> impl portcullis_core::AuthenticateRequest<Principal = Principal> {
    authenticate_fn(place::header("x-key").expect("name"), |_: Secret<String>| async {
        tokio::time::sleep(10 * SECOND).await;
        let who = Principal::new("https://keys.test", "alice");
        Ok::<_, AuthError>(Some(Authentication::assertion(who, By::new("key"))))
    })
}

/// A timeout outside bounds the check as well; one inside bounds the handler only. On demand, the check is the
/// handler's.
#[tokio::test(start_paused = true)]
async fn a_timeout_outside_ends_the_check_and_the_handler_is_not_reached() {
    let timeout = || TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, SECOND);
    for mode in Mode::ALL {
        let reached = Reached::default();
        let outside = routes(&reached).layer(mode.layer(slow())).layer(timeout());
        let inside = routes(&reached).layer(timeout()).layer(mode.layer(slow()));
        let asked = || request(Method::GET, "/me", &[("x-key", "1")]);
        assert_status(&send(&outside, asked()).await, 408);
        tokio::time::sleep(60 * SECOND).await;
        assert_eq!(reached.take(), 0, "{mode:?}");
        let status = send(&inside, asked()).await.status().as_u16();
        let expected = if mode == Mode::OnDemand {
            (408, 0)
        } else {
            (200, 1)
        };
        assert_eq!((status, reached.take()), expected, "{mode:?}");
    }
}

/// A handler that panics is a 500 that shows nobody, and the next request is served.
#[tokio::test]
async fn a_handler_that_panics_shows_nobody_and_spoils_nothing() {
    async fn panics(caller: Authenticated) -> String {
        panic!("{} was here", caller.principal().subject())
    }
    let scene = Scene::new();
    for mode in Mode::ALL {
        let ours = || mode.layer(scene.bearer());
        let router = || routes(&scene.reached).route("/panics", get(panics));
        for service in [
            router().layer(CatchPanicLayer::new()).layer(ours()),
            router().layer(ours()).layer(CatchPanicLayer::new()),
        ] {
            for sent in Sent::ALL {
                let refusal = mode.refuses(sent).or_else(|| Need::Caller.refuses(sent));
                let answer = send(&service, scene.request(Method::GET, "/panics", sent)).await;
                let expected = refusal.map_or(500, |kind| kind.wire().status.as_u16());
                assert_eq!(answer.status(), expected, "{mode:?} {sent:?}");
                let shown = format!("{:?} {:?}", answer.headers(), answer.body());
                assert!(!shown.contains("alice"), "{shown}");
                let answer = send(&service, scene.request(Method::GET, "/me", Sent::Good)).await;
                assert_eq!((answer.status().as_u16(), scene.reached.take()), (200, 1));
            }
        }
    }
}

/// A path that is made to fit is asked about under the handler that runs, on either side.
#[tokio::test]
async fn a_normalized_path_has_the_verdict_of_its_handler() {
    let scene = Scene::new();
    for mode in Mode::ALL {
        let normalize = NormalizePathLayer::trim_trailing_slash;
        let ours = || mode.layer(scene.bearer());
        for service in [
            app(normalize().layer(routes(&scene.reached).layer(ours()))),
            app(normalize().layer(ours().layer(routes(&scene.reached)))),
            app(ours().layer(normalize().layer(routes(&scene.reached)))),
        ] {
            for (uri, need) in [
                ("/me", Need::Caller),
                ("/me/", Need::Caller),
                ("/me///", Need::Caller),
                ("/open//", Need::Open),
            ] {
                for sent in Sent::ALL {
                    let expected = Expected::of(mode.refuses(sent).or_else(|| need.refuses(sent)));
                    let answer = send(&service, scene.request(Method::GET, uri, sent)).await;
                    assert_expected(
                        &answer,
                        &scene.reached,
                        expected,
                        &format!("{uri} {mode:?} {sent:?}"),
                    );
                }
            }
        }
    }
}

/// A limit outside speaks first, to everybody; inside, strangers are told nothing of it.
#[tokio::test]
async fn a_body_limit_inside_is_for_those_who_are_let_in() {
    let scene = Scene::new();
    let limit = || RequestBodyLimitLayer::new(10);
    let inside = routes(&scene.reached)
        .layer(limit())
        .layer(Mode::Required.layer(scene.bearer()));
    let outside = routes(&scene.reached)
        .layer(Mode::Required.layer(scene.bearer()))
        .layer(limit());
    for (service, sent, status) in [
        (&inside, Sent::Nothing, 401),
        (&inside, Sent::Bad, 401),
        (&inside, Sent::Good, 413),
        (&outside, Sent::Nothing, 413),
        (&outside, Sent::Good, 413),
    ] {
        let mut asked = scene.request(Method::GET, "/me", sent);
        asked
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from_static("1000000"));
        assert_status(&send(service, asked).await, status);
        assert_eq!(scene.reached.take(), 0);
    }
}

/// What a layer outside writes into the request counts as sent; what one inside writes comes too late, also where
/// the layer decides on demand.
#[tokio::test]
async fn credentials_count_as_they_were_at_the_layer() {
    let scene = Scene::new();
    let good = HeaderValue::from_str(scene.value(Sent::Good).expect("sent")).expect("a value");
    let set = || SetRequestHeaderLayer::overriding(AUTHORIZATION, good.clone());
    for mode in Mode::ALL {
        let ours = || mode.layer(scene.bearer());
        let outside = routes(&scene.reached).layer(ours()).layer(set());
        let inside = routes(&scene.reached).layer(set()).layer(ours());
        for sent in Sent::ALL {
            let answer = send(&outside, scene.request(Method::GET, "/me", sent)).await;
            assert_expected(
                &answer,
                &scene.reached,
                Expected::Served,
                &format!("{mode:?} {sent:?}"),
            );
            let expected = Expected::of(mode.refuses(sent).or_else(|| Need::Caller.refuses(sent)));
            let answer = send(&inside, scene.request(Method::GET, "/me", sent)).await;
            assert_expected(&answer, &scene.reached, expected, &format!("{mode:?} {sent:?}"));
        }
    }
}

/// T-CACHE-2: what handlers and layers inside say about caches is kept, on refusals never.
#[tokio::test]
async fn a_refusal_is_never_made_storable_from_inside() {
    let scene = Scene::new();
    let value = HeaderValue::from_static("public, max-age=60");
    let set = || SetResponseHeaderLayer::overriding(CACHE_CONTROL, value.clone());
    for mode in Mode::ALL {
        let service = routes(&scene.reached)
            .route_layer(set())
            .layer(mode.layer(scene.bearer()));
        for sent in Sent::ALL {
            let answer: Response<Bytes> = send(&service, scene.request(Method::GET, "/me", sent)).await;
            let said = &answer.headers()[CACHE_CONTROL];
            if answer.status().is_success() {
                assert_eq!(said, "public, max-age=60");
            } else {
                assert_eq!(said, "no-store", "{mode:?} {sent:?}");
            }
        }
    }
}

/// Spans around and inside ours show no token and no caller.
#[tokio::test]
async fn traces_show_no_token_and_no_caller() {
    let scene = Scene::new();
    let service = routes(&scene.reached)
        .layer(TraceLayer::new_for_http())
        .layer(Mode::Required.layer(scene.bearer()))
        .layer(TraceLayer::new_for_http());
    let (log, _guard) = Log::capture();
    for sent in Sent::ALL {
        let _ = send(&service, scene.request(Method::GET, "/me", sent)).await;
    }
    let log = log.text();
    assert!(log.contains("/me"), "{log}");
    assert!(!log.contains("eyJ") && !log.contains("alice"), "{log}");
}
