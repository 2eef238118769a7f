use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::HeaderName;
use http::request::Parts;
use pin_project_lite::pin_project;

use super::{Verdict, as_inside};
use crate::{AuthenticateRequest, Challenges, Presence};

/// A method with another principal; see [`AuthenticateRequest::map`].
#[must_use]
pub struct Map<A, F> {
    inside: A,
    exchange: Arc<F>,
}

impl<A, F> Map<A, F> {
    pub(crate) fn new(inside: A, exchange: F) -> Self {
        Self {
            inside,
            exchange: Arc::new(exchange),
        }
    }
}

impl<A, F, Q> AuthenticateRequest for Map<A, F>
where
    A: AuthenticateRequest,
    F: Fn(A::Principal) -> Q + Send + Sync + 'static,
    Q: Send + Sync + 'static,
{
    type Principal = Q;
    type Future = MapFuture<A::Future, F>;

    fn authenticate_request(&self, parts: &Parts) -> Self::Future {
        MapFuture {
            check: self.inside.authenticate_request(parts),
            exchange: Arc::clone(&self.exchange),
        }
    }

    fn verdict_now(check: Self::Future) -> Result<Verdict<Q>, Self::Future> {
        let MapFuture { check, exchange } = check;
        match A::verdict_now(check) {
            Ok(verdict) => Ok(map(verdict, &*exchange)),
            Err(check) => Err(MapFuture { check, exchange }),
        }
    }

    as_inside!();
}

fn map<P: 'static, Q>(verdict: Verdict<P>, exchange: impl Fn(P) -> Q) -> Verdict<Q> {
    verdict.map(|found| found.map(|authentication| authentication.map(exchange)))
}

impl<A: fmt::Debug, F> fmt::Debug for Map<A, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Map").field(&self.inside).finish()
    }
}

pin_project! {
    /// The check of [`Map`].
    pub struct MapFuture<C, F> {
        #[pin]
        check: C,
        exchange: Arc<F>,
    }
}

impl<C, F, P: 'static, Q> Future for MapFuture<C, F>
where
    C: Future<Output = Verdict<P>>,
    F: Fn(P) -> Q,
{
    type Output = Verdict<Q>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let verdict = ready!(this.check.poll(cx));
        Poll::Ready(map(verdict, &**this.exchange))
    }
}

impl<C, F> fmt::Debug for MapFuture<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapFuture").finish_non_exhaustive()
    }
}
