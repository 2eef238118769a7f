//! Requests that are signed in, with and without a layer.

#![allow(clippy::expect_used, clippy::panic)] // Helpers of tests panic as tests do.

use std::panic::catch_unwind;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::{get, post};
use http::{Request, Version};
use portcullis::core::{Delivery, Factor, Method, Scopes};
use portcullis::{
    Algorithm, AuthErrorKind, AuthenticateLayer, AuthenticateRequest, Authenticated, Authentication, Clock,
    JwtBearer, Principal, Scheme, SignedIn, SignedInUser, StaticKeySet, TrustedIssuer, Verifier, any_of,
};
use portcullis_test::{
    Impersonation, ManualClock, TestIssuer, TestRequest, TokenBuilder, assert_challenge, assert_grpc_refused,
    assert_private, assert_refused, assert_status, authenticated, caller,
};
use tower::ServiceExt;

#[derive(Clone, Debug, PartialEq, Eq)]
struct User(u64);

async fn who(caller: Option<Authenticated<User>>) -> String {
    caller.map_or_else(|| "nobody".to_owned(), |caller| format!("{caller:?}"))
}

fn app(layer: AuthenticateLayer<Impersonation<User>>) -> Router {
    let routes = Router::new().route("/", get(who).post(who));
    routes.layer(layer)
}

fn required(method: Impersonation<User>) -> Router {
    app(AuthenticateLayer::required(method))
}

async fn send(app: &Router, request: Request<Body>) -> Response {
    match app.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 16).await;
    String::from_utf8_lossy(&bytes.expect("a body in memory")).into_owned()
}

fn request() -> Request<Body> {
    Request::new(Body::empty())
}

/// A verifier of `issuer`'s tokens, as in production.
fn jwt(issuer: &TestIssuer, clock: &ManualClock) -> JwtBearer {
    let keys = StaticKeySet::from_jwks(issuer.jwks().as_bytes()).expect("a usable set");
    let verifier = Verifier::builder()
        .issuer(TrustedIssuer::new(issuer.url(), keys).algorithms(Algorithm::RECOMMENDED))
        .audience(TokenBuilder::AUDIENCE)
        .clock(clock.clone())
        .build()
        .expect("a sound configuration");
    JwtBearer::new(verifier).expect("a sound configuration")
}

#[tokio::test]
async fn whoever_is_signed_in_is_accepted_and_everybody_else_is_challenged() {
    let app = required(Impersonation::new());
    let accepted = send(&app, request().signed_in_as(authenticated(User(7)))).await;
    assert_status(&accepted, 200);
    assert!(text(accepted).await.contains("User(7)"));

    let refused = send(&app, request()).await;
    assert_refused(&refused, AuthErrorKind::MissingCredentials);
    assert_challenge(&refused, "Bearer")
        .has("realm", "test")
        .lacks("error");
}

/// T-WIRE-2, for the kit: nothing that a client can send signs anybody in.
#[tokio::test]
async fn no_header_field_signs_anybody_in() {
    let app = required(Impersonation::new());
    let mut names: Vec<String> = [
        "authorization",
        "cookie",
        "signed-in-as",
        "x-signed-in-as",
        "x-user",
        "x-test-user",
        "x-impersonate",
        "x-forwarded-user",
        "remote-user",
    ]
    .map(str::to_owned)
    .into();
    names.extend((0..64).map(|number| format!("x-{number}")));
    for name in names {
        for value in ["7", "Bearer 7", "User(7)", "alice"] {
            let mut request = request();
            let name: http::HeaderName = name.parse().expect("a header name");
            request
                .headers_mut()
                .insert(name.clone(), value.parse().expect("a header value"));
            let refused = send(&app, request).await;
            assert_refused(&refused, AuthErrorKind::MissingCredentials);
        }
    }
}

/// What travels is the head and the body; extensions do not.
#[tokio::test]
async fn a_request_that_was_written_down_and_read_again_is_signed_in_no_more() {
    let (sent, body) = request().signed_in_as(authenticated(User(7))).into_parts();
    let mut received = Request::new(body);
    *received.method_mut() = sent.method;
    *received.uri_mut() = sent.uri;
    *received.headers_mut() = sent.headers;
    let refused = send(&required(Impersonation::new()), received).await;
    assert_refused(&refused, AuthErrorKind::MissingCredentials);
}

#[tokio::test]
async fn a_principal_of_another_type_is_nobody_here() {
    let app = required(Impersonation::new());
    let refused = send(&app, request().signed_in_as(caller("alice"))).await;
    assert_refused(&refused, AuthErrorKind::MissingCredentials);
    let both = request()
        .signed_in_as(caller("alice"))
        .signed_in_as(authenticated(User(7)));
    assert_status(&send(&app, both).await, 200);
}

#[tokio::test]
async fn whoever_is_named_last_is_signed_in() {
    let app = required(Impersonation::new());
    let twice = request()
        .signed_in_as(authenticated(User(7)))
        .signed_in_as(authenticated(User(8)));
    assert!(text(send(&app, twice).await).await.contains("User(8)"));
}

#[tokio::test]
async fn an_optional_layer_lets_those_who_are_not_signed_in_through_as_anonymous() {
    let app = app(AuthenticateLayer::optional(Impersonation::new()));
    assert_eq!(text(send(&app, request()).await).await, "nobody");
    let signed_in = request().signed_in_as(authenticated(User(7)));
    assert!(text(send(&app, signed_in).await).await.contains("User(7)"));
}

/// T-WIRE-1, for the kit: a real layer decides by what was sent and by nothing else.
#[tokio::test]
async fn a_layer_with_another_method_does_not_believe_the_kit() {
    let (clock, issuer) = (ManualClock::default(), TestIssuer::new("https://issuer.test"));
    let issuer = issuer.clock(clock.clone());
    let name = async |caller: Option<Authenticated>| match caller {
        Some(caller) => caller.principal().subject().to_owned(),
        None => "nobody".to_owned(),
    };
    let layered = |layer| Router::new().route("/", get(name)).layer(layer);
    let required = layered(AuthenticateLayer::required(jwt(&issuer, &clock)));
    let optional = layered(AuthenticateLayer::optional(jwt(&issuer, &clock)));

    let claims = || request().signed_in_as(caller("mallory"));
    assert_refused(
        &send(&required, claims()).await,
        AuthErrorKind::MissingCredentials,
    );
    assert_eq!(text(send(&optional, claims()).await).await, "nobody");
    let proves = claims().with_bearer(issuer.token().build());
    assert_eq!(text(send(&required, proves).await).await, "alice");
}

#[tokio::test]
async fn the_kit_is_one_method_among_others() {
    let (clock, issuer) = (ManualClock::default(), TestIssuer::new("https://issuer.test"));
    let issuer = issuer.clock(clock.clone());
    let methods = any_of((Impersonation::<Principal>::new(), jwt(&issuer, &clock)));
    let app = Router::new()
        .route("/", get(async || "in"))
        .layer(AuthenticateLayer::required(methods));
    let signed_in = request().signed_in_as(caller("alice"));
    assert_status(&send(&app, signed_in).await, 200);
    let token = request().with_bearer(issuer.token().build());
    assert_status(&send(&app, token).await, 200);
    let both = request()
        .signed_in_as(caller("alice"))
        .with_bearer(issuer.token().build());
    assert_refused(&send(&app, both).await, AuthErrorKind::InvalidRequest);
}

/// Every combination of a caller's delivery, the method's, and where the request comes from.
#[tokio::test]
async fn only_ambient_callers_can_be_forged() {
    let caller = |ambient| {
        let caller = if ambient {
            caller("alice").ambient()
        } else {
            caller("alice")
        };
        caller.authentication().map(|_| User(7))
    };
    for (method, ambient_caller, forgeable) in [
        (Impersonation::new(), false, false),
        (Impersonation::new(), true, true),
        (Impersonation::ambient(), false, true),
        (Impersonation::ambient(), true, true),
    ] {
        let app = required(method.clone());
        let from = |site: &str| {
            let request = Request::post("/").header("sec-fetch-site", site);
            let request = request.signed_in_as(caller(ambient_caller));
            request.body(Body::empty()).expect("a request")
        };
        let own = send(&app, from("same-origin")).await;
        assert_status(&own, 200);
        assert_private(&own);
        let delivery = if forgeable { "Ambient" } else { "Explicit" };
        assert!(
            text(own).await.contains(&format!("delivery: {delivery}")),
            "{method:?}"
        );

        let foreign = send(&app, from("cross-site")).await;
        if forgeable {
            assert_refused(&foreign, AuthErrorKind::Denied);
        } else {
            assert_status(&foreign, 200);
        }
    }
}

/// The first who asks lets the layer decide, by the same mark.
#[tokio::test]
async fn a_layer_that_decides_on_demand_finds_whoever_is_signed_in() {
    let app = app(AuthenticateLayer::on_demand(Impersonation::ambient()));
    assert_eq!(text(send(&app, request()).await).await, "nobody");
    let signed_in = request().signed_in_as(authenticated(User(7)));
    assert!(text(send(&app, signed_in).await).await.contains("User(7)"));
}

#[tokio::test]
async fn a_grpc_call_that_is_not_signed_in_is_refused_in_its_own_form() {
    let app = required(Impersonation::new());
    let call = || {
        let call = Request::post("/").version(Version::HTTP_2);
        let call = call
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        call.body(Body::empty()).expect("a request")
    };
    let refused = send(&app, call()).await;
    assert_grpc_refused(&refused, AuthErrorKind::MissingCredentials);
    let accepted = send(&app, call().signed_in_as(authenticated(User(7)))).await;
    assert!(!accepted.headers().contains_key("grpc-status"));
    assert!(text(accepted).await.contains("User(7)"));
}

/// Everything that a caller can be, as a handler sees it: without a layer, and through one.
#[tokio::test]
async fn a_layer_hands_on_what_the_caller_was_made_of() {
    let at = ManualClock::default().now();
    let made = || -> Authentication<Principal> {
        caller("worker")
            .issuer("https://other.test")
            .scope("a b")
            .scope("c")
            .role("editor")
            .role("admin")
            .client()
            .client_id("batch")
            .factor("pwd", None)
            .factor("hwk", Some(at))
            .acr("gold")
            .authenticated_at(at)
            .expires_at(at)
            .authentication()
            .with_details(Arc::new("a claim"))
    };
    let (parts, ()) = Request::new(()).signed_in_as(made()).into_parts();
    let through = Impersonation::<Principal>::new()
        .authenticate_request(&parts)
        .await;
    let through = through.expect("it holds").expect("somebody");
    for seen in [&made(), &through] {
        assert_eq!(seen.principal(), &Principal::new("https://other.test", "worker"));
        assert_eq!(seen.scopes(), &Scopes::parse("a b c").expect("scopes"));
        assert_eq!(seen.roles().iter().collect::<Vec<_>>(), ["editor", "admin"]);
        assert!(seen.is_client());
        assert_eq!(seen.client_id(), Some("batch"));
        assert_eq!(
            seen.factors(),
            [Factor::new("pwd", None), Factor::new("hwk", Some(at))]
        );
        assert_eq!((seen.acr(), seen.authenticated_at()), (Some("gold"), Some(at)));
        assert_eq!(
            (seen.expires_at(), seen.method()),
            (Some(at), Method::new("test"))
        );
        assert_eq!(seen.scheme(), Some(&Scheme::BEARER));
        assert_eq!(seen.delivery(), Delivery::Explicit);
        assert_eq!(seen.details(), Some(&"a claim"));
    }
}

/// The other half of the pair: what was not said is not so.
#[test]
fn a_plain_caller_is_a_person_without_rights() {
    let plain: Authentication<Principal> = caller("alice").into();
    assert_eq!(plain.principal().issuer(), "https://issuer.test");
    assert!(plain.scopes().is_empty() && plain.roles().is_empty() && plain.factors().is_empty());
    assert!(!plain.is_client() && !plain.is_ambient());
    assert_eq!((plain.client_id(), plain.acr()), (None, None));
    assert_eq!((plain.authenticated_at(), plain.expires_at()), (None, None));
}

#[tokio::test]
async fn a_route_without_its_layer_asks_the_same_of_its_caller() {
    let app = Router::new()
        .route("/anyone", post(async |_: portcullis::Authorized<SignedIn>| "in"))
        .route(
            "/people",
            post(async |_: portcullis::Authorized<SignedInUser>| "in"),
        );
    let to = |path| Request::post(path).body(Body::empty()).expect("a request");
    let worker = || caller("worker").client();
    assert_status(&send(&app, to("/anyone").signed_in_as(worker())).await, 200);
    assert_status(
        &send(&app, to("/people").signed_in_as(caller("alice"))).await,
        200,
    );
    assert_refused(
        &send(&app, to("/people").signed_in_as(worker())).await,
        AuthErrorKind::Denied,
    );
    assert_refused(&send(&app, to("/people")).await, AuthErrorKind::Misconfigured);
    let of_another_type = to("/people").signed_in_as(authenticated(User(7)));
    assert_refused(&send(&app, of_another_type).await, AuthErrorKind::Misconfigured);
}

#[test]
fn a_bearer_token_takes_the_place_of_any_other_and_is_not_shown() {
    let request = Request::get("/")
        .header("authorization", "Basic YTpi")
        .header("authorization", "Basic YTpj")
        .with_bearer("one")
        .body(())
        .expect("a request")
        .with_bearer(String::from("two"));
    let sent: Vec<_> = request.headers().get_all("authorization").iter().collect();
    assert_eq!(sent, ["Bearer two"]);
    assert!(!format!("{request:?}").contains("two"), "{request:?}");
    assert!(catch_unwind(|| Request::new(()).with_bearer("line\nbreak")).is_err());
}

/// What is wrong with a request says so itself, and not the kit.
#[test]
fn a_builder_that_has_failed_stays_as_it_is() {
    let broken = || Request::get("not a target");
    assert!(broken().signed_in_as(caller("alice")).body(()).is_err());
    assert!(broken().with_bearer("token").body(()).is_err());
    assert!(Request::get("/").signed_in_as(caller("alice")).body(()).is_ok());
}

#[test]
fn a_scope_that_cannot_be_one_is_noticed_at_once() {
    let _ = caller("alice").scope("documents:read documents:write");
    for bad in ["quote\"", "back\\slash", "line\nbreak", "ü"] {
        assert!(
            catch_unwind(|| drop(caller("alice").scope(bad))).is_err(),
            "{bad:?}"
        );
    }
}
