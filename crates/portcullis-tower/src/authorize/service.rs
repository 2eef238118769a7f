use std::any::type_name;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{fmt, mem};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use portcullis_core::{Ledger, Outcome, Policy};
use tower_service::Service;

use super::future::ResponseFuture;
use super::judge::judge;
use crate::response::Form;

/// Demands what a policy `L` says of callers of `S`. See the [module docs](crate::authorize).
#[must_use]
pub struct Authorize<S, L, P> {
    pub(super) inner: S,
    pub(super) policy: Arc<L>,
    pub(super) principal: PhantomData<fn() -> P>,
}

impl<S, L, P, B, R> Service<Request<B>> for Authorize<S, L, P>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    L: Policy<P, Parts>,
    P: Send + Sync + 'static,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S, L, P, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let form = Form::of_http(&parts.method);
        let outcome = match Outcome::<P>::of(&parts.extensions) {
            Ok(outcome) => outcome.clone(),
            Err(error) => {
                if let Some(ledger) = Ledger::of(&parts.extensions) {
                    ledger.refused(&error);
                }
                return ResponseFuture::refused(error, form);
            }
        };
        let Some(decided) = outcome.now() else {
            // Only the instance that was polled ready may be called; a fresh clone takes its place.
            let clone = self.inner.clone();
            let inner = mem::replace(&mut self.inner, clone);
            return ResponseFuture::asking(outcome, Arc::clone(&self.policy), inner, (parts, body));
        };
        let need = type_name::<L>();
        match judge(&parts, &outcome, decided, need, |caller| {
            self.policy.decide(caller, &parts)
        }) {
            Ok(()) => ResponseFuture::forwarded(self.inner.call(Request::from_parts(parts, body))),
            Err(error) => ResponseFuture::refused(error, form),
        }
    }
}

impl<S: Clone, L, P> Clone for Authorize<S, L, P> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            policy: Arc::clone(&self.policy),
            principal: PhantomData,
        }
    }
}

impl<S: fmt::Debug, L, P> fmt::Debug for Authorize<S, L, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorize")
            .field("inner", &self.inner)
            .field("policy", &type_name::<L>())
            .finish_non_exhaustive()
    }
}
