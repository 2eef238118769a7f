use axum::Router;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Redirect;
use axum::routing::get;
use bytes::Bytes;
use http::Response;
use portcullis_axum::{AuthRejection, Authenticated, Authorized, Verified};
use portcullis_core::policy::{IsOwner, Owned};
use portcullis_core::{Guarded, HasScope, Principal, SignedIn};
use portcullis_jwt::JwtBearer;
use portcullis_tower::{
    AuthenticateLayer, AuthorizeLayer, LedgerLayer, PublicLayer, RefusalLayer, SignInRedirect,
};
use tower::ServiceBuilder;
use tower_http::cors::{Any, CorsLayer};

use crate::wire::{DocumentsRead, Scene, bearer_value, request, send};

/// Belongs to somebody.
struct Document(&'static str);

impl Owned<Principal> for Document {
    fn is_owned_by(&self, principal: &Principal) -> bool {
        principal.subject() == self.0
    }
}

const SECRET: &str = "the secret";

/// Handlers that decide, and handlers that do not.
fn routes(bearer: JwtBearer) -> Router {
    async fn guarded(caller: Authenticated) -> Result<&'static str, AuthRejection> {
        let _ = Guarded::new(Document("alice")).authorize(&caller, IsOwner)?;
        Ok(SECRET)
    }
    async fn foreign(caller: Authenticated) -> Result<&'static str, AuthRejection> {
        let _ = Guarded::new(Document("bob")).authorize(&caller, IsOwner)?;
        Ok(SECRET)
    }
    async fn hidden(caller: Authenticated) -> Result<(StatusCode, &'static str), AuthRejection> {
        match Guarded::new(Document("bob")).authorize_or_not_found(&caller, IsOwner)? {
            Some(_) => Ok((StatusCode::OK, SECRET)),
            None => Ok((StatusCode::NOT_FOUND, "nothing here")),
        }
    }
    async fn swallowed(caller: Authorized<SignedIn>) -> &'static str {
        let _ = Guarded::new(Document("bob")).authorize(&caller, IsOwner);
        SECRET
    }
    async fn half(caller: Authenticated) -> Result<&'static str, AuthRejection> {
        // One of two is hers; both are shown.
        let both = Guarded::new([Document("alice"), Document("bob")]);
        let hers: Vec<_> = both.authorize_each(&caller, &IsOwner)?;
        assert_eq!(hers.len(), 1);
        Ok(SECRET)
    }
    let verified = async |caller: Verified<JwtBearer>| caller.principal().subject().len().to_string();
    Router::new()
        .route(
            "/authorized",
            get(async |_: Authorized<HasScope<DocumentsRead>>| SECRET),
        )
        .route("/guarded", get(guarded))
        .route("/foreign", get(foreign))
        .route("/hidden", get(hidden))
        .route("/half", get(half))
        .route("/swallowed", get(swallowed))
        .route(
            "/forgotten",
            get(async |_: Authenticated| SECRET).post(async |_: Authenticated| SECRET),
        )
        .route("/optional", get(async |_: Option<Authenticated>| SECRET))
        .route("/verified", get(verified))
        .route("/redirect", get(async |_: Authenticated| Redirect::to("/secret")))
        .merge(
            Router::new()
                .route("/layered", get(async || SECRET))
                .route_layer(AuthorizeLayer::needs::<SignedIn>()),
        )
        .merge(
            Router::new()
                .route("/public", get(async || SECRET))
                .route(
                    "/login",
                    get(async || Redirect::to("https://issuer.test/authorize")),
                )
                .route_layer(PublicLayer::new()),
        )
        .with_state(bearer)
}

/// What alice, who may read documents, is answered.
const TABLE: [(&str, &str, u16); 18] = [
    ("GET", "/authorized", 200),
    ("GET", "/guarded", 200),
    ("GET", "/foreign", 403),
    ("GET", "/hidden", 404),
    ("GET", "/half", 200),
    ("GET", "/layered", 200),
    ("GET", "/public", 200),
    ("GET", "/login", 303),
    ("GET", "/nowhere", 404),
    ("PUT", "/forgotten", 405),
    ("GET", "/swallowed", 500),
    ("GET", "/forgotten", 500),
    ("HEAD", "/forgotten", 500),
    ("GET", "/optional", 500),
    ("GET", "/verified", 500),
    ("GET", "/redirect", 500),
    // An alarm: the handler has run.
    ("POST", "/forgotten", 200),
    ("HEAD", "/authorized", 200),
];

/// The ledger around the authentication, inside it, and twice; on demand as well.
fn applications(scene: &Scene) -> Vec<(&'static str, Router)> {
    let routes = || routes(scene.bearer());
    let optional = || AuthenticateLayer::optional(scene.bearer());
    let on_demand = || AuthenticateLayer::on_demand(scene.bearer());
    let ledger = LedgerLayer::new;
    vec![
        ("outside", routes().layer(optional()).layer(ledger())),
        ("inside", routes().layer(ledger()).layer(optional())),
        (
            "twice",
            routes().layer(ledger()).layer(optional()).layer(ledger()),
        ),
        ("on demand", routes().layer(on_demand()).layer(ledger())),
        (
            "nested",
            Router::new().merge(routes().layer(optional())).layer(ledger()),
        ),
        (
            "in one",
            routes().layer(ServiceBuilder::new().layer(ledger()).layer(optional())),
        ),
    ]
}

/// T-WIRE-3
#[tokio::test]
async fn asvs_8_2_1_what_was_forgotten_is_withheld_wherever_the_layers_stand() {
    let scene = Scene::new();
    let token = bearer_value(&scene.reader().subject("alice").build());
    for (place, application) in applications(&scene) {
        for (method, path, status) in TABLE {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let asked = request(method.clone(), path, &[("authorization", &token)]);
            let answer = send(&application, asked).await;
            assert_eq!(answer.status(), status, "{place}: {method} {path}");
            if status == 500 {
                assert!(!shows(&answer), "{place}: {path}");
            }
        }
    }
}

fn shows(answer: &Response<Bytes>) -> bool {
    answer
        .body()
        .windows(SECRET.len())
        .any(|part| part == SECRET.as_bytes())
}

#[tokio::test]
async fn nobody_and_strangers_are_refused_as_without_the_ledger() {
    let scene = Scene::new();
    for (place, application) in applications(&scene) {
        for (path, nobody, stranger) in [
            ("/authorized", 401, 401),
            ("/guarded", 401, 401),
            ("/forgotten", 401, 401),
            ("/layered", 401, 401),
            ("/verified", 401, 401),
        ] {
            let answer = send(&application, request(Method::GET, path, &[])).await;
            assert_eq!(answer.status(), nobody, "{place}: {path}");
            let sent = [("authorization", "Bearer a.b.c")];
            let answer = send(&application, request(Method::GET, path, &sent)).await;
            assert_eq!(answer.status(), stranger, "{place}: {path}");
        }
    }
}

#[tokio::test]
async fn a_preflight_is_answered_outside_and_a_withheld_answer_carries_what_cors_adds() {
    let scene = Scene::new();
    let cors = CorsLayer::new().allow_origin(Any).allow_methods(Any);
    let application = routes(scene.bearer())
        .layer(AuthenticateLayer::required(scene.bearer()))
        .layer(LedgerLayer::new())
        .layer(cors);
    let preflight = [
        ("origin", "https://page.test"),
        ("access-control-request-method", "GET"),
    ];
    let answer = send(&application, request(Method::OPTIONS, "/forgotten", &preflight)).await;
    assert_eq!(answer.status(), 200);
    let token = bearer_value(&scene.reader().build());
    let sent = [("authorization", token.as_str()), ("origin", "https://page.test")];
    let answer = send(&application, request(Method::GET, "/forgotten", &sent)).await;
    assert_eq!(answer.status(), 500);
    assert!(answer.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_redirect_to_the_sign_in_page_is_a_refusal_and_goes_out() {
    let scene = Scene::new();
    let application = routes(scene.bearer())
        .layer(AuthenticateLayer::required(scene.bearer()))
        .layer(RefusalLayer::new(SignInRedirect::to("/login").expect("a path")))
        .layer(LedgerLayer::new());
    let navigation = [
        ("accept", "text/html"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    let answer = send(&application, request(Method::GET, "/forgotten", &navigation)).await;
    assert_eq!(answer.status(), 303);
    let headers: &HeaderMap = answer.headers();
    assert!(headers["location"].to_str().expect("ascii").starts_with("/login"));
}
