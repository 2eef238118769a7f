use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response};
use tower_service::Service;

use super::future::ResponseFuture;
use super::style::RefusalStyle;

/// Shows refusals of `S` in one style. See the [module docs](crate::refusal).
#[derive(Clone)]
#[must_use]
pub struct Refusal<S> {
    pub(super) inner: S,
    pub(super) style: Arc<dyn RefusalStyle>,
}

impl<S, B, R> Service<Request<B>> for Refusal<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let rendering = self.style.rendering(&parts);
        let head = parts.method == Method::HEAD;
        ResponseFuture::new(self.inner.call(Request::from_parts(parts, body)), rendering, head)
    }
}

impl<S: fmt::Debug> fmt::Debug for Refusal<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
