//! Stronger or fresher authentication (RFC 9470).

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::{Authentication, Decision, Description, Requirement, StepUp, Timestamp};

/// How far an issuer's clock may be ahead of ours before its times say nothing.
const AHEAD: Duration = Duration::from_secs(300);

/// A caller who proved who they are within the last `SECONDS`.
///
/// Measured up to the time at which the credentials of this request were checked
/// ([`checked_at`](Authentication::checked_at)). Where either time is not known, or the proof lies more than five minutes
/// in the future, it is not fresh. The challenge asks for `max_age` (RFC 9470 §3).
///
/// A refresh does not make an old sign-in fresh: `auth_time` stays what it was (OpenID Connect Core §12.2).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FreshWithin<const SECONDS: u64>;

impl<P, const SECONDS: u64> Requirement<P> for FreshWithin<SECONDS> {
    fn decide(caller: &Authentication<P>) -> Decision {
        let limit = Duration::from_secs(SECONDS);
        if is_fresh(caller.authenticated_at(), caller.checked_at(), limit) {
            return Decision::Granted;
        }
        Decision::StepUp(StepUp::new().with_max_age(limit))
    }

    fn describe() -> Description {
        Description::new(format!("signed in within {SECONDS} s"))
    }
}

fn is_fresh(proven: Option<Timestamp>, now: Option<Timestamp>, limit: Duration) -> bool {
    match (proven, now) {
        (Some(proven), Some(now)) => {
            proven <= now.saturating_add(AHEAD) && now.saturating_since(proven) <= limit
        }
        _ => false,
    }
}

/// A kind of proof as a type: an `amr` value (RFC 8176), and how an issuer is asked for it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name an authentication factor",
    note = "write `impl AuthenticationFactor for {Self} {{ const AMR: &str = \"hwk\"; }}`"
)]
pub trait AuthenticationFactor: Send + Sync + 'static {
    /// The `amr` value: `hwk`, `otp`, `mfa`, …
    const AMR: &'static str;

    /// The authentication context classes to ask for where it is missing, space-separated; none by default.
    const ACR_VALUES: &'static str = "";
}

/// A caller who gave a proof of kind `F`, within the last `SECONDS` if that is stated.
///
/// The age is that of the factor itself where the method knows it, otherwise that of the sign-in.
pub struct HasFactor<F, const SECONDS: u64 = { u64::MAX }>(PhantomData<fn() -> F>);

impl<P, F: AuthenticationFactor, const SECONDS: u64> Requirement<P> for HasFactor<F, SECONDS> {
    fn decide(caller: &Authentication<P>) -> Decision {
        let limit = Duration::from_secs(SECONDS);
        let given = caller.factors().iter().any(|factor| {
            let proven = factor.at().or_else(|| caller.authenticated_at());
            factor.name() == F::AMR && (SECONDS == u64::MAX || is_fresh(proven, caller.checked_at(), limit))
        });
        if given {
            return Decision::Granted;
        }
        let mut step_up = StepUp::new();
        if !F::ACR_VALUES.is_empty() {
            step_up = step_up.with_acr_values(F::ACR_VALUES);
        }
        if SECONDS != u64::MAX {
            step_up = step_up.with_max_age(limit);
        }
        Decision::StepUp(step_up)
    }

    fn describe() -> Description {
        let factor = F::AMR;
        Description::new(match SECONDS {
            u64::MAX => format!("factor {factor}"),
            seconds => format!("factor {factor} within {seconds} s"),
        })
    }
}

impl<F: AuthenticationFactor, const SECONDS: u64> fmt::Debug for HasFactor<F, SECONDS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HasFactor").field(&F::AMR).finish()
    }
}

/// Authentication context classes as a type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name authentication context classes",
    note = "write `impl Acr for {Self} {{ const VALUES: &str = \"phr mfa\"; }}`"
)]
pub trait Acr: Send + Sync + 'static {
    /// The classes that will do, space-separated, best first.
    const VALUES: &'static str;
}

/// A caller whose authentication is of one of the classes `A`. The challenge asks for `acr_values` (RFC 9470 §3).
pub struct HasAcr<A>(PhantomData<fn() -> A>);

impl<P, A: Acr> Requirement<P> for HasAcr<A> {
    fn decide(caller: &Authentication<P>) -> Decision {
        let class = caller.acr().unwrap_or_default();
        if !class.is_empty() && A::VALUES.split(' ').any(|accepted| accepted == class) {
            return Decision::Granted;
        }
        Decision::StepUp(StepUp::new().with_acr_values(A::VALUES))
    }

    fn describe() -> Description {
        Description::new(format!("acr {}", A::VALUES.replace(' ', " or ")))
    }
}

impl<A: Acr> fmt::Debug for HasAcr<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HasAcr").field(&A::VALUES).finish()
    }
}
