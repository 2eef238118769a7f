//! What a request carries, what a place needs, and what is then to be expected.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response};
use portcullis_core::{AuthErrorKind, AuthenticateRequest};
use portcullis_jwt::{
    Algorithm, JwtBearer, KeySet, Keys, KeysUnavailable, StaticKeySet, TrustedIssuer, Verifier,
};
use portcullis_test::{ManualClock, TestIssuer, TokenBuilder, assert_refused};
use portcullis_tower::AuthenticateLayer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::Service;
use tower::util::BoxCloneSyncService;

use crate::wire::{ISSUER, bearer_value, request};

/// The issuer whose keys cannot be had.
const SILENT_ISSUER: &str = "https://silent.test";

/// An application, whatever it was put together from.
pub(crate) type App = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

pub(crate) fn app<S>(service: S) -> App
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    BoxCloneSyncService::new(service)
}

/// When the layer decides, and what becomes of the anonymous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Required,
    Optional,
    OnDemand,
}

impl Mode {
    pub(crate) const ALL: [Self; 3] = [Self::Required, Self::Optional, Self::OnDemand];

    pub(crate) fn layer<A: AuthenticateRequest>(self, method: A) -> AuthenticateLayer<A> {
        match self {
            Self::Required => AuthenticateLayer::required(method),
            Self::Optional => AuthenticateLayer::optional(method),
            Self::OnDemand => AuthenticateLayer::on_demand(method),
        }
    }

    /// What the layer itself refuses; the rest it lets through, perhaps undecided.
    pub(crate) fn refuses(self, sent: Sent) -> Option<AuthErrorKind> {
        match self {
            Self::OnDemand => None,
            Self::Optional => sent.refusal(),
            Self::Required => sent.refusal().or_else(|| sent.is_nothing()),
        }
    }
}

/// What comes with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Nothing,
    /// Alice's, with the scope.
    Good,
    /// Alice's, without the scope.
    Poor,
    /// Forged.
    Bad,
    Malformed,
    /// Perhaps good, but the issuer's keys cannot be had.
    Undecidable,
}

impl Sent {
    pub(crate) const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Good,
        Self::Poor,
        Self::Bad,
        Self::Malformed,
        Self::Undecidable,
    ];

    /// What is refused wherever anybody asks.
    pub(crate) const fn refusal(self) -> Option<AuthErrorKind> {
        match self {
            Self::Nothing | Self::Good | Self::Poor => None,
            Self::Bad => Some(AuthErrorKind::InvalidCredentials),
            Self::Malformed => Some(AuthErrorKind::InvalidRequest),
            Self::Undecidable => Some(AuthErrorKind::Unavailable),
        }
    }

    fn is_nothing(self) -> Option<AuthErrorKind> {
        (self == Self::Nothing).then_some(AuthErrorKind::MissingCredentials)
    }
}

/// What a handler asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing.
    Open,
    /// `Option<Authenticated>`
    Perhaps,
    /// `Authenticated`, `Authorized<SignedIn>`, `Claims<T>`, `Verified<A>`
    Caller,
    /// `Authorized<HasScope<DocumentsRead>>`
    Scope,
}

impl Need {
    pub(crate) fn refuses(self, sent: Sent) -> Option<AuthErrorKind> {
        match self {
            Self::Open => None,
            Self::Perhaps => sent.refusal(),
            Self::Caller => sent.refusal().or_else(|| sent.is_nothing()),
            Self::Scope if sent == Sent::Poor => Some(AuthErrorKind::InsufficientScope),
            Self::Scope => Self::Caller.refuses(sent),
        }
    }
}

/// An issuer with keys, one without, and the time.
pub(crate) struct Scene {
    pub(crate) issuer: TestIssuer,
    pub(crate) clock: ManualClock,
    pub(crate) reached: Reached,
    values: [Option<String>; 6],
}

impl Scene {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::default();
        let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
        let silent = TestIssuer::new(SILENT_ISSUER).clock(clock.clone());
        let values = [
            None,
            Some(bearer_value(&issuer.token().scope("documents:read").build())),
            Some(bearer_value(&issuer.token().build())),
            Some(bearer_value(
                &issuer.forged_token().scope("documents:read").build(),
            )),
            Some("Bearer".to_owned()),
            Some(bearer_value(&silent.token().scope("documents:read").build())),
        ];
        Self {
            issuer,
            clock,
            reached: Reached::default(),
            values,
        }
    }

    pub(crate) fn verifier(&self) -> Verifier {
        let keys = StaticKeySet::from_jwks(self.issuer.jwks().as_bytes()).expect("keys");
        Verifier::builder()
            .issuer(TrustedIssuer::new(ISSUER, keys).algorithms(Algorithm::RECOMMENDED))
            .issuer(TrustedIssuer::new(SILENT_ISSUER, Silent).algorithms(Algorithm::RECOMMENDED))
            .audience(TokenBuilder::AUDIENCE)
            .clock(self.clock.clone())
            .build()
            .expect("verifier")
    }

    pub(crate) fn bearer(&self) -> JwtBearer {
        JwtBearer::new(self.verifier()).expect("method")
    }

    pub(crate) fn cookie(&self) -> JwtBearer {
        self.bearer().in_cookie("token").expect("name")
    }

    /// The value of `Authorization`.
    pub(crate) fn value(&self, sent: Sent) -> Option<&str> {
        let index = Sent::ALL.iter().position(|other| *other == sent).expect("listed");
        self.values[index].as_deref()
    }

    pub(crate) fn request(&self, method: Method, uri: &str, sent: Sent) -> Request<Body> {
        let headers: Vec<_> = self
            .value(sent)
            .map(|value| ("authorization", value))
            .into_iter()
            .collect();
        request(method, uri, &headers)
    }

    /// A token of `subject`.
    pub(crate) fn token(&self, subject: &str) -> String {
        self.issuer
            .token()
            .subject(subject)
            .scope("documents:read")
            .build()
    }
}

/// Keys that cannot be had.
#[derive(Debug)]
struct Silent;

impl KeySet for Silent {
    fn current(&self) -> Result<Arc<Keys>, KeysUnavailable> {
        Err(KeysUnavailable::new(Some(Duration::from_secs(7))))
    }
}

/// How often a handler was reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reached(Arc<AtomicUsize>);

impl Reached {
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// How often since it was last asked.
    pub(crate) fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

/// What is to be expected of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The handler was reached and answered.
    Served,
    /// Refused; the handler was not reached.
    Refused(AuthErrorKind),
    /// What the router says by itself: 404 or 405; the handler was not reached.
    Router(u16),
}

impl Expected {
    pub(crate) fn of(refusal: Option<AuthErrorKind>) -> Self {
        refusal.map_or(Self::Served, Self::Refused)
    }
}

/// Asserts the answer and whether the handler was reached.
#[track_caller]
pub(crate) fn assert_expected(answer: &Response<Bytes>, reached: &Reached, expected: Expected, row: &str) {
    let status = answer.status().as_u16();
    let times = reached.take();
    match expected {
        Expected::Served => assert_eq!((status, times), (200, 1), "{row}"),
        Expected::Router(code) => {
            assert_eq!((status, times), (code, 0), "{row}");
            assert!(!answer.headers().contains_key("www-authenticate"), "{row}");
        }
        Expected::Refused(kind) => {
            assert_eq!((status, times), (kind.wire().status.as_u16(), 0), "{row}");
            assert_refused(answer, kind);
        }
    }
}

/// Sends bytes to the application over a connection in memory, shuts it down for writing, and reads until the server
/// closes.
pub(crate) async fn over_a_connection(application: &Router, text: &str) -> String {
    let (mut client, server) = tokio::io::duplex(64 * 1024);
    let service = hyper_util::service::TowerToHyperService::new(application.clone());
    let io = hyper_util::rt::TokioIo::new(server);
    let serving = hyper::server::conn::http1::Builder::new()
        .half_close(true)
        .serve_connection(io, service);
    let asking = async {
        client.write_all(text.as_bytes()).await.expect("written");
        client.shutdown().await.expect("shut down");
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.expect("read");
        String::from_utf8_lossy(&answer).into_owned()
    };
    let (answer, _) = tokio::join!(asking, serving);
    answer
}
