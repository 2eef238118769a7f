//! Services that were not built by a gate, as handlers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::handler::Handler;
use axum_core::extract::Request;
use axum_core::response::{IntoResponse, Response};
use pin_project_lite::pin_project;
use tower::util::Oneshot;
use tower_service::Service;

/// A service as a handler. Each request is answered by a clone, as axum does with services.
#[derive(Clone)]
pub(super) struct Foreign<T>(pub(super) T);

/// Sets the handler apart from functions.
#[derive(Debug)]
pub(super) enum ForeignRequest {}

impl<T, S> Handler<ForeignRequest, S> for Foreign<T>
where
    T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
    T::Response: IntoResponse,
    T::Future: Send + 'static,
{
    type Future = ForeignAnswer<T>;

    fn call(self, request: Request, _: S) -> ForeignAnswer<T> {
        ForeignAnswer {
            answer: Oneshot::new(self.0, request),
        }
    }
}

pin_project! {
    /// The answer of a service, once that was ready.
    pub(super) struct ForeignAnswer<T: Service<Request>> {
        #[pin]
        answer: Oneshot<T, Request>,
    }
}

impl<T> Future for ForeignAnswer<T>
where
    T: Service<Request, Error = Infallible>,
    T::Response: IntoResponse,
{
    type Output = Response;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        match ready!(self.project().answer.poll(cx)) {
            Ok(response) => Poll::Ready(response.into_response()),
            Err(never) => match never {},
        }
    }
}
