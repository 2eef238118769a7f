use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use portcullis_core::Ledger;
use tower_service::Service;

use super::future::ResponseFuture;
use super::layer::{Mode, Settings};

/// In the extensions of a request: how strictly a layer outside judges it.
#[derive(Clone, Copy)]
struct Kept(Mode);

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
        let outside = request.extensions().get::<Kept>().map(|kept| kept.0);
        let is_judged = outside >= Some(mode);
        let ledger = match Ledger::of(request.extensions()) {
            Some(_) if is_judged => return ResponseFuture::unjudged(self.inner.call(request)),
            Some(ledger) => ledger.clone(),
            None => self.settings.ledger(request.method()),
        };
        if let Some(template) = self.settings.route.and_then(|find| find(request.extensions())) {
            ledger.name_route(template);
        }
        request.extensions_mut().insert(ledger.clone());
        request.extensions_mut().insert(Kept(mode));
        let answer = self.inner.call(request);
        match mode {
            Mode::Audit => ResponseFuture::unjudged(answer),
            mode => ResponseFuture::judged(answer, ledger, mode),
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
