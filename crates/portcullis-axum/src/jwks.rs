//! The keys that this application signs with, for everybody who verifies.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_core::body::Body;
use axum_core::response::Response;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use portcullis_core::AuthError;
use portcullis_jwt::{JwkSet, KeyRing, RotationSchedule, SigningKeys};
use portcullis_tower::response::refuse;
use tower_service::Service;

/// Serves the published keys of a ring as a JWK set (RFC 7517 §5): what an issuer's `jwks_uri` points to.
///
/// # Decision rules
///
/// 1. `GET` and `HEAD` are answered with `application/jwk-set+json`, an entity tag, and
///    `Cache-Control: public` with a `max-age` of at most half of what keys are
///    [published ahead](portcullis_jwt::RotationSchedule::publish_ahead) less five minutes, and of at most an
///    hour. The other half is for an instance that is out of touch with the others, the five minutes are for
///    clocks that differ and rounds that take long.
/// 2. A request whose `If-None-Match` has the tag is answered with 304 and no body (RFC 9110 §13.1.2).
/// 3. Other methods are answered with 405.
/// 4. When the ring is unavailable the answer is 503 with `Retry-After`, and nobody may store it: a
///    verifier goes on with the keys it has.
///
/// The document holds public keys only. It is for everybody: it stands outside every layer that
/// authenticates.
///
/// ```
/// use axum::Router;
/// use portcullis_axum::JwksEndpoint;
/// use portcullis_jwt::{Algorithm, MemorySigningKeys};
///
/// let keys = MemorySigningKeys::new(Algorithm::Es256)?;
/// let app: Router = Router::new().route_service("/.well-known/jwks.json", JwksEndpoint::new(keys));
/// # use tower::ServiceExt;
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let request = |method: &str| {
///     let request = http::Request::builder().method(method).uri("/.well-known/jwks.json");
///     request.body(axum::body::Body::empty())
/// };
/// let answer = app.clone().oneshot(request("GET")?).await?;
/// assert_eq!(answer.status(), 200);
/// assert_eq!(answer.headers()["content-type"], "application/jwk-set+json");
/// let refused = app.oneshot(request("POST")?).await?;
/// assert_eq!(refused.status(), 405);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct JwksEndpoint {
    keys: Arc<dyn SigningKeys>,
    max_age: Duration,
}

impl JwksEndpoint {
    /// How long answers may be stored unless told otherwise: 15 minutes. Whoever stored one goes on with a
    /// withdrawn key for that long.
    pub const MAX_AGE: Duration = Duration::from_secs(15 * 60);

    /// Serves what `keys` publish.
    pub fn new(keys: impl SigningKeys) -> Self {
        Self {
            keys: Arc::new(keys),
            max_age: Self::MAX_AGE,
        }
    }

    /// Lets answers be stored this long; 15 minutes unless called. Rule 1 sets the bounds: more than they
    /// allow is taken for what they allow.
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    fn answer<B>(&self, request: &Request<B>) -> Response {
        let mut response = match (request.method(), self.keys.current()) {
            (&Method::GET | &Method::HEAD, Ok(ring)) => self.document(request, &ring),
            (&Method::GET | &Method::HEAD, Err(unavailable)) => refuse(AuthError::from(unavailable)),
            _ => not_allowed(),
        };
        let nosniff = HeaderValue::from_static("nosniff");
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, nosniff);
        response
    }

    fn document<B>(&self, request: &Request<B>, ring: &KeyRing) -> Response {
        let jwks = ring.jwks();
        let tag = format!("\"{}\"", jwks.fingerprint());
        let known = is_known(request.headers(), &tag);
        let length = jwks.as_str().len();
        let body = if known || request.method() == Method::HEAD {
            Body::empty()
        } else {
            Body::from(jwks.as_str().to_owned())
        };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        insert(headers, ETAG, &tag);
        let half = ring.schedule().publish_ahead() / 2;
        let longest = half.saturating_sub(RotationSchedule::SKEW).min(LONGEST);
        let max_age = self.max_age.min(longest);
        insert(
            headers,
            CACHE_CONTROL,
            &format!("public, max-age={}", max_age.as_secs()),
        );
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JwkSet::MEDIA_TYPE));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        response
    }
}

/// Longer than that nobody should go on with a key that was withdrawn.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Whether `If-None-Match` has the tag, compared weakly (RFC 9110 §13.1.2), or is `*`.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

fn not_allowed() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

fn insert(headers: &mut HeaderMap, name: http::HeaderName, value: &str) {
    // Digits and base64url are always a header value.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

impl<B> Service<Request<B>> for JwksEndpoint {
    type Response = Response;
    type Error = Infallible;
    type Future = Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(&request)))
    }
}

impl fmt::Debug for JwksEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksEndpoint")
            .field("keys", &self.keys)
            .field("max_age", &self.max_age)
            .finish()
    }
}
