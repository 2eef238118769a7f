use std::sync::Arc;
use std::task::{Context, Poll};
use std::{fmt, mem};

use bytes::Bytes;
use http::{Request, Response};
use portcullis_core::AuthenticateRequest;
use tower_service::Service;

use super::decision::Decision;
use super::future::ResponseFuture;
use super::layer::Shared;
use crate::response::Form;

/// Authenticates requests to `S` with a method `A`. See the [module docs](crate::authenticate).
#[must_use]
pub struct Authenticate<S, A> {
    pub(super) inner: S,
    pub(super) shared: Arc<Shared<A>>,
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
        let form = Form::of(&parts);
        let answer = match self.shared.decide(&parts) {
            Decision::Refuse { error, delivery } => ResponseFuture::refused(shared, error, delivery),
            Decision::Forward { outcome, delivery } => {
                let mut request = Request::from_parts(parts, body);
                request.extensions_mut().insert(outcome.clone());
                ResponseFuture::forwarded(shared, self.inner.call(request), outcome, delivery)
            }
            Decision::Check { check, delivery } => {
                // Only the instance that was polled ready may be called; a fresh clone takes its place.
                let clone = self.inner.clone();
                let inner = mem::replace(&mut self.inner, clone);
                ResponseFuture::checking(shared, check, delivery, inner, Request::from_parts(parts, body))
            }
        };
        answer.in_form(form)
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
            .field("mode", &self.shared.mode)
            .finish_non_exhaustive()
    }
}
