use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::HeaderName;
use http::request::Parts;
use pin_project_lite::pin_project;

use super::{Verdict, as_inside};
use crate::{AuthenticateRequest, Authentication, Challenges, Presence};

/// A method with a last word about whom it found; see [`AuthenticateRequest::and_then`].
#[must_use]
pub struct AndThen<A, F> {
    inside: A,
    then: Arc<F>,
}

impl<A, F> AndThen<A, F> {
    pub(crate) fn new(inside: A, then: F) -> Self {
        Self {
            inside,
            then: Arc::new(then),
        }
    }
}

impl<A, F, T, Q> AuthenticateRequest for AndThen<A, F>
where
    A: AuthenticateRequest,
    F: Fn(Authentication<A::Principal>) -> T + Send + Sync + 'static,
    T: Future<Output = Verdict<Q>> + Send + 'static,
    Q: Send + Sync + 'static,
{
    type Principal = Q;
    type Future = AndThenFuture<A::Future, F, T>;

    fn authenticate_request(&self, parts: &Parts) -> Self::Future {
        AndThenFuture {
            state: State::Checking {
                check: self.inside.authenticate_request(parts),
            },
            then: Arc::clone(&self.then),
        }
    }

    as_inside!();
}

impl<A: fmt::Debug, F> fmt::Debug for AndThen<A, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AndThen").field(&self.inside).finish()
    }
}

pin_project! {
    /// The check of [`AndThen`].
    pub struct AndThenFuture<C, F, T> {
        #[pin]
        state: State<C, T>,
        then: Arc<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<C, T> {
        Checking { #[pin] check: C },
        Then { #[pin] then: T },
    }
}

impl<C, F, T, P, Q> Future for AndThenFuture<C, F, T>
where
    C: Future<Output = Verdict<P>>,
    F: Fn(Authentication<P>) -> T,
    T: Future<Output = Verdict<Q>>,
{
    type Output = Verdict<Q>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let then = match this.state.as_mut().project() {
                StateProjection::Then { then } => return then.poll(cx),
                StateProjection::Checking { check } => match ready!(check.poll(cx)) {
                    Ok(Some(authentication)) => (this.then)(authentication),
                    Ok(None) => return Poll::Ready(Ok(None)),
                    Err(error) => return Poll::Ready(Err(error)),
                },
            };
            this.state.set(State::Then { then });
        }
    }
}

impl<C, F, T> fmt::Debug for AndThenFuture<C, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AndThenFuture").finish_non_exhaustive()
    }
}
