use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use portcullis_core::{AuthError, AuthenticateRequest, Delivery, Ledger, Outcome};
use tower_service::Service;

use super::decision::tell;
use super::layer::Shared;
use crate::response::{self, Form};

pin_project! {
    /// The answer of [`Authenticate`](super::Authenticate).
    pub struct ResponseFuture<S, A, B>
    where
        S: Service<Request<B>>,
        A: AuthenticateRequest,
    {
        shared: Arc<Shared<A>>,
        delivery: Option<Delivery>,
        form: Form,
        outcome: Option<Outcome<A::Principal>>,
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
    const fn new(shared: Arc<Shared<A>>, state: State<S, S::Future, A::Future, B>) -> Self {
        Self {
            shared,
            delivery: None,
            form: Form::Problem,
            outcome: None,
            state,
        }
    }

    pub(super) const fn refused(
        shared: Arc<Shared<A>>,
        error: AuthError,
        delivery: Option<Delivery>,
    ) -> Self {
        let mut future = Self::new(shared, State::Refused { error: Some(error) });
        future.delivery = delivery;
        future
    }

    pub(super) fn forwarded(
        shared: Arc<Shared<A>>,
        answer: S::Future,
        outcome: Outcome<A::Principal>,
        delivery: Option<Delivery>,
    ) -> Self {
        Self {
            outcome: Some(outcome),
            delivery,
            ..Self::new(shared, State::Forwarded { answer })
        }
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

    /// Says in which form refusals are answered.
    pub(super) const fn in_form(mut self, form: Form) -> Self {
        self.form = form;
        self
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
                    let (Some(mut request), Some(delivery)) = (request.take(), *this.delivery) else {
                        return Poll::Pending;
                    };
                    let verdict = this.shared.conclude(verdict, delivery);
                    tell(Ledger::of(request.extensions()), &verdict);
                    match verdict {
                        Ok(authentication) => {
                            let outcome = this.shared.outcome(authentication);
                            request.extensions_mut().insert(outcome.clone());
                            *this.outcome = Some(outcome);
                            State::Forwarded {
                                answer: inner.call(request),
                            }
                        }
                        Err(error) => State::Refused { error: Some(error) },
                    }
                }
                StateProjection::Forwarded { answer } => {
                    let response = ready!(answer.poll(cx))?;
                    // Taken, so that a layer outside does not find its own outcome still held by this one.
                    let outcome = this.outcome.take();
                    return Poll::Ready(Ok(this.shared.answered(
                        response,
                        outcome.as_ref(),
                        *this.delivery,
                        *this.form,
                    )));
                }
                StateProjection::Refused { error } => {
                    let Some(error) = error.take() else {
                        return Poll::Pending;
                    };
                    let mut response = response::refuse_in(error, *this.form);
                    this.shared.vary(response.headers_mut(), *this.delivery);
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
