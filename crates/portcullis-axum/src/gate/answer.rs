//! The answer of a ruled handler.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum_core::response::{IntoResponse, Response};
use pin_project_lite::pin_project;
use portcullis_core::AuthError;

use crate::AuthRejection;

pin_project! {
    /// Boxed only while somebody has to be waited for.
    #[project = AnswerProjection]
    pub(super) enum Answer<F> {
        /// The handler was asked at once.
        Asked { #[pin] answer: F },
        /// The handler is not asked.
        Refused { refusal: Option<Response> },
        /// The layer outside decides, because we ask.
        Waiting { wait: Pin<Box<dyn Future<Output = Response> + Send>> },
    }
}

impl<F> Answer<F> {
    pub(super) const fn asked(answer: F) -> Self {
        Self::Asked { answer }
    }

    /// axum leaves the content of an answer to `HEAD` out, and that of a refusal with it.
    pub(super) fn refused(error: AuthError) -> Self {
        Self::Refused {
            refusal: Some(AuthRejection::from(error).into_response()),
        }
    }

    pub(super) fn waiting(wait: impl Future<Output = Response> + Send + 'static) -> Self {
        Self::Waiting { wait: Box::pin(wait) }
    }
}

impl<F: Future<Output = Response>> Future for Answer<F> {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        match self.project() {
            AnswerProjection::Asked { answer } => answer.poll(cx),
            // A future that is polled after it was ready stays pending.
            AnswerProjection::Refused { refusal } => refusal.take().map_or(Poll::Pending, Poll::Ready),
            AnswerProjection::Waiting { wait } => wait.as_mut().poll(cx),
        }
    }
}
