use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::body::ResponseBody;

/// Makes room for a refusal beside any body. See the [module docs](crate::any_body).
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
#[non_exhaustive]
pub struct AnyBodyLayer;

impl AnyBodyLayer {
    /// The layer.
    pub const fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for AnyBodyLayer {
    type Service = AnyBody<S>;

    fn layer(&self, inner: S) -> AnyBody<S> {
        AnyBody { inner }
    }
}

/// Makes room for a refusal beside the body of `S`. See the [module docs](crate::any_body).
#[derive(Clone, Debug)]
#[must_use]
pub struct AnyBody<S> {
    inner: S,
}

impl<S, Q, B> Service<Q> for AnyBody<S>
where
    S: Service<Q, Response = Response<B>>,
{
    type Response = Response<ResponseBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Q) -> Self::Future {
        ResponseFuture {
            answer: self.inner.call(request),
        }
    }
}

pin_project! {
    /// The answer of [`AnyBody`].
    pub struct ResponseFuture<F> {
        #[pin]
        answer: F,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().answer.poll(cx))?;
        Poll::Ready(Ok(response.map(ResponseBody::inside)))
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
