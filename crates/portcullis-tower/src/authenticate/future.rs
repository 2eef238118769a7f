use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, Request, Response};
use pin_project_lite::pin_project;
use portcullis_core::{
    AuthError, AuthenticateRequest, Authentication, Delivery, Outcome, append_vary, ensure_private,
};
use tower_service::Service;

use super::layer::{Anonymous, Shared};
use crate::{csrf, response};

pin_project! {
    /// The answer of [`Authenticate`](super::Authenticate).
    pub struct ResponseFuture<S, A, B>
    where
        S: Service<Request<B>>,
        A: AuthenticateRequest,
    {
        shared: Arc<Shared<A>>,
        delivery: Option<Delivery>,
        authentication: Option<Arc<Authentication<A::Principal>>>,
        #[pin]
        state: State<S, S::Future, A::Future, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, C, B> {
        /// The credentials are being checked; the service is ready and waits.
        Checking { #[pin] check: C, inner: S, request: Option<Request<B>> },
        /// The inner service answers.
        Forwarded { #[pin] answer: F },
        /// Refused without asking the inner service.
        Refused { error: Option<AuthError> },
    }
}

impl<S, A, B> ResponseFuture<S, A, B>
where
    S: Service<Request<B>>,
    A: AuthenticateRequest,
{
    fn new(shared: Arc<Shared<A>>, state: State<S, S::Future, A::Future, B>) -> Self {
        Self {
            shared,
            delivery: None,
            authentication: None,
            state,
        }
    }

    pub(super) fn refused(shared: Arc<Shared<A>>, error: AuthError, delivery: Option<Delivery>) -> Self {
        Self {
            delivery,
            ..Self::new(shared, State::Refused { error: Some(error) })
        }
    }

    pub(super) fn forwarded(shared: Arc<Shared<A>>, answer: S::Future) -> Self {
        Self::new(shared, State::Forwarded { answer })
    }

    pub(super) fn checking(
        shared: Arc<Shared<A>>,
        check: A::Future,
        delivery: Delivery,
        inner: S,
        request: Request<B>,
    ) -> Self {
        let state = State::Checking {
            check,
            inner,
            request: Some(request),
        };
        Self {
            delivery: Some(delivery),
            ..Self::new(shared, state)
        }
    }
}

impl<A: AuthenticateRequest> Shared<A> {
    /// Rules 4 and 5 of the module docs.
    fn conclude(
        &self,
        verdict: Result<Option<Authentication<A::Principal>>, AuthError>,
        delivery: Option<Delivery>,
    ) -> Result<Option<Arc<Authentication<A::Principal>>>, AuthError> {
        match verdict {
            Ok(Some(authentication)) => Ok(Some(Arc::new(authentication))),
            // A method must say why it refuses; one that does not is not taken for "nothing was sent".
            Ok(None) if delivery == Some(Delivery::Explicit) => {
                let error = AuthError::invalid_credentials("unrecognised_credentials");
                Err(error.or_challenges(self.method.challenges()))
            }
            Ok(None) if self.anonymous == Anonymous::LetThrough => Ok(None),
            Ok(None) => Err(AuthError::missing_credentials().or_challenges(self.method.challenges())),
            Err(error) => Err(error.or_challenges(self.method.challenges())),
        }
    }

    fn outcome(&self, authentication: Option<&Arc<Authentication<A::Principal>>>) -> Outcome<A::Principal> {
        let challenges = self.method.challenges().clone();
        match authentication {
            Some(authentication) => Outcome::authenticated(Arc::clone(authentication), challenges),
            None => Outcome::anonymous(challenges),
        }
    }

    /// Gives a refusal that a handler made up what only the layer knows: the challenges of the place and
    /// the scheme of the caller.
    fn complete<R>(&self, response: &mut Response<R>, caller: Option<&Authentication<A::Principal>>) {
        let made_up = response.extensions().get::<AuthError>().filter(|error| {
            error.challenges().is_none()
                && error.status() == response.status()
                && !response.headers().contains_key(WWW_AUTHENTICATE)
        });
        let Some(error) = made_up else {
            return;
        };
        let mut error = error.clone().or_challenges(self.method.challenges());
        if let (None, Some(scheme)) = (error.scheme(), caller.and_then(Authentication::scheme)) {
            error = error.with_scheme(scheme.clone());
        }
        error.write_headers(response.headers_mut());
        response.extensions_mut().insert(error);
    }

    /// What the verdict says to caches and cookie jars.
    fn finish(
        &self,
        headers: &mut HeaderMap,
        delivery: Option<Delivery>,
        authentication: Option<&Authentication<A::Principal>>,
    ) {
        let inspected = self.method.inspected_headers();
        append_vary(headers, inspected);
        if delivery == Some(Delivery::Ambient) {
            append_vary(headers, &csrf::INSPECTED);
        }
        if let Some(authentication) = authentication {
            authentication.effects().apply(headers);
            // Shared caches keep answers to `Authorization` out by themselves, but to nothing else.
            let by_authorization_alone = delivery == Some(Delivery::Explicit) && inspected == [AUTHORIZATION];
            if !by_authorization_alone {
                ensure_private(headers);
            }
        }
    }
}

impl<S, A, B, R> Future for ResponseFuture<S, A, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    A: AuthenticateRequest,
    R: From<Bytes>,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Checking {
                    check,
                    inner,
                    request,
                } => {
                    let verdict = ready!(check.poll(cx));
                    // A future that is polled after it was ready stays pending.
                    let Some(mut request) = request.take() else {
                        return Poll::Pending;
                    };
                    match this.shared.conclude(verdict, *this.delivery) {
                        Ok(authentication) => {
                            *this.authentication = authentication;
                            let outcome = this.shared.outcome(this.authentication.as_ref());
                            request.extensions_mut().insert(outcome);
                            State::Forwarded {
                                answer: inner.call(request),
                            }
                        }
                        Err(error) => State::Refused { error: Some(error) },
                    }
                }
                StateProjection::Forwarded { answer } => {
                    let mut response = ready!(answer.poll(cx))?;
                    let authentication = this.authentication.as_deref();
                    this.shared.complete(&mut response, authentication);
                    this.shared
                        .finish(response.headers_mut(), *this.delivery, authentication);
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Refused { error } => {
                    let Some(error) = error.take() else {
                        return Poll::Pending;
                    };
                    let mut response = response::refuse(error);
                    this.shared.finish(response.headers_mut(), *this.delivery, None);
                    return Poll::Ready(Ok(response));
                }
            };
            this.state.set(next);
        }
    }
}

impl<S, A, B> fmt::Debug for ResponseFuture<S, A, B>
where
    S: Service<Request<B>>,
    A: AuthenticateRequest,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
