//! The check of one request.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use portcullis_core::{AuthError, Authentication};

pub(crate) type Verdict<P> = Result<Option<Authentication<P>>, AuthError>;

pin_project! {
    /// The check of one request: decided at once, unless the key must be looked up.
    #[project = ApiKeyCheckProjection]
    #[allow(missing_docs)] // The macro takes no documentation on fields.
    #[non_exhaustive]
    pub enum ApiKeyCheck<P> {
        /// Decided.
        Ready { verdict: Option<Verdict<P>> },
        /// Waiting for a look-up: the one arm that allocates.
        Waiting { wait: Pin<Box<dyn Future<Output = Verdict<P>> + Send>> },
    }
}

impl<P> ApiKeyCheck<P> {
    pub(crate) const fn ready(verdict: Verdict<P>) -> Self {
        Self::Ready {
            verdict: Some(verdict),
        }
    }
}

impl<P> Future for ApiKeyCheck<P> {
    type Output = Verdict<P>;

    /// A future that is polled after it was ready stays pending: it must not decide twice.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Verdict<P>> {
        let decided = match self.as_mut().project() {
            ApiKeyCheckProjection::Ready { verdict } => {
                return verdict.take().map_or(Poll::Pending, Poll::Ready);
            }
            ApiKeyCheckProjection::Waiting { wait } => wait.as_mut().poll(cx),
        };
        if decided.is_ready() {
            self.set(Self::Ready { verdict: None });
        }
        decided
    }
}

impl<P> fmt::Debug for ApiKeyCheck<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready { .. } => "ApiKeyCheck::Ready",
            Self::Waiting { .. } => "ApiKeyCheck::Waiting",
        })
    }
}
