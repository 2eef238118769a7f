//! Two layers, one inside the other.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use http::{Method, Request, Response};
use portcullis_axum::{Authenticated, Authorized};
use portcullis_core::{
    AuthError, AuthErrorKind, AuthenticateRequest, Authentication, HasScope, Principal, Scope, Secret,
    authenticate_fn, place,
};
use portcullis_test::assert_refused;
use portcullis_tower::AuthorizeLayer;
use tower::{Layer, service_fn};

use crate::support::{Expected, Mode, Need, Reached, Scene, Sent, app, assert_expected};
use crate::wire::{request, send};

fn routes(reached: &Reached) -> Router {
    let open = reached.clone();
    let perhaps = reached.clone();
    let me = reached.clone();
    Router::new()
        .route(
            "/open",
            get(move || {
                open.count();
                async {}
            }),
        )
        .route(
            "/perhaps",
            get(move |_: Option<Authenticated>| {
                perhaps.count();
                async {}
            }),
        )
        .route(
            "/me",
            get(move |_: Authenticated| {
                me.count();
                async {}
            }),
        )
}

/// T-WIRE-3: with one method, the stricter of the two holds, whichever stands outside; what neither decides
/// before it is asked, the handler's need decides.
#[tokio::test]
async fn of_two_layers_with_one_method_the_stricter_holds() {
    let scene = Scene::new();
    for outer in Mode::ALL {
        for inner in Mode::ALL {
            let service = routes(&scene.reached)
                .layer(inner.layer(scene.bearer()))
                .layer(outer.layer(scene.bearer()));
            for (uri, need) in [
                ("/open", Need::Open),
                ("/perhaps", Need::Perhaps),
                ("/me", Need::Caller),
            ] {
                for sent in Sent::ALL {
                    let refusal = outer.refuses(sent).or_else(|| inner.refuses(sent));
                    let expected = Expected::of(refusal.or_else(|| need.refuses(sent)));
                    let answer = send(&service, scene.request(Method::GET, uri, sent)).await;
                    let row = format!("{outer:?} around {inner:?} {uri} {sent:?}");
                    assert_expected(&answer, &scene.reached, expected, &row);
                    let repeated = answer.headers().get_all(VARY).iter().count() > 1;
                    assert!(!repeated, "{row}: {:?}", answer.headers());
                }
            }
        }
    }
}

/// Three deep, in every combination of modes.
#[tokio::test]
async fn of_three_layers_the_strictest_holds() {
    let scene = Scene::new();
    for modes in (0..27_usize).map(|number| [number / 9, number / 3 % 3, number % 3]) {
        let modes = modes.map(|index| Mode::ALL[index]);
        let mut service = routes(&scene.reached);
        for mode in modes {
            service = service.layer(mode.layer(scene.bearer()));
        }
        for sent in Sent::ALL {
            let refusal = modes.iter().rev().find_map(|mode| mode.refuses(sent));
            let expected = Expected::of(refusal.or_else(|| Need::Caller.refuses(sent)));
            let answer = send(&service, scene.request(Method::GET, "/me", sent)).await;
            assert_expected(&answer, &scene.reached, expected, &format!("{modes:?} {sent:?}"));
        }
    }
}

async fn who(caller: Option<Authenticated>) -> String {
    caller
        .map_or("nobody", |caller| match caller.principal().subject() {
            "alice" => "alice",
            _ => "bob",
        })
        .to_owned()
}

/// The layer next to the handler speaks: what another one outside found is gone, also where the inner one found
/// nobody. A caller of the outer layer is never taken for one of the inner.
#[tokio::test]
async fn the_caller_is_that_of_the_layer_next_to_the_handler() {
    let scene = Scene::new();
    let alice = format!("Bearer {}", scene.token("alice"));
    let bob = format!("token={}", scene.token("bob"));
    let forged = format!("token={}", scene.issuer.forged_token().build());
    for (outer, inner) in [
        (Mode::Required, Mode::Optional),
        (Mode::Required, Mode::OnDemand),
        (Mode::Optional, Mode::Optional),
        (Mode::Optional, Mode::OnDemand),
        (Mode::OnDemand, Mode::OnDemand),
        (Mode::OnDemand, Mode::Optional),
    ] {
        let service = Router::new()
            .route("/", get(who))
            .layer(inner.layer(scene.cookie()))
            .layer(outer.layer(scene.bearer()));
        let ask = async |headers: &[(&str, &str)]| -> Response<bytes::Bytes> {
            send(&service, request(Method::GET, "/", headers)).await
        };
        let row = format!("{outer:?} around {inner:?}");
        let answer = ask(&[("authorization", &alice)]).await;
        assert_eq!(answer.body(), "nobody", "{row}");
        let answer = ask(&[("authorization", &alice), ("cookie", &bob)]).await;
        assert_eq!(answer.body(), "bob", "{row}");
        assert_eq!(answer.headers()[CACHE_CONTROL], "private", "{row}");
        let vary = answer.headers()[VARY].to_str().expect("ascii").to_owned();
        assert!(vary.contains("cookie"), "{row}: {vary}");
        let answer = ask(&[("authorization", &alice), ("cookie", &forged)]).await;
        assert_refused(&answer, AuthErrorKind::InvalidCredentials);
    }
}

/// A demand is put to the caller of the layer outside it, and says nothing about the one inside.
#[tokio::test]
async fn a_demand_between_two_layers_is_put_to_the_outer_ones_caller() {
    struct DocumentsRead;
    impl Scope for DocumentsRead {
        const NAME: &str = "documents:read";
    }
    let scene = Scene::new();
    let alice = format!("Bearer {}", scene.token("alice"));
    let poor = scene.value(Sent::Poor).expect("sent").to_owned();
    let bob = format!("token={}", scene.token("bob"));
    for outer in Mode::ALL {
        let service = Router::new()
            .route("/", get(who))
            .layer(Mode::Optional.layer(scene.cookie()))
            .layer(AuthorizeLayer::needs::<HasScope<DocumentsRead>>())
            .layer(outer.layer(scene.bearer()));
        for (authorization, status) in [(&alice, 200), (&poor, 403)] {
            let headers = [("authorization", authorization.as_str()), ("cookie", &bob)];
            let answer = send(&service, request(Method::GET, "/", &headers)).await;
            assert_eq!(answer.status(), status, "{outer:?}");
        }
        let answer = send(&service, request(Method::GET, "/", &[("cookie", &bob)])).await;
        assert_refused(&answer, AuthErrorKind::MissingCredentials);
    }
}

/// A demand that stands outside the layer it was meant for is a fault of the wiring: closed.
#[tokio::test]
async fn a_demand_outside_its_layer_is_closed_for_everybody() {
    async fn me(_: Authorized<portcullis_core::SignedIn>) {}
    let scene = Scene::new();
    for mode in Mode::ALL {
        let service = Router::new()
            .route("/", get(me))
            .layer(mode.layer(scene.bearer()))
            .layer(AuthorizeLayer::needs::<portcullis_core::SignedIn>());
        for sent in Sent::ALL {
            let answer = send(&service, scene.request(Method::GET, "/", sent)).await;
            assert_refused(&answer, AuthErrorKind::Misconfigured);
        }
    }
}

/// The effects of two verdicts are both applied; of one verdict that both came to, once.
#[tokio::test]
async fn effects_of_two_layers_are_applied_once_each() {
    let method = |header: &'static str, cookie: &'static str| {
        let place = place::header(header).expect("name");
        authenticate_fn(place, move |_: Secret<String>| async move {
            let mut effects = portcullis_core::ResponseEffects::none();
            effects.push(SET_COOKIE, http::HeaderValue::from_static(cookie));
            let who = Principal::new("https://issuer.test", "alice");
            let found = Authentication::assertion(who, portcullis_core::Method::new("test"));
            Ok::<_, AuthError>(Some(found.with_effects(&effects)))
        })
    };
    // (outer, what the inner layer reads and sets, the cookies that are set)
    for (outer, inner, expected) in [
        (Mode::Required, ("x-a", "id=a"), vec!["id=a"]),
        (Mode::Required, ("x-b", "other=b"), vec!["other=b", "id=a"]),
        (Mode::Optional, ("x-a", "id=a"), vec!["id=a"]),
        (Mode::Optional, ("x-b", "other=b"), vec!["other=b", "id=a"]),
        // Nobody asks the outer layer: the handler hears the inner one.
        (Mode::OnDemand, ("x-a", "id=a"), vec!["id=a"]),
        (Mode::OnDemand, ("x-b", "other=b"), vec!["other=b"]),
    ] {
        let service = Router::new()
            .route("/", get(who))
            .layer(Mode::Optional.layer(method(inner.0, inner.1)))
            .layer(outer.layer(method("x-a", "id=a")));
        let answer = send(&service, request(Method::GET, "/", &[("x-a", "1"), ("x-b", "1")])).await;
        let cookies: Vec<_> = answer.headers().get_all(SET_COOKIE).iter().collect();
        assert_eq!(cookies, expected, "{outer:?} around {inner:?}");
    }
}

/// What nobody asks two undecided layers about depends on nobody, whatever was sent; in a router and without one.
#[tokio::test]
async fn two_undecided_layers_leave_public_pages_public() {
    let scene = Scene::new();
    let layers = || {
        (
            Mode::OnDemand.layer(scene.bearer()),
            Mode::OnDemand.layer(scene.bearer()),
            Mode::OnDemand.layer(scene.cookie()),
        )
    };
    let bare = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
    let (outer, middle, inner) = layers();
    let in_a_router = routes(&scene.reached).layer(inner).layer(middle).layer(outer);
    let cookie = format!("token={}", scene.token("bob"));
    for service in [app(in_a_router), app(layers().layer(bare))] {
        for sent in Sent::ALL {
            let mut headers = vec![("cookie", cookie.as_str())];
            headers.extend(scene.value(sent).map(|value| ("authorization", value)));
            let answer = send(&service, request(Method::GET, "/open", &headers)).await;
            assert_eq!(answer.status(), 200);
            assert!(!answer.headers().contains_key(VARY), "{sent:?}");
            assert!(!answer.headers().contains_key(CACHE_CONTROL), "{sent:?}");
        }
    }
}

/// Two layers for callers of different types do not know of one another: each handler gets those it asks for.
#[tokio::test]
async fn callers_of_two_types_are_two_callers() {
    struct User(String);
    async fn both(token: Authenticated, user: Authenticated<User>) -> String {
        format!("{} {}", token.principal().subject(), user.principal().0)
    }
    let scene = Scene::new();
    let alice = format!("Bearer {}", scene.token("alice"));
    let bob = format!("token={}", scene.token("bob"));
    for outer in Mode::ALL {
        for inner in Mode::ALL {
            let users = scene
                .cookie()
                .map(|who: Principal| User(who.subject().to_owned()));
            let service = Router::new()
                .route("/", get(both))
                .layer(inner.layer(users))
                .layer(outer.layer(scene.bearer()));
            let headers = [("authorization", alice.as_str()), ("cookie", bob.as_str())];
            let answer = send(&service, request(Method::GET, "/", &headers)).await;
            assert_eq!(answer.body(), "alice bob", "{outer:?} around {inner:?}");
            assert_eq!(
                answer.headers()[VARY],
                "cookie, origin, sec-fetch-site, authorization"
            );
            for one in headers {
                let answer = send(&service, request(Method::GET, "/", &[one])).await;
                assert_refused(&answer, AuthErrorKind::MissingCredentials);
            }
        }
    }
}
