//! The application under attack.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use portcullis_axum::{AuthRejection, Authenticated, Authorized};
use portcullis_core::{
    Authentication, Decision, HasRole, HasScope, Principal, Requirement, Role, Scope, SignedIn, SignedInUser,
    StepUp,
};
use portcullis_jwt::{Algorithm, JwtBearer, StaticKeySet, TrustedIssuer, Verifier};
use portcullis_test::{ManualClock, TestIssuer, TokenBuilder};
use portcullis_tower::AuthenticateLayer;
use tower::{Service, ServiceExt};

pub(crate) const ISSUER: &str = "https://issuer.test";

pub(crate) struct DocumentsRead;

impl Scope for DocumentsRead {
    const NAME: &str = "documents:read";
    const IMPLIED_BY: &[&str] = &["documents:write"];
}

pub(crate) struct Admin;

impl Role for Admin {
    const NAME: &str = "admin";
}

/// A requirement whose backend is down.
pub(crate) struct BackendDown;

impl Requirement<Principal> for BackendDown {
    fn decide(_: &Authentication<Principal>) -> Decision {
        Decision::Unavailable
    }
}

/// A requirement that wants a second factor, five minutes old at most.
pub(crate) struct RecentlyWithTwoFactors;

impl Requirement<Principal> for RecentlyWithTwoFactors {
    fn decide(_: &Authentication<Principal>) -> Decision {
        let max_age = std::time::Duration::from_secs(300);
        Decision::StepUp(StepUp::new().with_acr_values("mfa phr").with_max_age(max_age))
    }
}

/// How often any handler of [`routes`] was reached.
#[derive(Clone, Default)]
pub(crate) struct Reached(Arc<AtomicUsize>);

impl Reached {
    fn count(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Every kind of need a handler can state, with no layer around.
pub(crate) fn routes(reached: &Reached) -> Router {
    let count = {
        let reached = reached.clone();
        move || reached.count()
    };
    let page = |name: &'static str| {
        let count = count.clone();
        move || {
            count();
            async move { name }
        }
    };
    macro_rules! needs {
        ($caller:ty) => {{
            let count = count.clone();
            get(move |caller: $caller| {
                count();
                async move { caller.principal().subject().to_owned() }
            })
        }};
    }
    let whoami = {
        let count = count.clone();
        move |caller: Option<Authenticated>| {
            count();
            async move {
                let subject = caller.as_ref().map(|caller| caller.principal().subject());
                subject.unwrap_or("nobody").to_owned()
            }
        }
    };
    Router::new()
        .route("/open", get(page("open")).post(page("posted")))
        .route("/whoami", get(whoami.clone()).post(whoami))
        .route("/me", needs!(Authenticated))
        .route("/documents", needs!(Authorized<HasScope<DocumentsRead>>))
        .route("/admin", needs!(Authorized<HasRole<Admin>>))
        .route("/any", needs!(Authorized<SignedIn>))
        .route("/person", needs!(Authorized<SignedInUser>))
        .route("/down", needs!(Authorized<BackendDown>))
        .route("/step-up", needs!(Authorized<RecentlyWithTwoFactors>))
        .route("/hers", get(hers))
}

async fn hers(caller: Authorized<SignedIn>) -> Result<&'static str, AuthRejection> {
    let is_owner = caller.principal().subject() == "alice";
    caller.enforce(Decision::granted_if(is_owner, "not_the_owner"))?;
    Ok("hers")
}

/// An issuer, the time, and a method that trusts the issuer.
pub(crate) struct Scene {
    pub(crate) issuer: TestIssuer,
    pub(crate) clock: ManualClock,
    pub(crate) reached: Reached,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::default();
        Self {
            issuer: TestIssuer::new(ISSUER).clock(clock.clone()),
            clock,
            reached: Reached::default(),
        }
    }

    pub(crate) fn verifier(&self) -> Verifier {
        let keys = StaticKeySet::from_jwks(self.issuer.jwks().as_bytes()).expect("keys");
        Verifier::builder()
            .issuer(TrustedIssuer::new(ISSUER, keys).algorithms(Algorithm::RECOMMENDED))
            .audience(TokenBuilder::AUDIENCE)
            .clock(self.clock.clone())
            .build()
            .expect("verifier")
    }

    pub(crate) fn bearer(&self) -> JwtBearer {
        JwtBearer::new(self.verifier()).expect("method")
    }

    pub(crate) fn required(&self) -> Router {
        routes(&self.reached).layer(AuthenticateLayer::required(self.bearer()))
    }

    pub(crate) fn optional(&self) -> Router {
        routes(&self.reached).layer(AuthenticateLayer::optional(self.bearer()))
    }

    pub(crate) fn reader(&self) -> TokenBuilder {
        self.issuer.token().scope("documents:read")
    }

    /// One token for each way in which a token can be wrong, and the valid one they differ from.
    pub(crate) fn bad_tokens(&self) -> Vec<(&'static str, String)> {
        let valid = self.reader();
        vec![
            ("expired", valid.clone().lifetime(-3600).build()),
            (
                "not yet valid",
                valid.clone().claim("nbf", 9_999_999_999_u64).build(),
            ),
            (
                "for another audience",
                valid.clone().audience("https://other.test").build(),
            ),
            (
                "of another issuer",
                valid.clone().claim("iss", "https://evil.test").build(),
            ),
            ("without subject", valid.clone().without("sub").build()),
            ("without expiry", valid.clone().without("exp").build()),
            (
                "forged",
                self.issuer.forged_token().scope("documents:read").build(),
            ),
            ("tampered payload", valid.clone().tampered_payload().build()),
            ("tampered signature", valid.clone().tampered_signature().build()),
            ("unsigned", valid.clone().alg("none").unsigned().build()),
            ("unknown kid", valid.clone().kid("stranger").build()),
            (
                "bound",
                valid
                    .clone()
                    .claim("cnf", serde_json::json!({"jkt": "x"}))
                    .build(),
            ),
            ("of another kind", valid.typ("dpop+jwt").build()),
            ("opaque", "mF_9.B5f-4.1JqM.x".to_owned()),
            ("opaque, without dots", "2YotnFZFEjr1zCsicMWpAA".to_owned()),
            ("encrypted", "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d".to_owned()),
            ("dots", "..".to_owned()),
            ("broken base64", "a.b.c".to_owned()),
        ]
    }
}

/// A request to `uri` with these header fields, in this order.
pub(crate) fn request(method: Method, uri: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    *request.uri_mut() = uri.parse().expect("uri");
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).expect("header name");
        let value = HeaderValue::try_from(*value).expect("header value");
        request.headers_mut().append(name, value);
    }
    request
}

pub(crate) fn bearer_value(token: &str) -> String {
    format!("Bearer {token}")
}

/// Sends a request and collects the answer.
pub(crate) async fn send<S>(service: &S, request: Request<Body>) -> Response<Bytes>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    let response = service.clone().oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a body in memory").to_bytes();
    Response::from_parts(parts, body)
}

/// `GET uri`, with the value of an `Authorization` field.
pub(crate) async fn get_with<S>(service: &S, uri: &str, authorization: Option<&str>) -> Response<Bytes>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    let headers: Vec<_> = authorization
        .map(|value| (AUTHORIZATION.as_str(), value))
        .into_iter()
        .collect();
    send(service, request(Method::GET, uri, &headers)).await
}

/// Every header field, for comparison: sorted, values as bytes.
pub(crate) fn sorted(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let mut fields: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    fields.sort();
    fields
}

/// What was logged on this thread at any level, spans included, until the guard is dropped.
///
/// One subscriber for all threads: tracing keeps one answer to "is anyone interested?" per event, and
/// subscribers that come and go with threads make it forget some.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

thread_local! {
    static CAPTURED: RefCell<Option<Log>> = const { RefCell::new(None) };
}

static SUBSCRIBER: Once = Once::new();

/// Ends the capture.
pub(crate) struct Capture;

impl Drop for Capture {
    fn drop(&mut self) {
        CAPTURED.with_borrow_mut(Option::take);
    }
}

impl Log {
    pub(crate) fn capture() -> (Self, Capture) {
        SUBSCRIBER.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_ansi(false)
                .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
                .with_writer(|| CAPTURED.with_borrow(|log| log.clone().unwrap_or_default()))
                .finish();
            tracing::subscriber::set_global_default(subscriber).expect("the only one");
        });
        let log = Self::default();
        CAPTURED.set(Some(log.clone()));
        (log, Capture)
    }

    pub(crate) fn text(&self) -> String {
        let bytes = self.0.lock().expect("lock");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
