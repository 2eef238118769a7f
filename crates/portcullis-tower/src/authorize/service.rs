use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{fmt, mem};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use portcullis_core::{AuthError, Decided, Ledger, Outcome, Policy};
use tower_service::Service;

use super::future::ResponseFuture;
use crate::missing::missing;
use crate::response::Form;

/// Demands what a policy `L` says of callers of `S`. See the [module docs](crate::authorize).
#[must_use]
pub struct Authorize<S, L, P> {
    pub(super) inner: S,
    pub(super) policy: Arc<L>,
    pub(super) principal: PhantomData<fn() -> P>,
}

/// Rules 2 and 3 of the module docs: the refusal, if it comes to one.
pub(super) fn judge<L: Policy<P, Parts>, P: Send + Sync + 'static>(
    policy: &L,
    parts: &Parts,
    outcome: &Outcome<P>,
    decided: Decided<P>,
) -> Result<(), AuthError> {
    let ledger = Ledger::of(&parts.extensions);
    let Some(caller) = decided? else {
        let refusal = missing(parts).or_challenges(outcome.challenges());
        if let Some(ledger) = ledger {
            ledger.refused(&refusal);
        }
        return Err(refusal);
    };
    let decision = policy.decide(&caller, parts);
    if let Some(ledger) = ledger {
        ledger.decided(&decision, &caller, Some(std::any::type_name::<L>()));
    }
    match decision.refusal(&caller, outcome.challenges()) {
        Some(refusal) => Err(refusal),
        None => Ok(()),
    }
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
        match judge(&*self.policy, &parts, &outcome, decided) {
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
            .field("policy", &std::any::type_name::<L>())
            .finish_non_exhaustive()
    }
}
