//! Policies together.

use crate::{Authentication, Decision, Description, Policy, Reason, Requirement};

/// Every one of a tuple of policies, or of requirements; see [`all`].
#[derive(Clone, Copy, Debug)]
pub struct All<T>(T);

/// At least one of a tuple of policies, or of requirements; see [`any`].
#[derive(Clone, Copy, Debug)]
pub struct Any<T>(T);

/// The opposite of a policy or requirement; see [`not`].
#[derive(Clone, Copy, Debug)]
pub struct Not<T>(T);

/// Every policy of a tuple of two to eight must grant. All of them are asked until one denies for more than a missing
/// scope.
pub const fn all<T>(policies: T) -> All<T> {
    All(policies)
}

/// At least one policy of a tuple of two to eight must grant. They are asked in order until one does.
pub const fn any<T>(policies: T) -> Any<T> {
    Any(policies)
}

/// The policy must deny. What it cannot decide stays undecided, so that an outage of "is she blocked?" lets nobody in.
pub const fn not<T>(policy: T) -> Not<T> {
    Not(policy)
}

impl<P, R: ?Sized, L: Policy<P, R>> Policy<P, R> for Not<L> {
    fn decide(&self, caller: &Authentication<P>, resource: &R) -> Decision {
        self.0.decide(caller, resource).negate()
    }
}

impl<P, R: Requirement<P>> Requirement<P> for Not<R> {
    fn decide(caller: &Authentication<P>) -> Decision {
        R::decide(caller).negate()
    }

    fn describe() -> Description {
        Description::new(format!("not ({})", R::describe()))
    }
}

/// Nothing that follows changes it.
fn is_final_denial(decision: &Decision) -> bool {
    matches!(decision, Decision::Denied(reason) if reason.missing_scope().is_none())
}

/// What no policy of none denied: the neutral element of `any`.
const fn nobody_granted() -> Decision {
    Decision::Denied(Reason::new("no_alternative_granted"))
}

macro_rules! tuples {
    ($($policy:ident)+) => {
        impl<P, R: ?Sized, $($policy: Policy<P, R>),+> Policy<P, R> for All<($($policy,)+)> {
            #[allow(non_snake_case)] // Each part is called as its type is.
            fn decide(&self, caller: &Authentication<P>, resource: &R) -> Decision {
                let ($($policy,)+) = &self.0;
                let decision = Decision::Granted;
                $(
                    let decision = decision.and($policy.decide(caller, resource));
                    if is_final_denial(&decision) {
                        return decision;
                    }
                )+
                decision
            }
        }

        impl<P, R: ?Sized, $($policy: Policy<P, R>),+> Policy<P, R> for Any<($($policy,)+)> {
            #[allow(non_snake_case)]
            fn decide(&self, caller: &Authentication<P>, resource: &R) -> Decision {
                let ($($policy,)+) = &self.0;
                let decision = None;
                $(
                    let decision = either(decision, $policy.decide(caller, resource));
                    if decision == Some(Decision::Granted) {
                        return Decision::Granted;
                    }
                )+
                decision.unwrap_or(nobody_granted())
            }
        }

        impl<P, $($policy: Requirement<P>),+> Requirement<P> for All<($($policy,)+)> {
            fn decide(caller: &Authentication<P>) -> Decision {
                let decision = Decision::Granted;
                $(
                    let decision = decision.and($policy::decide(caller));
                    if is_final_denial(&decision) {
                        return decision;
                    }
                )+
                decision
            }

            fn describe() -> Description {
                Description::all([$($policy::describe()),+])
            }
        }

        impl<P, $($policy: Requirement<P>),+> Requirement<P> for Any<($($policy,)+)> {
            fn decide(caller: &Authentication<P>) -> Decision {
                let decision = None;
                $(
                    let decision = either(decision, $policy::decide(caller));
                    if decision == Some(Decision::Granted) {
                        return Decision::Granted;
                    }
                )+
                decision.unwrap_or(nobody_granted())
            }

            fn describe() -> Description {
                Description::any([$($policy::describe()),+])
            }
        }
    };
}

fn either(before: Option<Decision>, next: Decision) -> Option<Decision> {
    Some(match before {
        Some(before) => before.or(next),
        None => next,
    })
}

tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
