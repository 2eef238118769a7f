use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, SET_COOKIE, VARY, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use portcullis_core::{
    AuthError, AuthErrorKind, AuthenticateRequest, Authentication, Challenge, Challenges, Delivery, Method,
    Outcome, Presence, ResponseEffects, Scheme, any_of,
};
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceExt};

use super::AuthenticateLayer;

/// A method that reads one header. The value says what happens: `good`, `bad`, `garbage`, `slow`,
/// `down`, `stale` (an ambient left-over).
struct Scripted {
    header: [HeaderName; 1],
    delivery: Delivery,
    challenges: Challenges,
    checks: Arc<AtomicUsize>,
}

fn scripted(header: HeaderName, delivery: Delivery, scheme: Scheme) -> Scripted {
    let challenge = Challenge::new(scheme).realm("test").expect("realm");
    Scripted {
        header: [header],
        delivery,
        challenges: Challenges::new([challenge]).expect("challenges"),
        checks: Arc::default(),
    }
}

fn bearer() -> Scripted {
    scripted(AUTHORIZATION, Delivery::Explicit, Scheme::BEARER)
}

fn session() -> Scripted {
    scripted(COOKIE, Delivery::Ambient, Scheme::SESSION)
}

type Verdict = Result<Option<Authentication<&'static str>>, AuthError>;

impl AuthenticateRequest for Scripted {
    type Principal = &'static str;
    type Future = Pin<Box<dyn Future<Output = Verdict> + Send>>;

    fn presence(&self, parts: &Parts) -> Presence {
        match parts.headers.get(&self.header[0]).map(|value| value.as_bytes()) {
            None => Presence::Absent,
            Some(value) if value.ends_with(b"garbage") => Presence::Malformed,
            Some(_) => Presence::Present(self.delivery),
        }
    }

    fn authenticate_request(&self, parts: &Parts) -> Self::Future {
        self.checks.fetch_add(1, Ordering::SeqCst);
        let value = parts.headers[&self.header[0]].to_str().expect("ascii").to_owned();
        let mut effects = ResponseEffects::none();
        effects.push(SET_COOKIE, HeaderValue::from_static("renewed=1"));
        let found = Authentication::assertion("alice", Method::new("scripted")).with_effects(&effects);
        let verdict = match value.rsplit(' ').next() {
            Some("bad") => Err(AuthError::invalid_credentials("bad")),
            Some("down") => Err(AuthError::unavailable("store_down").with_effects(&effects)),
            Some("stale") => Ok(None),
            _ => Ok(Some(found)),
        };
        Box::pin(async move {
            if value.ends_with("slow") {
                tokio::task::yield_now().await;
            }
            verdict
        })
    }

    fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    fn inspected_headers(&self) -> &[HeaderName] {
        &self.header
    }
}

/// An inner service that must be polled ready before each call, and once per call.
struct Strict {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            ready: false,
            calls: Arc::clone(&self.calls),
        }
    }
}

impl Service<Request<()>> for Strict {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called without being polled ready"
        );
        self.calls.fetch_add(1, Ordering::SeqCst);
        let outcome = Outcome::<&'static str>::of(request.extensions()).expect("an outcome");
        let name = match outcome.now() {
            Some(Ok(Some(caller))) => *caller.principal(),
            Some(Ok(None)) => "anonymous",
            Some(Err(_)) => "refused",
            None => "undecided",
        };
        ready(Ok(Response::new(Bytes::from(name))))
    }
}

fn strict() -> Strict {
    Strict {
        ready: false,
        calls: Arc::default(),
    }
}

fn request(method: &str, headers: &[(HeaderName, &str)]) -> Request<()> {
    let mut builder = Request::builder().method(method);
    for (name, value) in headers {
        builder = builder.header(name, *value);
    }
    builder.body(()).expect("request")
}

async fn send<A: AuthenticateRequest<Principal = &'static str>>(
    layer: &AuthenticateLayer<A>,
    request: Request<()>,
) -> Response<Bytes> {
    layer.layer(strict()).oneshot(request).await.expect("infallible")
}

/// B3, B18, T-ERR-1
#[tokio::test]
async fn absent_malformed_refused_and_unavailable_are_four_answers() {
    let required = AuthenticateLayer::required(bearer());
    let optional = AuthenticateLayer::optional(bearer());
    let table: [(Option<&str>, u16, u16, Option<AuthErrorKind>); 6] = [
        (Some("Bearer good"), 200, 200, None),
        (Some("Bearer slow"), 200, 200, None),
        (None, 401, 200, Some(AuthErrorKind::MissingCredentials)),
        (
            Some("Bearer bad"),
            401,
            401,
            Some(AuthErrorKind::InvalidCredentials),
        ),
        (
            Some("Bearer garbage"),
            400,
            400,
            Some(AuthErrorKind::InvalidRequest),
        ),
        (Some("Bearer down"), 503, 503, Some(AuthErrorKind::Unavailable)),
    ];
    for (credentials, when_required, when_optional, kind) in table {
        let headers: Vec<_> = credentials
            .into_iter()
            .map(|value| (AUTHORIZATION, value))
            .collect();
        let response = send(&required, request("GET", &headers)).await;
        assert_eq!(response.status(), when_required, "required {credentials:?}");
        assert_eq!(
            response.extensions().get::<AuthError>().map(AuthError::kind),
            kind
        );
        let challenged = matches!(when_required, 400 | 401);
        assert_eq!(response.headers().contains_key(WWW_AUTHENTICATE), challenged);
        let response = send(&optional, request("GET", &headers)).await;
        assert_eq!(response.status(), when_optional, "optional {credentials:?}");
    }
}

#[tokio::test]
async fn a_refused_request_never_reaches_the_service() {
    for credentials in ["Bearer bad", "Bearer garbage", "Bearer down"] {
        let inner = strict();
        let calls = Arc::clone(&inner.calls);
        let service = AuthenticateLayer::optional(bearer()).layer(inner);
        let response = service
            .oneshot(request("GET", &[(AUTHORIZATION, credentials)]))
            .await;
        assert!(!response.expect("infallible").status().is_success());
        assert_eq!(calls.load(Ordering::SeqCst), 0, "{credentials}");
    }
}

/// R5: the instance that was polled ready is the one that is called, also while others wait.
#[tokio::test]
async fn the_ready_instance_is_called_behind_a_concurrency_limit() {
    for credentials in [Some("Bearer good"), Some("Bearer slow"), None] {
        let limited = ConcurrencyLimitLayer::new(1).layer(strict());
        let mut service = AuthenticateLayer::optional(bearer()).layer(limited);
        let headers: Vec<_> = credentials
            .into_iter()
            .map(|value| (AUTHORIZATION, value))
            .collect();
        for _ in 0..3 {
            let response = service
                .ready()
                .await
                .expect("ready")
                .call(request("GET", &headers))
                .await;
            assert_eq!(response.expect("infallible").status(), StatusCode::OK);
        }
    }
}

/// H11, H12
#[tokio::test]
async fn answers_say_what_they_depend_on() {
    let by_header = send(
        &AuthenticateLayer::optional(bearer()),
        request("GET", &[(AUTHORIZATION, "Bearer good")]),
    )
    .await;
    assert_eq!(by_header.headers()[VARY], "authorization");
    assert!(!by_header.headers().contains_key(CACHE_CONTROL));

    let anonymous = send(&AuthenticateLayer::optional(bearer()), request("GET", &[])).await;
    assert_eq!(anonymous.headers()[VARY], "authorization");

    let by_cookie = send(
        &AuthenticateLayer::optional(session()),
        request("GET", &[(COOKIE, "good")]),
    )
    .await;
    let vary: Vec<_> = by_cookie.headers().get_all(VARY).iter().collect();
    assert_eq!(vary, ["cookie, origin, sec-fetch-site"]);
    assert_eq!(by_cookie.headers()[CACHE_CONTROL], "private");

    let refused = send(&AuthenticateLayer::required(session()), request("GET", &[])).await;
    assert_eq!(refused.headers()[VARY], "cookie");
    assert_eq!(refused.headers()[CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn response_effects_are_applied_once_also_to_refusals() {
    for (credentials, status) in [("Bearer good", 200), ("Bearer down", 503)] {
        let layer = AuthenticateLayer::required(bearer());
        let response = send(&layer, request("GET", &[(AUTHORIZATION, credentials)])).await;
        assert_eq!(response.status(), status);
        let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().collect();
        assert_eq!(cookies, ["renewed=1"]);
    }
}

#[tokio::test]
async fn an_ambient_left_over_is_anonymous() {
    let stale = || request("GET", &[(COOKIE, "stale")]);
    let response = send(&AuthenticateLayer::optional(session()), stale()).await;
    assert_eq!(response.body(), "anonymous");
    let response = send(&AuthenticateLayer::required(session()), stale()).await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()[WWW_AUTHENTICATE], r#"Session realm="test""#);
}

/// CS14: only ambient credentials can be forged, and they are refused before they are verified.
#[tokio::test]
async fn a_forged_request_with_an_ambient_credential_is_refused_before_verification() {
    let cross = (HeaderName::from_static("sec-fetch-site"), "cross-site");
    let own = (HeaderName::from_static("sec-fetch-site"), "same-origin");
    let method = session();
    let checks = Arc::clone(&method.checks);
    let layer = AuthenticateLayer::optional(method);

    let response = send(&layer, request("POST", &[(COOKIE, "good"), cross.clone()])).await;
    assert_eq!(
        (response.status().as_u16(), checks.load(Ordering::SeqCst)),
        (403, 0)
    );
    assert_eq!(
        response.extensions().get::<AuthError>().map(AuthError::reason),
        Some("cross_site_request")
    );

    let response = send(&layer, request("POST", &[(COOKIE, "good"), own])).await;
    assert_eq!(
        (response.status().as_u16(), checks.load(Ordering::SeqCst)),
        (200, 1)
    );

    let response = send(&layer, request("POST", std::slice::from_ref(&cross))).await;
    assert_eq!(response.body(), "anonymous", "no credential, nothing to forge");

    let both = AuthenticateLayer::required(any_of((session(), bearer())));
    let explicit = request("POST", &[(AUTHORIZATION, "Bearer good"), (COOKIE, "good"), cross]);
    assert_eq!(send(&both, explicit).await.status(), 200);
}

/// B18: "nobody" is no answer to explicit credentials.
#[tokio::test]
async fn a_method_that_finds_nobody_behind_explicit_credentials_has_refused_them() {
    let stale = || request("GET", &[(AUTHORIZATION, "Bearer stale")]);
    for layer in [
        AuthenticateLayer::optional(bearer()),
        AuthenticateLayer::required(bearer()),
    ] {
        let response = send(&layer, stale()).await;
        assert_eq!(response.status(), 401);
        assert_eq!(
            response.headers()[WWW_AUTHENTICATE],
            r#"Bearer realm="test", error="invalid_token""#
        );
    }
}

/// H1: only what is missing is added, and only to a refusal.
#[tokio::test]
async fn a_refusal_made_up_inside_is_completed_once_and_other_answers_are_left_alone() {
    let answer = |status: u16, error: AuthError, own: Option<&'static str>| async move {
        let inner = tower::service_fn(move |_: Request<()>| {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::from_u16(status).expect("status");
            response.extensions_mut().insert(error.clone());
            if let Some(own) = own {
                response
                    .headers_mut()
                    .insert(WWW_AUTHENTICATE, HeaderValue::from_static(own));
            }
            ready(Ok::<_, Infallible>(response))
        });
        let twice =
            AuthenticateLayer::optional(bearer()).layer(AuthenticateLayer::optional(bearer()).layer(inner));
        let sent = request("GET", &[(AUTHORIZATION, "Bearer good")]);
        let response = twice.oneshot(sent).await.expect("infallible");
        let lines = response.headers().get_all(WWW_AUTHENTICATE).iter();
        lines
            .map(|line| line.to_str().expect("ascii").to_owned())
            .collect::<Vec<_>>()
    };
    let scope = || AuthError::insufficient_scope("a");
    let completed = r#"Bearer realm="test", error="insufficient_scope", scope="a""#;
    assert_eq!(answer(403, scope(), None).await, [completed]);
    assert_eq!(answer(403, scope(), Some("Mine x=\"y\"")).await, ["Mine x=\"y\""]);
    assert_eq!(answer(303, scope(), None).await, [""; 0], "a redirect now");
    assert_eq!(answer(403, AuthError::denied("no"), None).await, [""; 0]);
}

#[test]
fn debug_output_says_how_anonymous_callers_are_treated() {
    let layer = AuthenticateLayer::required(bearer());
    let service = layer.layer(());
    assert!(format!("{layer:?} {service:?}").contains("Required"));
}

mod grpc;
mod on_demand;
