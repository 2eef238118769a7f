//! What a guarded method does with whom.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{FromRequestParts, State};
use http::request::Parts;
use http::{Method, Request};
use portcullis_axum::gate::{Gate, any, get, put};
use portcullis_core::{
    AuthErrorKind, Authentication, Decision, Principal, Requirement, SignedIn, SignedInUser, StepUp,
};
use portcullis_test::{TestRequest, assert_challenge, assert_refused, assert_status, authenticated};

use super::*;

/// Cannot be decided, or asks for more, as the caller's role says.
struct Undecided;

impl Requirement<Principal> for Undecided {
    fn decide(caller: &Authentication<Principal>) -> Decision {
        match caller.roles().contains("strong") {
            true => Decision::Unavailable,
            false => Decision::StepUp(StepUp::new().with_acr_values("mfa")),
        }
    }
}

fn own_tenant(caller: &Authentication<Principal>, request: &Parts) -> Decision {
    let tenant = request.headers.get("x-tenant");
    Decision::granted_if(
        tenant.is_some_and(|tenant| *tenant == *caller.principal().subject()),
        "other_tenant",
    )
}

fn app() -> Router {
    Gate::<(), Principal>::new()
        .public("/healthz", get(async || "well"))
        .guarded(
            "/documents/{id}",
            get(async || "read")
                .needs::<SignedIn>()
                .delete(async || "removed")
                .needs::<Deletes>(),
        )
        .guarded(
            "/mixed",
            get(async || "list")
                .public()
                .post(async || "created")
                .put(async || "put")
                .needs::<Reads>(),
        )
        .guarded("/people", get(async || "people").needs::<SignedInUser>())
        .guarded("/undecided", get(async || "never").needs::<Undecided>())
        .guarded("/tenant", put(async || "put").policy("own tenant", own_tenant))
        .guarded("/all", any(async || "all").needs::<Reads>())
        .guarded(
            "/both",
            any(async || "any").post(async || "post").needs::<Reads>(),
        )
        .any_public("/echo", async || "echo")
        .into_router()
}

#[tokio::test]
async fn a_method_answers_whoever_meets_its_need_and_nobody_else() {
    let app = app();
    let (get, delete, post, put) = (Method::GET, Method::DELETE, Method::POST, Method::PUT);
    let (read, remove) = (alice().scope(Read::NAME), alice().scope(Delete::NAME));
    let client = alice().client();
    use AuthErrorKind::{Denied, InsufficientScope, MissingCredentials};
    // Who passes, and who does not and why.
    let table = [
        (&get, "/documents/1", alice(), None, MissingCredentials),
        (&delete, "/documents/1", remove.clone(), None, MissingCredentials),
        (
            &delete,
            "/documents/1",
            remove,
            Some(read.clone()),
            InsufficientScope,
        ),
        (&post, "/mixed", read.clone(), None, MissingCredentials),
        (&post, "/mixed", read.clone(), Some(alice()), InsufficientScope),
        (&put, "/mixed", read.clone(), Some(alice()), InsufficientScope),
        (&get, "/people", alice(), Some(client), Denied),
        (&get, "/all", read.clone(), Some(alice()), InsufficientScope),
        (
            &Method::TRACE,
            "/all",
            read.clone(),
            Some(alice()),
            InsufficientScope,
        ),
        (&Method::OPTIONS, "/all", read.clone(), None, MissingCredentials),
        (&get, "/both", read.clone(), Some(alice()), InsufficientScope),
        (&post, "/both", read, Some(alice()), InsufficientScope),
    ];
    for (method, path, passes, refused, kind) in table {
        assert_status(&ask(&app, method.clone(), path, Some(passes)).await, 200);
        let refusal = assert_refused(&ask(&app, method.clone(), path, refused).await, kind);
        if kind == InsufficientScope {
            assert!(refusal.parameter("scope").is_some());
        }
    }
}

#[tokio::test]
async fn a_refused_request_reaches_neither_the_handler_nor_its_extractors() {
    static REACHED: AtomicUsize = AtomicUsize::new(0);
    struct Counts;
    impl<S: Sync> FromRequestParts<S> for Counts {
        type Rejection = Infallible;
        async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
            REACHED.fetch_add(1, Ordering::SeqCst);
            Ok(Self)
        }
    }
    let app: Router = Gate::<(), Principal>::new()
        .guarded("/", get(async |_: Counts| ()).needs::<Reads>())
        .into_router();
    for refused in [None, Some(alice())] {
        assert!(
            ask(&app, Method::GET, "/", refused)
                .await
                .status()
                .is_client_error()
        );
    }
    assert_eq!(REACHED.load(Ordering::SeqCst), 0);
    let granted = ask(&app, Method::GET, "/", Some(alice().scope(Read::NAME))).await;
    assert_status(&granted, 200);
    assert_eq!(REACHED.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn public_methods_answer_everybody() {
    let app = app();
    for (method, path) in [
        (Method::GET, "/healthz"),
        (Method::HEAD, "/healthz"),
        (Method::GET, "/mixed"),
        (Method::PATCH, "/echo"),
    ] {
        assert_status(&ask(&app, method.clone(), path, None).await, 200);
        // Not even a layer is needed.
        let bare = Request::builder().method(method).uri(path);
        assert_status(
            &send(&app, bare.body(Body::empty()).expect("a request")).await,
            200,
        );
    }
}

#[tokio::test]
async fn what_cannot_be_decided_and_what_asks_for_more_are_neither_granted_nor_denied() {
    let app = app();
    let unavailable = ask(&app, Method::GET, "/undecided", Some(alice().role("strong"))).await;
    assert_refused(&unavailable, AuthErrorKind::Unavailable);
    let weak = ask(&app, Method::GET, "/undecided", Some(alice())).await;
    assert_refused(&weak, AuthErrorKind::StepUpRequired);
    assert_challenge(&weak, "Bearer").has("acr_values", "mfa");
}

#[tokio::test]
async fn a_policy_sees_the_caller_and_the_head_of_the_request() {
    let app = app();
    let of = |tenant: &str| {
        let mut request = request(Method::PUT, "/tenant", Some(alice()));
        let tenant = tenant.parse().expect("a value");
        request.headers_mut().insert("x-tenant", tenant);
        request
    };
    assert_status(&send(&app, of("alice")).await, 200);
    assert_refused(&send(&app, of("bob")).await, AuthErrorKind::Denied);
}

/// T-WIRE-1
#[tokio::test]
async fn a_forgotten_layer_or_one_for_other_callers_is_500_and_not_anonymous() {
    let app = app();
    let bare = || Request::get("/documents/1");
    let passes = bare()
        .signed_in_as(alice())
        .body(Body::empty())
        .expect("a request");
    assert_status(&send(&app, passes).await, 200);
    let forgotten = bare().body(Body::empty()).expect("a request");
    assert_refused(&send(&app, forgotten).await, AuthErrorKind::Misconfigured);
    let other = bare().signed_in_as(authenticated("somebody"));
    let other = other.body(Body::empty()).expect("a request");
    assert_refused(&send(&app, other).await, AuthErrorKind::Misconfigured);
}

#[tokio::test]
async fn callers_may_be_of_a_type_of_ones_own_and_handlers_have_state() {
    struct User {
        is_admin: bool,
    }
    struct IsAdmin;
    impl Requirement<User> for IsAdmin {
        fn decide(caller: &Authentication<User>) -> Decision {
            Decision::granted_if(caller.principal().is_admin, "not_an_admin")
        }
    }
    let app: Router = Gate::<&'static str, User>::new()
        .guarded(
            "/",
            get(async |State(state): State<&'static str>| state).needs::<IsAdmin>(),
        )
        .with_state("the state")
        .into_router();
    let of = |is_admin| {
        let request = Request::get("/").signed_in_as(authenticated(User { is_admin }));
        request.body(Body::empty()).expect("a request")
    };
    let granted = send(&app, of(true)).await;
    assert_status(&granted, 200);
    assert_eq!(text(granted).await, "the state");
    assert_refused(&send(&app, of(false)).await, AuthErrorKind::Denied);
}
