use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use super::style::{Rendering, restyle, unrendered};
use crate::response::without_content;

pin_project! {
    /// The answer of [`Refusal`](super::Refusal).
    pub struct ResponseFuture<F> {
        #[pin]
        answer: F,
        rendering: Option<Rendering>,
        head: bool,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn new(answer: F, rendering: Option<Rendering>, head: bool) -> Self {
        Self {
            answer,
            rendering,
            head,
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: From<Bytes>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.answer.poll(cx))?;
        let (Some(error), Some(rendering)) = (unrendered(&response).cloned(), this.rendering.take()) else {
            return Poll::Ready(Ok(response));
        };
        Poll::Ready(Ok(match rendering.render(&error) {
            Some(rendered) if *this.head => restyle(response, &error, without_content(rendered)),
            Some(rendered) => restyle(response, &error, rendered),
            None => response,
        }))
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
