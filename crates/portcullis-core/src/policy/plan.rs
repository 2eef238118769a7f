//! Does her plan include this?

use std::fmt;
use std::marker::PhantomData;

use crate::{Authentication, Decision, Description, Reason, Requirement};

/// Somebody with a plan: implemented for the application's principal.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what its plan includes",
    note = "implement `Subscriber` for `{Self}`: `fn plan_includes(&self, feature: &str) -> bool`"
)]
pub trait Subscriber {
    /// Whether the plan includes a feature, by its [name](Feature::NAME).
    fn plan_includes(&self, feature: &str) -> bool;
}

/// A feature as a type, so that a misspelt one does not compile.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a feature",
    note = "write `impl Feature for {Self} {{ const NAME: &str = \"exports\"; }}`"
)]
pub trait Feature: Send + Sync + 'static {
    /// The feature's name.
    const NAME: &'static str;
}

/// A caller whose plan includes the feature `F`.
///
/// Denied with `plan_lacks_feature`, which the client is told as well: an upgrade would help.
pub struct PlanIncludes<F>(PhantomData<fn() -> F>);

impl<P: Subscriber, F: Feature> Requirement<P> for PlanIncludes<F> {
    fn decide(caller: &Authentication<P>) -> Decision {
        if caller.principal().plan_includes(F::NAME) {
            return Decision::Granted;
        }
        Decision::Denied(Reason::new("plan_lacks_feature").with_public_code("plan_lacks_feature"))
    }

    fn describe() -> Description {
        Description::new(format!("plan with {}", F::NAME))
    }
}

impl<F: Feature> fmt::Debug for PlanIncludes<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PlanIncludes").field(&F::NAME).finish()
    }
}
