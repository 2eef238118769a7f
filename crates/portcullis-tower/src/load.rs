//! Policies that load facts, with a timer.

use portcullis_core::policy::LoadPolicy;
use portcullis_core::{AuthError, Caller, Granted, Guarded};
use tokio::time::sleep;

/// Enforces what a policy decides that loads facts first, within its [budget](LoadPolicy::budget). Needs a tokio timer.
///
/// # Errors
///
/// As [`Caller::enforce_loaded`].
pub async fn enforce_loaded<P, L, X>(
    caller: &impl AsRef<Caller<P>>,
    policy: &L,
    resource: &X,
) -> Result<(), AuthError>
where
    P: Sync + 'static,
    L: LoadPolicy<P, X>,
    X: Sync + ?Sized,
{
    let out_of_time = sleep(policy.budget());
    caller
        .as_ref()
        .enforce_loaded(policy, resource, out_of_time)
        .await
}

/// Decides about a guarded object by a policy that loads facts first, within its [budget](LoadPolicy::budget). Needs a
/// tokio timer.
///
/// # Errors
///
/// As [`Caller::enforce_loaded`].
pub async fn authorize_loaded<P, T, A>(
    object: Guarded<T>,
    caller: &impl AsRef<Caller<P>>,
    action: A,
) -> Result<Granted<T, A>, AuthError>
where
    P: Sync + 'static,
    T: Sync,
    A: LoadPolicy<P, T>,
{
    let out_of_time = sleep(action.budget());
    object.authorize_loaded(caller, action, out_of_time).await
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::sync::Arc;
    use std::time::Duration;

    use portcullis_core::{AuthErrorKind, Authentication, Challenge, Challenges, Decision, Method, Scheme};
    use tokio::time::Instant;

    use super::*;

    struct Hangs;

    #[async_trait::async_trait]
    impl LoadPolicy<()> for Hangs {
        type Facts = ();

        async fn load(&self, _: &Authentication<()>, (): &()) -> Result<(), Box<dyn Error + Send + Sync>> {
            std::future::pending().await
        }

        fn decide(&self, _: &Authentication<()>, (): &(), (): &()) -> Decision {
            Decision::Granted
        }
    }

    #[tokio::test(start_paused = true)]
    async fn facts_that_do_not_come_within_the_budget_are_unavailable() {
        let challenge = Challenge::new(Scheme::BEARER).realm("api").expect("realm");
        let evidence = Arc::new(Authentication::assertion((), Method::JWT));
        let caller = Caller::new(evidence, Challenges::new([challenge]).expect("challenges"));
        let began = Instant::now();
        let refused = enforce_loaded(&caller, &Hangs, &()).await.expect_err("late");
        assert_eq!(refused.kind(), AuthErrorKind::Unavailable);
        assert!(refused.source().is_some());
        let waited = began.elapsed();
        assert!(
            waited >= Duration::from_millis(200) && waited < Duration::from_millis(210),
            "{waited:?}"
        );
        assert!(authorize_loaded(Guarded::new(()), &caller, Hangs).await.is_err());
    }
}
