use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use portcullis_core::Ledger;
use tower_service::Service;

use super::future::ResponseFuture;
use super::layer::Settings;

/// Keeps the record of decisions about requests to `S`. See the [module docs](crate::ledger).
#[derive(Clone)]
#[must_use]
pub struct KeepLedger<S> {
    pub(super) inner: S,
    pub(super) settings: Settings,
}

impl<S, B, R> Service<Request<B>> for KeepLedger<S>
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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mode = self.settings.mode;
        let ledger = match Ledger::of(request.extensions()) {
            Some(ledger) => ledger.clone(),
            None => {
                let ledger = self.settings.ledger(request.method());
                request.extensions_mut().insert(ledger.clone());
                ledger
            }
        };
        if let Some(template) = self.settings.route.and_then(|find| find(request.extensions())) {
            ledger.name_route(template);
        }
        let is_judged = ledger.judge_as(mode.strictness());
        let answer = self.inner.call(request);
        match is_judged {
            true => ResponseFuture::judged(answer, ledger, mode),
            // Nobody looks, or a layer outside that is as strict.
            false => ResponseFuture::unjudged(answer),
        }
    }
}

impl Settings {
    fn ledger(&self, method: &http::Method) -> Ledger {
        match (&self.sink, &self.clock) {
            (Some(sink), Some(clock)) => Ledger::audited(method.clone(), Arc::clone(sink), Arc::clone(clock)),
            // There is a clock wherever there is a sink.
            _ => Ledger::new(method.clone()),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for KeepLedger<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.debug("KeepLedger", f)
    }
}
