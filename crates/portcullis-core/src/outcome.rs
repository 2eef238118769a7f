//! The verdict about a request, as the layer leaves it for everyone behind it.

use std::any::type_name;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{FutureExt, Shared};
use http::Extensions;

use crate::{AuthError, Authentication, Challenges};

/// A verdict: authenticated, anonymous (`None`), or refused.
pub type Decided<P> = Result<Option<Arc<Authentication<P>>>, AuthError>;

/// The verdict about one request, or how to come to it.
///
/// The layer puts it into the request's extensions, also for an anonymous request that it lets
/// through; extractors and layers behind it read this and never look at headers. Absence therefore
/// means that no layer decided, which is a fault of the wiring and answered with 500, never as
/// "anonymous".
///
/// Where a layer decides [on demand](Self::on_demand), the first who asks lets it decide, and everybody gets
/// that verdict. A clone is the same outcome.
pub struct Outcome<P> {
    verdict: Verdict<P>,
    challenges: Challenges,
}

enum Verdict<P> {
    Decided(Option<Arc<Authentication<P>>>),
    OnDemand(OnDemand<P>),
}

type OnDemand<P> = Shared<Pin<Box<dyn Future<Output = Decided<P>> + Send>>>;

impl<P: Send + Sync + 'static> Outcome<P> {
    /// The caller was authenticated. `challenges` are those of the place, for later refusals.
    #[must_use]
    pub const fn authenticated(authentication: Arc<Authentication<P>>, challenges: Challenges) -> Self {
        Self {
            verdict: Verdict::Decided(Some(authentication)),
            challenges,
        }
    }

    /// The caller sent no credentials and was let through.
    #[must_use]
    pub const fn anonymous(challenges: Challenges) -> Self {
        Self {
            verdict: Verdict::Decided(None),
            challenges,
        }
    }

    /// Nothing is decided until somebody asks; then `check` is, once. It starts when it is first asked for,
    /// goes on while anybody waits for it, and is not started again. A check that panics is
    /// [`Misconfigured`](crate::AuthErrorKind::Misconfigured), 500, for everybody who asks.
    #[must_use]
    pub fn on_demand(
        check: impl Future<Output = Decided<P>> + Send + 'static,
        challenges: Challenges,
    ) -> Self {
        // A shared future that panicked panics again whenever it is looked at, also in the layer's own hands.
        // Nothing of the check outlives its panic.
        let check = AssertUnwindSafe(check).catch_unwind();
        let check =
            check.map(|verdict| verdict.unwrap_or_else(|_| Err(AuthError::misconfigured("check_panicked"))));
        let check: Pin<Box<dyn Future<Output = Decided<P>> + Send>> = Box::pin(check);
        Self {
            verdict: Verdict::OnDemand(check.shared()),
            challenges,
        }
    }

    /// The outcome a layer left in a request's extensions.
    ///
    /// # Errors
    ///
    /// [`Misconfigured`](crate::AuthErrorKind::Misconfigured) when there is none for principals of
    /// type `P`.
    pub fn of(extensions: &Extensions) -> Result<&Self, AuthError> {
        extensions.get::<Self>().ok_or_else(|| {
            AuthError::misconfigured("no_outcome").with_source(format!(
                "no AuthenticateLayer for principals of type `{}` stands outside this route",
                type_name::<P>()
            ))
        })
    }

    /// What this place asks for.
    #[must_use]
    pub const fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    /// The verdict, if there is one already. `None` only where the layer decides on demand and nobody has
    /// asked, or the check still goes on.
    #[must_use]
    pub fn now(&self) -> Option<Decided<P>> {
        match &self.verdict {
            Verdict::Decided(authentication) => Some(Ok(authentication.clone())),
            Verdict::OnDemand(check) => check.peek().cloned(),
        }
    }

    /// Whether somebody else could still ask where a layer decides on demand: a clone of this outcome is around, or
    /// a [`Decide`] of it. A body that is still to be streamed may depend on what they hear.
    ///
    /// Look here before [`now`](Self::now): when this was false, nobody asks any more.
    #[must_use]
    pub fn may_yet_be_asked(&self) -> bool {
        match &self.verdict {
            Verdict::Decided(_) => false,
            Verdict::OnDemand(check) => check.strong_count() != Some(1),
        }
    }

    /// The verdict; ready at once unless the layer decides on demand.
    #[must_use = "nothing is decided until this is awaited"]
    pub fn decide(&self) -> Decide<P> {
        Decide(match &self.verdict {
            Verdict::Decided(authentication) => State::Ready(Some(authentication.clone())),
            Verdict::OnDemand(check) => State::Waiting(check.clone()),
        })
    }

    /// The evidence, or the refusal for a place that needs it.
    ///
    /// # Errors
    ///
    /// [`MissingCredentials`](crate::AuthErrorKind::MissingCredentials) when the caller is anonymous; as
    /// the method refused, where the layer decides on demand.
    pub async fn require(&self) -> Result<Arc<Authentication<P>>, AuthError> {
        self.present(self.decide().await)
    }

    /// The evidence of a verdict, or the refusal for a place that needs it.
    ///
    /// # Errors
    ///
    /// As [`require`](Self::require).
    pub fn present(&self, decided: Decided<P>) -> Result<Arc<Authentication<P>>, AuthError> {
        decided?.ok_or_else(|| AuthError::missing_credentials().or_challenges(&self.challenges))
    }
}

/// A verdict on its way; see [`Outcome::decide`].
pub struct Decide<P>(State<P>);

enum State<P> {
    Ready(Option<Option<Arc<Authentication<P>>>>),
    Waiting(OnDemand<P>),
}

impl<P: Send + Sync + 'static> Future for Decide<P> {
    type Output = Decided<P>;

    /// A future that is polled after it was ready stays pending.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Decided<P>> {
        match &mut self.0 {
            State::Ready(authentication) => authentication
                .take()
                .map_or(Poll::Pending, |authentication| Poll::Ready(Ok(authentication))),
            State::Waiting(check) => {
                let verdict = std::task::ready!(check.poll_unpin(cx));
                self.0 = State::Ready(None);
                Poll::Ready(verdict)
            }
        }
    }
}

impl<P> fmt::Debug for Decide<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Ready(_) => "Decide::Ready",
            State::Waiting(_) => "Decide::Waiting",
        })
    }
}

impl<P> Clone for Outcome<P> {
    fn clone(&self) -> Self {
        let verdict = match &self.verdict {
            Verdict::Decided(authentication) => Verdict::Decided(authentication.clone()),
            Verdict::OnDemand(check) => Verdict::OnDemand(check.clone()),
        };
        Self {
            verdict,
            challenges: self.challenges.clone(),
        }
    }
}

impl<P> fmt::Debug for Outcome<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decided = match &self.verdict {
            Verdict::Decided(authentication) => Some(Ok(authentication.as_ref())),
            Verdict::OnDemand(check) => check.peek().map(|verdict| match verdict {
                Ok(authentication) => Ok(authentication.as_ref()),
                Err(error) => Err(error.kind()),
            }),
        };
        let method = decided.map(|verdict| verdict.map(|caller| caller.map(|caller| caller.method())));
        f.debug_struct("Outcome")
            .field("authenticated_by", &method)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
