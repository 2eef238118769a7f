use std::task::{Context, Poll};

use http::Request;
use portcullis_core::Ledger;
use tower_layer::Layer;
use tower_service::Service;

/// Says that whatever is inside is for everybody, and needs no decision.
///
/// For routes without a [`Gate`](https://docs.rs/portcullis-axum): with `route_layer`, around those that everybody may
/// use, sign-in routes among them. It decides nothing and lets nobody in; [`LedgerLayer`](super::LedgerLayer) is what
/// reads it.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct PublicLayer(());

impl PublicLayer {
    /// The layer.
    pub const fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for PublicLayer {
    type Service = Public<S>;

    fn layer(&self, inner: S) -> Public<S> {
        Public(inner)
    }
}

/// A service for everybody. See [`PublicLayer`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Public<S>(S);

impl<S, B> Service<Request<B>> for Public<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        if let Some(ledger) = Ledger::of(request.extensions()) {
            ledger.declare_public();
        }
        self.0.call(request)
    }
}
