//! Decisions on facts that have to be loaded.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, FutureExt, select};

use crate::{Authentication, Decision};

/// How long facts may take to load, unless a policy says otherwise.
pub const DEFAULT_BUDGET: Duration = Duration::from_millis(200);

/// A policy that needs facts from elsewhere: a membership, a share, the state of an account.
///
/// Loading and deciding are two steps. The first may wait, for as long as its budget, and may fail; either is
/// [`Unavailable`](Decision::Unavailable), 503, never a denial and never a grant. The second is as synchronous and as
/// easily tested as any [`Policy`](crate::Policy).
///
/// ```
/// use std::error::Error;
/// use async_trait::async_trait;
/// use portcullis_core::policy::LoadPolicy;
/// use portcullis_core::{Authentication, Decision, Principal};
///
/// struct Project {
///     id: u64,
/// }
///
/// struct IsMember {
///     // A pool of connections.
/// }
///
/// #[async_trait]
/// impl LoadPolicy<Principal, Project> for IsMember {
///     type Facts = bool;
///
///     async fn load(
///         &self,
///         caller: &Authentication<Principal>,
///         project: &Project,
///     ) -> Result<bool, Box<dyn Error + Send + Sync>> {
///         // SELECT EXISTS (SELECT 1 FROM members WHERE …)
///         # let _ = caller;
///         Ok(project.id == 1)
///     }
///
///     fn decide(&self, _: &Authentication<Principal>, _: &Project, is_member: &bool) -> Decision {
///         Decision::granted_if(*is_member, "not_a_member")
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not load facts about callers of type `{P}` and resources of type `{R}`",
    note = "implement `LoadPolicy<{P}, {R}>`, or use a `Policy` where nothing has to be loaded"
)]
#[async_trait]
pub trait LoadPolicy<P: Sync, R: Sync + ?Sized = ()>: Send + Sync + 'static {
    /// What is loaded.
    type Facts: Send;

    /// How long loading may take: [`DEFAULT_BUDGET`] unless overridden.
    fn budget(&self) -> Duration {
        DEFAULT_BUDGET
    }

    /// Loads the facts. Dropped when the budget is spent.
    ///
    /// # Errors
    ///
    /// When they cannot be had. What is *not there* is a fact, not an error.
    async fn load(
        &self,
        caller: &Authentication<P>,
        resource: &R,
    ) -> Result<Self::Facts, Box<dyn Error + Send + Sync>>;

    /// Whether the caller may, on these facts.
    fn decide(&self, caller: &Authentication<P>, resource: &R, facts: &Self::Facts) -> Decision;
}

/// Loads the facts of a policy and asks it, unless `out_of_time` comes first.
///
/// [`Caller::enforce_loaded`](crate::Caller::enforce_loaded) calls this.
///
/// # Errors
///
/// When loading fails, panics or takes too long: why, for the log. Whoever asked treats it as
/// [`Unavailable`](Decision::Unavailable). A panic of [`decide`](LoadPolicy::decide) or
/// [`budget`](LoadPolicy::budget) is not caught; nothing is granted then.
pub async fn load_and_decide<P, R, L>(
    policy: &L,
    caller: &Authentication<P>,
    resource: &R,
    out_of_time: impl Future<Output = ()>,
) -> Result<Decision, Box<dyn Error + Send + Sync>>
where
    P: Sync,
    R: Sync + ?Sized,
    L: LoadPolicy<P, R> + ?Sized,
{
    // Nothing of the load outlives its panic but the policy, which every request shares anyway.
    let load = AssertUnwindSafe(policy.load(caller, resource)).catch_unwind();
    let loaded = {
        let out_of_time = std::pin::pin!(out_of_time);
        match select(load, out_of_time).await {
            Either::Left((loaded, _)) => loaded,
            Either::Right(_) => return Err("loading facts took longer than the budget".into()),
        }
    };
    match loaded {
        Ok(facts) => Ok(policy.decide(caller, resource, &facts?)),
        Err(_) => Err("loading facts panicked".into()),
    }
}
