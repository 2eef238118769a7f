//! The caller of one request, about whom decisions are enforced.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use http::Extensions;

use crate::policy::{LoadPolicy, load_and_decide, type_label};
use crate::{AuthError, Authentication, Challenges, Decision, Ledger, Outcome, Policy, Requirement};

/// An authenticated caller together with the request they made: enforces decisions about them, with the
/// challenges of the place, and writes each into the request's [`Ledger`].
///
/// Derefs to [`Authentication<P>`]. The extractors of `portcullis-axum` are callers ([`AsRef`]); elsewhere, in a
/// gRPC service for instance, [`of`](Self::of) takes one from a request's extensions.
///
/// A clone is the same caller of the same request, and may be taken into a spawned task.
pub struct Caller<P> {
    authentication: Arc<Authentication<P>>,
    challenges: Challenges,
    ledger: Option<Ledger>,
}

impl<P> Caller<P> {
    /// The caller of no request: for jobs, queues and tests, with evidence from elsewhere.
    #[must_use]
    pub const fn new(authentication: Arc<Authentication<P>>, challenges: Challenges) -> Self {
        Self {
            authentication,
            challenges,
            ledger: None,
        }
    }

    /// Writes decisions into `ledger`.
    #[must_use]
    pub fn with_ledger(mut self, ledger: Option<Ledger>) -> Self {
        self.ledger = ledger;
        self
    }

    /// The record of the request, if anyone keeps one.
    #[must_use]
    pub const fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }

    /// The evidence, to be shared with whatever outlives the request.
    #[must_use]
    pub const fn shared(&self) -> &Arc<Authentication<P>> {
        &self.authentication
    }

    /// What this place asks for.
    #[must_use]
    pub const fn challenges(&self) -> &Challenges {
        &self.challenges
    }
}

impl<P: 'static> Caller<P> {
    /// Enforces a decision.
    ///
    /// # Errors
    ///
    /// Unless the decision is [`Granted`](Decision::Granted), with the challenges of this place.
    pub fn enforce(&self, decision: Decision) -> Result<(), AuthError> {
        self.enforce_named(decision, None)
    }

    /// Enforces a decision about something that has a name in the audit: `documents:delete`.
    ///
    /// # Errors
    ///
    /// As [`enforce`](Self::enforce).
    pub fn enforce_named(&self, decision: Decision, need: Option<&str>) -> Result<(), AuthError> {
        if let Some(ledger) = &self.ledger {
            ledger.decided(&decision, &self.authentication, need);
        }
        match decision.refusal(&self.authentication, &self.challenges) {
            None => Ok(()),
            Some(refusal) => Err(refusal),
        }
    }

    /// Enforces what a policy decides about a resource.
    ///
    /// # Errors
    ///
    /// As [`enforce`](Self::enforce).
    pub fn enforce_policy<L, X>(&self, policy: &L, resource: &X) -> Result<(), AuthError>
    where
        L: Policy<P, X>,
        X: ?Sized,
    {
        let decision = policy.decide(&self.authentication, resource);
        self.enforce_named(decision, Some(type_label::<L>()))
    }

    /// Enforces what a policy decides that loads facts first; `out_of_time` ends the wait.
    ///
    /// `portcullis-tower` has this with a timer, as `enforce_loaded`.
    ///
    /// # Errors
    ///
    /// As [`enforce`](Self::enforce); [`Unavailable`](crate::AuthErrorKind::Unavailable), with the cause, when the facts
    /// cannot be had in time.
    pub async fn enforce_loaded<L, X>(
        &self,
        policy: &L,
        resource: &X,
        out_of_time: impl Future<Output = ()>,
    ) -> Result<(), AuthError>
    where
        P: Sync,
        L: LoadPolicy<P, X>,
        X: Sync + ?Sized,
    {
        let loaded = load_and_decide(policy, &self.authentication, resource, out_of_time).await;
        let (decision, cause) = match loaded {
            Ok(decision) => (decision, None),
            Err(cause) => (Decision::Unavailable, Some(cause)),
        };
        let enforced = self.enforce_named(decision, Some(type_label::<L>()));
        match cause {
            Some(cause) => enforced.map_err(|refusal| refusal.with_source(cause)),
            None => enforced,
        }
    }

    /// Enforces a requirement.
    ///
    /// # Errors
    ///
    /// As [`enforce`](Self::enforce).
    pub fn require<R: Requirement<P>>(&self) -> Result<(), AuthError> {
        let decision = R::decide(&self.authentication);
        self.enforce_named(decision, Some(type_label::<R>()))
    }

    /// Whether a policy would grant, for an answer that differs by it: a button that is shown, a field that is
    /// left out. Nothing is enforced, and nothing written into the ledger.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](crate::AuthErrorKind::Unavailable) when it cannot be decided; a need for stronger
    /// authentication is a "no".
    pub fn may<L, X>(&self, policy: &L, resource: &X) -> Result<bool, AuthError>
    where
        L: Policy<P, X>,
        X: ?Sized,
    {
        match policy.decide(&self.authentication, resource) {
            Decision::Granted => Ok(true),
            Decision::Denied(_) | Decision::StepUp(_) => Ok(false),
            Decision::Unavailable => Err(AuthError::unavailable("policy_unavailable")),
        }
    }
}

impl<P: Send + Sync + 'static> Caller<P> {
    /// The caller of the request with these extensions; lets the layer decide where it does so on demand.
    ///
    /// # Errors
    ///
    /// As [`Outcome::of`] and [`Outcome::require`].
    pub async fn of(extensions: &Extensions) -> Result<Self, AuthError> {
        let outcome = outcome(extensions)?;
        let decided = outcome.decide().await;
        let is_anonymous = matches!(decided, Ok(None));
        match outcome.present(decided) {
            Ok(authentication) => Ok(Self::at(authentication, outcome, extensions)),
            Err(refusal) => {
                // Any other refusal is the layer's, which has told it.
                if let (true, Some(ledger)) = (is_anonymous, Ledger::of(extensions)) {
                    ledger.refused(&refusal);
                }
                Err(refusal)
            }
        }
    }

    /// As [`of`](Self::of), where nobody has to sign in: `None` is an anonymous caller.
    ///
    /// # Errors
    ///
    /// As [`Outcome::of`] and [`Outcome::decide`].
    pub async fn find(extensions: &Extensions) -> Result<Option<Self>, AuthError> {
        let outcome = outcome(extensions)?;
        let authentication = outcome.decide().await?;
        Ok(authentication.map(|authentication| Self::at(authentication, outcome, extensions)))
    }

    fn at(authentication: Arc<Authentication<P>>, outcome: &Outcome<P>, extensions: &Extensions) -> Self {
        Self::new(authentication, outcome.challenges().clone()).with_ledger(Ledger::of(extensions).cloned())
    }
}

/// What a layer left; that none did is told to the request's ledger.
fn outcome<P: Send + Sync + 'static>(extensions: &Extensions) -> Result<&Outcome<P>, AuthError> {
    Outcome::of(extensions).inspect_err(|misconfigured| {
        if let Some(ledger) = Ledger::of(extensions) {
            ledger.refused(misconfigured);
        }
    })
}

impl<P> Deref for Caller<P> {
    type Target = Authentication<P>;

    fn deref(&self) -> &Authentication<P> {
        &self.authentication
    }
}

impl<P> AsRef<Self> for Caller<P> {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl<P> Clone for Caller<P> {
    fn clone(&self) -> Self {
        Self {
            authentication: Arc::clone(&self.authentication),
            challenges: self.challenges.clone(),
            ledger: self.ledger.clone(),
        }
    }
}

impl<P: fmt::Debug> fmt::Debug for Caller<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Caller").field(&self.authentication).finish()
    }
}
