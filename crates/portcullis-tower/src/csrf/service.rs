use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use portcullis_core::{AuthError, Ledger};
use tower_service::Service;

use super::future::ResponseFuture;
use super::policy::{CrossSiteRequest, OriginPolicy};
use crate::response::Form;

/// Refuses requests of `S` that another site may have provoked. See the [module docs](crate::csrf).
#[derive(Clone, Debug)]
#[must_use]
pub struct Csrf<S> {
    pub(super) inner: S,
    pub(super) origins: Arc<OriginPolicy>,
    pub(super) reports_only: bool,
}

impl<S> Csrf<S> {
    fn check(&self, parts: &Parts) -> Result<(), CrossSiteRequest> {
        match self.origins.check_creating(parts) {
            Err(_) if self.reports_only => {
                tracing::warn!(method = %parts.method, "a cross-site request would have been refused");
                Ok(())
            }
            verdict => verdict,
        }
    }
}

impl<S, B, R> Service<Request<B>> for Csrf<S>
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
        if let Err(forged) = self.check(&parts) {
            let error = AuthError::denied("cross_site_request").with_source(forged);
            if let Some(ledger) = Ledger::of(&parts.extensions) {
                ledger.refused(&error);
            }
            return ResponseFuture::refused(error, Form::of_http(&parts.method));
        }
        let was_concerned = OriginPolicy::concerns(&parts);
        let answer = self.inner.call(Request::from_parts(parts, body));
        ResponseFuture::forwarded(answer, was_concerned)
    }
}
