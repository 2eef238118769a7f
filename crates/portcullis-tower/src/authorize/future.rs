use std::any::type_name;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use portcullis_core::{AuthError, Decide, Outcome, Policy};
use tower_service::Service;

use super::judge::judge;
use crate::response::{self, Form};

pin_project! {
    /// The answer of [`Authorize`](super::Authorize).
    pub struct ResponseFuture<S, L, P, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, L, P, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, L, P, B> {
        /// The outer layer decides, because we ask; the service is ready and waits.
        Asking {
            #[pin] decide: Decide<P>,
            outcome: Outcome<P>,
            policy: Arc<L>,
            inner: S,
            request: Option<(Parts, B)>,
        },
        /// The inner service answers.
        Forwarded { #[pin] answer: F },
        /// Refused without asking the inner service.
        Refused { error: Option<AuthError>, form: Form },
    }
}

impl<S, L, P, B> ResponseFuture<S, L, P, B>
where
    S: Service<Request<B>>,
    P: Send + Sync + 'static,
{
    pub(super) const fn refused(error: AuthError, form: Form) -> Self {
        Self {
            state: State::Refused {
                error: Some(error),
                form,
            },
        }
    }

    pub(super) const fn forwarded(answer: S::Future) -> Self {
        Self {
            state: State::Forwarded { answer },
        }
    }

    pub(super) fn asking(outcome: Outcome<P>, policy: Arc<L>, inner: S, request: (Parts, B)) -> Self {
        Self {
            state: State::Asking {
                decide: outcome.decide(),
                outcome,
                policy,
                inner,
                request: Some(request),
            },
        }
    }
}

impl<S, L, P, B, R> Future for ResponseFuture<S, L, P, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    L: Policy<P, Parts>,
    P: Send + Sync + 'static,
    R: From<Bytes>,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Asking {
                    decide,
                    outcome,
                    policy,
                    inner,
                    request,
                } => {
                    let decided = ready!(decide.poll(cx));
                    // A future that is polled after it was ready stays pending.
                    let Some((parts, body)) = request.take() else {
                        return Poll::Pending;
                    };
                    let form = Form::of_http(&parts.method);
                    let need = type_name::<L>();
                    match judge(&parts, outcome, decided, need, |caller| {
                        policy.decide(caller, &parts)
                    }) {
                        Ok(()) => State::Forwarded {
                            answer: inner.call(Request::from_parts(parts, body)),
                        },
                        Err(error) => State::Refused {
                            error: Some(error),
                            form,
                        },
                    }
                }
                StateProjection::Forwarded { answer } => return answer.poll(cx),
                StateProjection::Refused { error, form } => {
                    return match error.take() {
                        Some(error) => Poll::Ready(Ok(response::refuse_in(error, *form))),
                        None => Poll::Pending,
                    };
                }
            };
            this.state.set(next);
        }
    }
}

impl<S, L, P, B> fmt::Debug for ResponseFuture<S, L, P, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
