//! What a shared cache keeps, and whom it hands it to.
//!
//! nginx caches answers to requests with `Authorization` unless somebody tells it not to, whatever RFC 9111 §3.5
//! says: what protects callers there is `Vary`.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::FutureExt;
use http::HeaderName;
use http::header::{CACHE_CONTROL, VARY};
use portcullis_axum::{Authenticated, Verified};
use portcullis_core::{Outcome, Principal, append_vary};
use portcullis_jwt::JwtBearer;
use portcullis_tower::{RefusalLayer, SignInRedirect};
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::nginx::{Answer, Cached};
use crate::support::{Mode, Scene};

const WHO: HeaderName = HeaderName::from_static("x-who");
const PUBLIC: (HeaderName, &str) = (CACHE_CONTROL, "public, max-age=60");

fn name(caller: Option<&Authenticated>) -> String {
    caller
        .map_or("nobody", |caller| caller.principal().subject())
        .to_owned()
}

/// What every handler answers: who called, in the body and in a field.
fn greet(who: String) -> impl IntoResponse {
    ([(WHO, who.clone())], who)
}

/// Handlers whose answers depend on the caller, all of them careless about caches.
fn personal() -> Router {
    let late = |request: Request| async move {
        let outcome = Outcome::<Principal>::of(request.extensions())
            .expect("a layer")
            .clone();
        let body = async move {
            let caller = outcome.decide().await.ok().flatten();
            let name = caller.map_or_else(
                || "nobody".to_owned(),
                |caller| caller.principal().subject().to_owned(),
            );
            Ok::<_, Infallible>(name)
        };
        ([PUBLIC], Body::from_stream(body.into_stream()))
    };
    Router::new()
        .route(
            "/me",
            get(|caller: Authenticated| async move { ([PUBLIC], greet(name(Some(&caller)))) }),
        )
        .route(
            "/perhaps",
            get(|caller: Option<Authenticated>| async move { ([PUBLIC], greet(name(caller.as_ref()))) }),
        )
        .route(
            "/silent",
            get(|caller: Option<Authenticated>| async move { greet(name(caller.as_ref())) }),
        )
        .route(
            "/encoded",
            get(|caller: Option<Authenticated>| async move {
                (
                    [(VARY, "accept-encoding")],
                    [PUBLIC],
                    greet(name(caller.as_ref())),
                )
            }),
        )
        .route("/late", get(late))
}

/// An answer that depends on nobody, and says which it is.
fn shared() -> Router {
    let counter = Arc::new(AtomicUsize::new(0));
    let next = move || {
        let number = counter.fetch_add(1, Ordering::SeqCst);
        async move { ([PUBLIC], number.to_string()) }
    };
    Router::new().route("/shared", get(next))
}

const PATHS: [&str; 5] = ["/me", "/perhaps", "/silent", "/encoded", "/late"];

/// Who asks, in an order in which each comes after everybody else.
const CALLERS: [&str; 9] = [
    "alice", "bob", "nobody", "alice", "nobody", "bob", "alice", "alice", "nobody",
];

struct Users {
    cookie: bool,
    alice: String,
    bob: String,
}

impl Users {
    fn new(scene: &Scene, cookie: bool) -> Self {
        let value = |name: &str| match cookie {
            true => format!("token={}", scene.token(name)),
            false => format!("Bearer {}", scene.token(name)),
        };
        Self {
            cookie,
            alice: value("alice"),
            bob: value("bob"),
        }
    }

    fn headers<'u>(&'u self, name: &str) -> Vec<(&'static str, &'u str)> {
        let field = if self.cookie { "cookie" } else { "authorization" };
        match name {
            "alice" => vec![(field, self.alice.as_str())],
            "bob" => vec![(field, self.bob.as_str())],
            _ => vec![],
        }
    }
}

fn method(scene: &Scene, cookie: bool) -> JwtBearer {
    if cookie { scene.cookie() } else { scene.bearer() }
}

/// Asserts that an answer is that of its caller, or a refusal that nobody keeps.
#[track_caller]
fn assert_own(answer: &Answer, method: &str, name: &str, row: &str) {
    match answer.status {
        200 => {
            let late = answer.header("x-who").is_empty();
            assert!(late || answer.header("x-who") == name, "{row}: {answer:?}");
            let expected = if method == "HEAD" { "" } else { name };
            assert_eq!(answer.body, expected, "{row}: {answer:?}");
        }
        401 => {
            assert_eq!(name, "nobody", "{row}: {answer:?}");
            assert!(!answer.is_hit(), "a refusal was kept: {row}: {answer:?}");
        }
        other => panic!("{row}: {other} {answer:?}"),
    }
}

/// T-CACHE-1: two callers and nobody ask for one address in turn, through the cache: nobody sees another's answer.
#[test]
fn no_answer_crosses_a_shared_cache() {
    let scene = Scene::new();
    for cookie in [false, true] {
        let users = Users::new(&scene, cookie);
        for mode in Mode::ALL {
            let application = personal().layer(mode.layer(method(&scene, cookie)));
            let Some(cached) = Cached::start(application) else {
                return;
            };
            for path in PATHS {
                // The query keeps the two apart: nginx fetches with GET to answer HEAD.
                for method in ["GET", "HEAD"] {
                    for (turn, name) in CALLERS.into_iter().enumerate() {
                        let path = format!("{path}?{method}");
                        let answer = cached.ask(method, &path, &users.headers(name));
                        let row = format!("{mode:?} cookie: {cookie} {method} {path} {turn} {name}");
                        assert_own(&answer, method, name, &row);
                    }
                }
            }
        }
    }
}

/// T-CACHE-1: an extractor that decides by itself cannot say what the answer depends on; a handler that hands on what it was
/// told is as safe.
#[test]
fn answer_headers_keep_what_an_extractor_decided_apart() {
    async fn me(caller: Verified<Arc<JwtBearer>>) -> impl IntoResponse {
        (
            caller.answer_headers(),
            greet(caller.principal().subject().to_owned()),
        )
    }
    let scene = Scene::new();
    for cookie in [false, true] {
        let users = Users::new(&scene, cookie);
        let application = Router::new()
            .route("/me", get(me))
            .with_state(Arc::new(method(&scene, cookie)));
        let Some(cached) = Cached::start(application) else {
            return;
        };
        for method in ["GET", "HEAD"] {
            for (turn, name) in CALLERS.into_iter().enumerate() {
                let path = format!("/me?{method}");
                let answer = cached.ask(method, &path, &users.headers(name));
                assert_own(
                    &answer,
                    method,
                    name,
                    &format!("cookie: {cookie} {method} {turn} {name}"),
                );
            }
        }
    }
}

/// The control: what depends on nobody is kept and handed to everybody, so that the test above can fail.
#[test]
fn what_depends_on_nobody_is_served_from_the_cache() {
    let scene = Scene::new();
    for cookie in [false, true] {
        let users = Users::new(&scene, cookie);
        let application = shared().layer(Mode::OnDemand.layer(method(&scene, cookie)));
        let Some(cached) = Cached::start(application) else {
            return;
        };
        for (turn, name) in CALLERS.into_iter().enumerate() {
            let answer = cached.ask("GET", "/shared", &users.headers(name));
            assert_eq!((answer.status, answer.body.as_str()), (200, "0"), "{turn} {name}");
            assert_eq!(answer.is_hit(), turn > 0, "{turn} {name}");
        }
    }
}

/// The other control: without the layer's `Vary`, the same cache hands one caller's answer to everybody.
#[test]
fn the_cache_would_mix_callers_up_if_nothing_were_said() {
    let scene = Scene::new();
    let users = Users::new(&scene, false);
    let strip = axum::middleware::map_response(|mut response: Response| async {
        response.headers_mut().remove(VARY);
        response
    });
    let application = personal()
        .layer(Mode::Optional.layer(scene.bearer()))
        .layer(strip);
    let Some(cached) = Cached::start(application) else {
        return;
    };
    for name in ["alice", "bob"] {
        assert_eq!(cached.ask("GET", "/perhaps", &users.headers(name)).body, "alice");
    }
}

/// T-CACHE-2: refusals of every kind, redirects to the sign-in page included, are asked for each time.
#[test]
fn no_refusal_is_kept() {
    let scene = Scene::new();
    let redirect = RefusalLayer::new(SignInRedirect::to("/sign-in").expect("a path"));
    let application = personal()
        .layer(Mode::OnDemand.layer(scene.cookie()))
        .layer(redirect);
    let Some(cached) = Cached::start(application) else {
        return;
    };
    let forged = format!("token={}", scene.issuer.forged_token().build());
    for (headers, status) in [
        (vec![], 401),
        (vec![("sec-fetch-mode", "navigate")], 303),
        (vec![("cookie", forged.as_str())], 401),
        (
            vec![("cookie", forged.as_str()), ("sec-fetch-mode", "navigate")],
            303,
        ),
    ] {
        for method in ["GET", "HEAD"] {
            for _ in 0..2 {
                let answer = cached.ask(method, "/me", &headers);
                assert!(!answer.is_hit(), "{answer:?}");
                // A HEAD that nginx fetches with GET is a navigation as well.
                assert_eq!(answer.status, status, "{method} {headers:?} {answer:?}");
                assert_eq!(answer.header("cache-control"), "no-store");
            }
        }
    }
}

/// T-CACHE-1: layers outside ours add to `Vary` in lines of their own, of which nginx before 1.23 sees the last only. What the
/// handler calls public although it depends on the caller needs one line there, and so an outermost layer that
/// joins them.
#[test]
fn layers_outside_that_vary_as_well_need_their_lines_joined() {
    let scene = Scene::new();
    for cookie in [false, true] {
        let users = Users::new(&scene, cookie);
        for (what, application) in outside(&scene, cookie) {
            let join = axum::middleware::map_response(|mut response: Response| async {
                append_vary(response.headers_mut(), &[]);
                response
            });
            let Some(cached) = Cached::start(application.layer(join)) else {
                return;
            };
            for path in PATHS {
                for (turn, name) in CALLERS.into_iter().enumerate() {
                    let answer = cached.ask("GET", path, &from_a_page(users.headers(name)));
                    let row = format!("{what} cookie: {cookie} {path} {turn} {name}");
                    assert_own(&answer, "GET", name, &row);
                }
            }
        }
    }
}

/// T-CACHE-1: joined or not, what a handler says nothing about and a cookie decided is private: a cache that does not see all of
/// `Vary` may take somebody for nobody, and never for another.
#[test]
fn what_is_private_needs_no_vary() {
    let scene = Scene::new();
    let users = Users::new(&scene, true);
    for (what, application) in outside(&scene, true) {
        let Some(cached) = Cached::start(application) else {
            return;
        };
        for name in CALLERS {
            let answer = cached.ask("GET", "/silent", &from_a_page(users.headers(name)));
            let body = answer.body.as_str();
            assert!(body == "nobody" || body == name, "{what} {name}: {answer:?}");
        }
    }
}

fn from_a_page<'h>(mut headers: Vec<(&'h str, &'h str)>) -> Vec<(&'h str, &'h str)> {
    headers.extend([("accept-encoding", "identity"), ("origin", "https://app.test")]);
    headers
}

fn outside(scene: &Scene, cookie: bool) -> [(&'static str, Router); 2] {
    let inside = || personal().layer(Mode::Optional.layer(method(scene, cookie)));
    let cors = CorsLayer::new().allow_origin(["https://app.test".parse().expect("a value")]);
    [
        ("cors", inside().layer(cors)),
        ("compression", inside().layer(CompressionLayer::new())),
    ]
}

/// A layer outside that overrides `Cache-Control` overrides ours: refusals are kept, and handed to others. Inside,
/// or where it only fills in what is missing, it does no harm.
#[test]
fn a_layer_that_sets_cache_control_stands_inside_or_fills_in_only() {
    let scene = Scene::new();
    let users = Users::new(&scene, false);
    let value = http::HeaderValue::from_static("public, max-age=60");
    let set = SetResponseHeaderLayer::overriding(CACHE_CONTROL, value.clone());
    let fill = SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, value);
    let layer = || Mode::Required.layer(scene.bearer());
    for (what, application, kept) in [
        ("inside", personal().layer(set.clone()).layer(layer()), false),
        ("filling in", personal().layer(layer()).layer(fill), false),
        ("outside", personal().layer(layer()).layer(set), true),
    ] {
        let Some(cached) = Cached::start(application) else {
            return;
        };
        for turn in 0..3 {
            let answer = cached.ask("GET", "/me", &[]);
            assert_eq!(answer.status, 401, "{what}");
            assert_eq!(answer.is_hit(), kept && turn > 0, "{what} {turn}");
            // Kept or not, it is nobody's but theirs who sent nothing.
            assert_eq!(
                cached.ask("GET", "/me", &users.headers("alice")).body,
                "alice",
                "{what}"
            );
        }
    }
}
