use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::HeaderName;
use http::request::Parts;
use pin_project_lite::pin_project;

use super::{Verdict, as_inside};
use crate::{AuthError, AuthenticateRequest, Authentication, Challenges, Presence};

/// A method that loads the application's own user; see [`AuthenticateRequest::load`].
#[must_use]
pub struct Load<A, F> {
    inside: A,
    load: Arc<F>,
}

impl<A, F> Load<A, F> {
    pub(crate) fn new(inside: A, load: F) -> Self {
        Self {
            inside,
            load: Arc::new(load),
        }
    }
}

impl<A, F, L, U, E> AuthenticateRequest for Load<A, F>
where
    A: AuthenticateRequest,
    F: Fn(A::Principal) -> L + Send + Sync + 'static,
    L: Future<Output = Result<Option<U>, E>> + Send + 'static,
    U: Send + Sync + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Principal = U;
    type Future = LoadFuture<A::Future, F, L>;

    fn authenticate_request(&self, parts: &Parts) -> Self::Future {
        LoadFuture {
            state: State::Checking {
                check: self.inside.authenticate_request(parts),
            },
            load: Arc::clone(&self.load),
        }
    }

    as_inside!();
}

impl<A: fmt::Debug, F> fmt::Debug for Load<A, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Load").field(&self.inside).finish()
    }
}

pin_project! {
    /// The check of [`Load`].
    pub struct LoadFuture<C, F, L> {
        #[pin]
        state: State<C, L>,
        load: Arc<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<C, L> {
        Checking { #[pin] check: C },
        Loading { #[pin] user: L, evidence: Option<Authentication<()>> },
        Done,
    }
}

impl<C, F, L, P, U, E> Future for LoadFuture<C, F, L>
where
    P: 'static,
    C: Future<Output = Verdict<P>>,
    F: Fn(P) -> L,
    L: Future<Output = Result<Option<U>, E>>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    type Output = Verdict<U>;

    /// A future that is polled after it was ready stays pending.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let verdict = loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Done => return Poll::Pending,
                StateProjection::Loading { user, evidence } => {
                    let user = ready!(user.poll(cx));
                    let Some(evidence) = evidence.take() else {
                        return Poll::Pending;
                    };
                    break conclude(user, evidence);
                }
                StateProjection::Checking { check } => match ready!(check.poll(cx)) {
                    Ok(Some(authentication)) => {
                        let (principal, evidence) = authentication.into_parts();
                        State::Loading {
                            user: (this.load)(principal),
                            evidence: Some(evidence),
                        }
                    }
                    Ok(None) => break Ok(None),
                    Err(error) => break Err(error),
                },
            };
            this.state.set(next);
        };
        this.state.set(State::Done);
        Poll::Ready(verdict)
    }
}

fn conclude<U, E>(user: Result<Option<U>, E>, evidence: Authentication<()>) -> Verdict<U>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let error = match user {
        Ok(Some(user)) => return Ok(Some(evidence.map(|()| user))),
        // A session whose user is gone is a left-over, as an expired one is.
        Ok(None) if evidence.is_ambient() => return Ok(None),
        Ok(None) => AuthError::invalid_credentials("unknown_user"),
        Err(error) => AuthError::unavailable("user_unavailable").with_source(error),
    };
    Err(match evidence.scheme() {
        Some(scheme) => error.with_scheme(scheme.clone()),
        None => error,
    })
}

impl<C, F, L> fmt::Debug for LoadFuture<C, F, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadFuture").finish_non_exhaustive()
    }
}
