use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;
use portcullis_core::{AuthError, append_vary};

use super::policy::INSPECTED;
use crate::response::{self, Form};

pin_project! {
    /// The answer of [`Csrf`](super::Csrf).
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Forwarded { #[pin] answer: F, was_concerned: bool },
        Refused { error: Option<AuthError>, form: Form },
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn forwarded(answer: F, was_concerned: bool) -> Self {
        let state = State::Forwarded {
            answer,
            was_concerned,
        };
        Self { state }
    }

    pub(super) const fn refused(error: AuthError, form: Form) -> Self {
        let error = Some(error);
        Self {
            state: State::Refused { error, form },
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: From<Bytes>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut response, was_concerned) = match self.project().state.project() {
            StateProjection::Forwarded {
                answer,
                was_concerned,
            } => (ready!(answer.poll(cx))?, *was_concerned),
            // A future that is polled after it was ready stays pending.
            StateProjection::Refused { error, form } => match error.take() {
                Some(error) => (response::refuse_in(error, *form), true),
                None => return Poll::Pending,
            },
        };
        if was_concerned {
            append_vary(response.headers_mut(), &INSPECTED);
        }
        Poll::Ready(Ok(response))
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
