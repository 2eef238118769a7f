//! Clients that misbehave in ways a script of answers cannot express.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use portcullis_fetch::{Fetch, FetchError, Limits};
use portcullis_test::{ScriptedFetch, TestIssuer};

/// Answers as the issuer does, each time after a delay that `delay` chooses by the request's path.
#[derive(Clone)]
pub(crate) struct Slow {
    inner: ScriptedFetch,
    delay: Arc<dyn Fn(&str) -> Duration + Send + Sync>,
}

impl Slow {
    pub(crate) fn serving(
        issuer: &TestIssuer,
        delay: impl Fn(&str) -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self {
            inner: ScriptedFetch::serving(issuer),
            delay: Arc::new(delay),
        }
    }

    pub(crate) fn arrived(&self) -> usize {
        self.inner.arrived()
    }
}

#[async_trait::async_trait]
impl Fetch for Slow {
    async fn fetch(&self, request: Request<Bytes>, limits: &Limits) -> Result<Response<Bytes>, FetchError> {
        let delay = (self.delay)(request.uri().path());
        let answer = self.inner.fetch(request, limits).await;
        tokio::time::sleep(delay).await;
        answer
    }
}

impl fmt::Debug for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slow")
    }
}

/// Panics the first `times` times and answers as the issuer does after that.
#[derive(Clone, Debug)]
pub(crate) struct Panicking {
    inner: ScriptedFetch,
    left: Arc<AtomicUsize>,
}

impl Panicking {
    pub(crate) fn serving(issuer: &TestIssuer, times: usize) -> Self {
        Self {
            inner: ScriptedFetch::serving(issuer),
            left: Arc::new(AtomicUsize::new(times)),
        }
    }
}

#[async_trait::async_trait]
impl Fetch for Panicking {
    async fn fetch(&self, request: Request<Bytes>, limits: &Limits) -> Result<Response<Bytes>, FetchError> {
        tokio::task::yield_now().await;
        let left = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(left.is_err(), "the client panics");
        self.inner.fetch(request, limits).await
    }
}

/// Runs `work` between the arrival of a request and its answer: whatever a client may do meanwhile.
#[derive(Clone)]
pub(crate) struct Meanwhile {
    inner: ScriptedFetch,
    work: Arc<dyn Fn() + Send + Sync>,
}

impl Meanwhile {
    pub(crate) fn serving(issuer: &TestIssuer, work: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            inner: ScriptedFetch::serving(issuer),
            work: Arc::new(work),
        }
    }
}

#[async_trait::async_trait]
impl Fetch for Meanwhile {
    async fn fetch(&self, request: Request<Bytes>, limits: &Limits) -> Result<Response<Bytes>, FetchError> {
        (self.work)();
        self.inner.fetch(request, limits).await
    }
}

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meanwhile")
    }
}
