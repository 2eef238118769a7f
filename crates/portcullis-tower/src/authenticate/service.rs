use std::sync::Arc;
use std::task::{Context, Poll};
use std::{fmt, mem};

use bytes::Bytes;
use http::header::ACCESS_CONTROL_REQUEST_METHOD;
use http::request::Parts;
use http::{Method, Request, Response};
use portcullis_core::{AuthError, AuthenticateRequest, Delivery, Examination, Outcome, examine};
use tower_service::Service;

use super::future::ResponseFuture;
use super::layer::{Anonymous, Shared};

/// Authenticates requests to `S` with a method `A`. See the [module docs](crate::authenticate).
#[must_use]
pub struct Authenticate<S, A> {
    pub(super) inner: S,
    pub(super) shared: Arc<Shared<A>>,
}

/// What is to become of a request.
pub(super) enum Decision<P, F> {
    Forward(Outcome<P>),
    Check {
        check: F,
        delivery: Delivery,
    },
    Refuse {
        error: AuthError,
        // Ambient: where the request comes from was looked at as well.
        delivery: Option<Delivery>,
    },
}

impl<P, F> Decision<P, F> {
    const fn refuse(error: AuthError) -> Self {
        Self::Refuse {
            error,
            delivery: None,
        }
    }
}

impl<A: AuthenticateRequest> Shared<A> {
    /// Rules 1 to 3 of the module docs.
    pub(super) fn decide(&self, parts: &Parts) -> Decision<A::Principal, A::Future> {
        match examine(&*self.method, parts) {
            Examination::Anonymous => match self.anonymous {
                Anonymous::LetThrough => {
                    Decision::Forward(Outcome::anonymous(self.method.challenges().clone()))
                }
                Anonymous::Refused => {
                    Decision::refuse(missing(parts).or_challenges(self.method.challenges()))
                }
            },
            Examination::Refused(error) => Decision::refuse(error),
            Examination::Present(delivery) => {
                let forged = match delivery {
                    Delivery::Ambient => self.origins.check(parts).err(),
                    Delivery::Explicit => None,
                };
                match forged {
                    Some(forged) => Decision::Refuse {
                        error: AuthError::denied("cross_site_request").with_source(forged),
                        delivery: Some(delivery),
                    },
                    None => Decision::Check {
                        check: self.method.authenticate_request(parts),
                        delivery,
                    },
                }
            }
        }
    }
}

/// The refusal of a request without credentials; the log learns what to do about a preflight.
fn missing(parts: &Parts) -> AuthError {
    let error = AuthError::missing_credentials();
    let preflight =
        parts.method == Method::OPTIONS && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if preflight {
        error.with_source("a CORS preflight carries no credentials: put CORS outside AuthenticateLayer")
    } else {
        error
    }
}

impl<S, A, B, R> Service<Request<B>> for Authenticate<S, A>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    A: AuthenticateRequest,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S, A, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let shared = Arc::clone(&self.shared);
        match self.shared.decide(&parts) {
            Decision::Refuse { error, delivery } => ResponseFuture::refused(shared, error, delivery),
            Decision::Forward(outcome) => {
                let mut request = Request::from_parts(parts, body);
                request.extensions_mut().insert(outcome);
                ResponseFuture::forwarded(shared, self.inner.call(request))
            }
            Decision::Check { check, delivery } => {
                // Only the instance that was polled ready may be called; a fresh clone takes its place.
                let clone = self.inner.clone();
                let inner = mem::replace(&mut self.inner, clone);
                ResponseFuture::checking(shared, check, delivery, inner, Request::from_parts(parts, body))
            }
        }
    }
}

impl<S: Clone, A> Clone for Authenticate<S, A> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S: fmt::Debug, A> fmt::Debug for Authenticate<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticate")
            .field("inner", &self.inner)
            .field("anonymous", &self.shared.anonymous)
            .finish_non_exhaustive()
    }
}
