use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;
use http::{Request, Response};
use portcullis_core::{
    AuthError, Authentication, Challenge, Challenges, Decision, HasScope, Method, Outcome, Policy, Principal,
    Reason, Scheme, Scope, Scopes, SignedIn, StepUp,
};
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceExt};

use super::AuthorizeLayer;

struct Read;

impl Scope for Read {
    const NAME: &str = "documents:read";
}

fn challenges() -> Challenges {
    Challenges::new([Challenge::new(Scheme::BEARER).realm("test").expect("realm")]).expect("challenges")
}

fn alice(scopes: &str) -> Authentication<Principal> {
    Authentication::assertion(Principal::new("https://issuer.test", "alice"), Method::JWT)
        .with_scheme(Scheme::BEARER)
        .with_scopes(Scopes::parse(scopes).expect("scopes"))
}

fn request(outcome: Option<Outcome<Principal>>) -> Request<()> {
    let mut request = Request::new(());
    if let Some(outcome) = outcome {
        request.extensions_mut().insert(outcome);
    }
    request
}

fn known(scopes: &str) -> Outcome<Principal> {
    Outcome::authenticated(Arc::new(alice(scopes)), challenges())
}

/// An outcome that takes a moment once somebody asks.
fn on_demand(verdict: Result<Option<&'static str>, AuthError>) -> Outcome<Principal> {
    let check = async move {
        tokio::task::yield_now().await;
        verdict.map(|found| found.map(|scopes| Arc::new(alice(scopes))))
    };
    Outcome::on_demand(check, challenges())
}

/// Counts calls; must be polled ready before each.
struct Inner {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

fn inner() -> Inner {
    Inner {
        ready: false,
        calls: Arc::default(),
    }
}

impl Clone for Inner {
    fn clone(&self) -> Self {
        Self {
            ready: false,
            calls: Arc::clone(&self.calls),
        }
    }
}

impl Service<Request<()>> for Inner {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called without being polled ready"
        );
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(Response::new(Bytes::from("inside"))))
    }
}

/// The status, the challenge, and whether the inner service was called.
async fn answer<L: Policy<Principal, Parts>>(
    layer: AuthorizeLayer<L>,
    request: Request<()>,
) -> (u16, Option<String>, bool) {
    let inner = inner();
    let calls = Arc::clone(&inner.calls);
    let response = layer.layer(inner).oneshot(request).await.expect("infallible");
    let challenge = response.headers().get(WWW_AUTHENTICATE);
    (
        response.status().as_u16(),
        challenge.map(|value| value.to_str().expect("ascii").to_owned()),
        calls.load(Ordering::SeqCst) == 1,
    )
}

const MISSING: &str = r#"Bearer realm="test""#;
const SCOPE: &str = r#"Bearer realm="test", error="insufficient_scope", scope="documents:read""#;

/// R7, T-WIRE-1
#[tokio::test]
async fn the_right_is_demanded_and_each_way_of_lacking_it_has_its_own_answer() {
    let needs = AuthorizeLayer::needs::<HasScope<Read>>;
    let text = |challenge: &str| Some(challenge.to_owned());
    let table = [
        (Some(known("documents:read")), (200, None, true)),
        (Some(known("")), (403, text(SCOPE), false)),
        (
            Some(Outcome::anonymous(challenges())),
            (401, text(MISSING), false),
        ),
        (None, (500, None, false)),
        (Some(on_demand(Ok(Some("documents:read")))), (200, None, true)),
        (Some(on_demand(Ok(Some("")))), (403, text(SCOPE), false)),
        (Some(on_demand(Ok(None))), (401, text(MISSING), false)),
        (
            Some(on_demand(Err(AuthError::unavailable("store_down")))),
            (503, None, false),
        ),
    ];
    for (outcome, expected) in table {
        let shown = format!("{outcome:?}");
        assert_eq!(answer(needs(), request(outcome)).await, expected, "{shown}");
    }
}

#[tokio::test]
async fn every_decision_of_a_policy_has_its_answer() {
    let step_up = r#"Bearer realm="test", error="insufficient_user_authentication", acr_values="mfa""#;
    let table = [
        (Decision::Granted, (200, None)),
        (Decision::Denied(Reason::new("no")), (403, None)),
        (
            Decision::StepUp(StepUp::new().with_acr_values("mfa")),
            (401, Some(step_up.to_owned())),
        ),
        (Decision::Unavailable, (503, None)),
    ];
    for (decision, expected) in table {
        let layer = AuthorizeLayer::policy({
            let decision = decision.clone();
            move |_: &Authentication<Principal>, (): &()| decision.clone()
        });
        let (status, challenge, called) = answer(layer, request(Some(known("")))).await;
        assert_eq!((status, challenge), expected, "{decision:?}");
        assert_eq!(called, decision == Decision::Granted);
    }
}

#[tokio::test]
async fn a_policy_may_look_at_the_head_of_the_request() {
    let layer = AuthorizeLayer::request_policy(|_: &Authentication<Principal>, parts: &Parts| {
        Decision::granted_if(parts.headers.contains_key("x-ticket"), "no_ticket")
    });
    assert_eq!(answer(layer.clone(), request(Some(known("")))).await.0, 403);
    let mut with_ticket = request(Some(known("")));
    with_ticket
        .headers_mut()
        .insert("x-ticket", http::HeaderValue::from_static("1"));
    assert_eq!(answer(layer, with_ticket).await.0, 200);
}

/// T-WIRE-1: an outcome for other principals is none.
#[tokio::test]
async fn a_layer_for_another_principal_type_finds_nobody() {
    let layer = AuthorizeLayer::needs::<SignedIn>().callers::<u8>();
    let response = layer
        .layer(inner())
        .oneshot(request(Some(known(""))))
        .await
        .expect("infallible");
    assert_eq!(response.status(), 500);
}

/// R5
#[tokio::test]
async fn the_ready_instance_is_called_behind_a_concurrency_limit() {
    let limited = ConcurrencyLimitLayer::new(1).layer(inner());
    let mut service = AuthorizeLayer::needs::<SignedIn>().layer(limited);
    for outcome in [known(""), on_demand(Ok(Some(""))), on_demand(Ok(None)), known("")] {
        let ready = service.ready().await.expect("ready");
        let response = ready.call(request(Some(outcome))).await.expect("infallible");
        assert!(matches!(response.status().as_u16(), 200 | 401));
    }
}
