//! Decisions together.

use crate::{Decision, Reason, StepUp};

impl Decision {
    /// Both. Denied outweighs unavailable, that step-up, and that granted; see [the algebra](crate::policy).
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Granted, other) | (other, Self::Granted) => other,
            (Self::Denied(one), Self::Denied(other)) => Self::Denied(one.and(other)),
            // More scope alone would not do.
            (Self::Denied(reason), _) | (_, Self::Denied(reason)) => Self::Denied(reason.not_scope_alone()),
            (Self::Unavailable, _) | (_, Self::Unavailable) => Self::Unavailable,
            (Self::StepUp(one), Self::StepUp(other)) => Self::StepUp(one.and(&other)),
        }
    }

    /// Either. Granted outweighs step-up, that unavailable, and that denied; see [the algebra](crate::policy).
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Granted, _) | (_, Self::Granted) => Self::Granted,
            (Self::StepUp(step_up), _) | (_, Self::StepUp(step_up)) => Self::StepUp(step_up),
            (Self::Unavailable, _) | (_, Self::Unavailable) => Self::Unavailable,
            (Self::Denied(one), Self::Denied(other)) => Self::Denied(one.or(other)),
        }
    }

    /// The opposite of granted and of denied. What is unavailable or asks for step-up does so still.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::Granted => Self::Denied(Reason::new("negated_policy_granted")),
            Self::Denied(_) => Self::Granted,
            other => other,
        }
    }
}

impl Reason {
    /// Of two objections that both stand.
    fn and(self, other: Self) -> Self {
        match (self.missing_scope(), other.missing_scope()) {
            (Some(one), Some(other)) => Self::insufficient_scope(union(one, other).into()),
            (Some(_), None) => other,
            (None, Some(_) | None) => self,
        }
    }

    /// Of two objections either of which may be lifted.
    fn or(self, other: Self) -> Self {
        match (self.missing_scope(), other.missing_scope()) {
            (None, Some(_)) => other,
            _ => self,
        }
    }

    fn not_scope_alone(self) -> Self {
        match self.missing_scope() {
            Some(_) => Self::new("scope_missing_among_others"),
            None => self,
        }
    }
}

/// Every scope of either, once.
fn union(one: &str, other: &str) -> String {
    let mut scopes = Vec::new();
    for scope in one.split(' ').chain(other.split(' ')) {
        if !scope.is_empty() && !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes.join(" ")
}

impl StepUp {
    /// What satisfies both: the shorter age, and the classes that both accept. Where there is no such class the first
    /// demand goes first, and the other follows when that is met.
    fn and(&self, other: &Self) -> Self {
        let age = [self.max_age(), other.max_age()].into_iter().flatten().min();
        let classes = match (self.acr_values(), other.acr_values()) {
            (Some(one), Some(other)) => {
                let both: Vec<_> = one
                    .split(' ')
                    .filter(|class| other.split(' ').any(|accepted| accepted == *class))
                    .collect();
                Some(if both.is_empty() {
                    one.to_owned()
                } else {
                    both.join(" ")
                })
            }
            (one, other) => one.or(other).map(str::to_owned),
        };
        let step_up = classes.into_iter().fold(Self::new(), Self::with_acr_values);
        age.into_iter().fold(step_up, Self::with_max_age)
    }
}
