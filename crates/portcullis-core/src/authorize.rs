//! What a policy is asked, and what it may answer.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Duration;

use crate::{AuthError, Authentication, Challenges, Requirement, percent};

/// Decides whether a caller may, given what they want it with: a loaded object, the head of a request, or
/// nothing but who they are.
///
/// Synchronous: what it decides on is at hand. Closures of a caller and a resource are policies.
///
/// ```
/// use portcullis_core::{Authentication, Decision, Policy, Principal};
///
/// struct Invoice {
///     owner: String,
/// }
///
/// let owner = |caller: &Authentication<Principal>, invoice: &Invoice| {
///     Decision::granted_if(caller.principal().subject() == invoice.owner, "not_the_owner")
/// };
/// fn takes_a_policy(_: impl Policy<Principal, Invoice>) {}
/// takes_a_policy(owner);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a policy about callers of type `{P}` and resources of type `{R}`",
    note = "write a closure `|caller: &Authentication<{P}>, resource: &{R}| -> Decision`, or implement `Policy`"
)]
pub trait Policy<P, R: ?Sized = ()>: Send + Sync + 'static {
    /// Whether the caller may.
    fn decide(&self, caller: &Authentication<P>, resource: &R) -> Decision;
}

impl<P, R: ?Sized, F> Policy<P, R> for F
where
    F: Fn(&Authentication<P>, &R) -> Decision + Send + Sync + 'static,
{
    fn decide(&self, caller: &Authentication<P>, resource: &R) -> Decision {
        self(caller, resource)
    }
}

/// The policy that a [`Requirement`] is: about the caller alone.
#[derive(Debug)]
pub struct Needs<R>(PhantomData<fn() -> R>);

impl<R> Needs<R> {
    /// The policy of the requirement `R`.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<R> Default for Needs<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> Clone for Needs<R> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<P, X: ?Sized, R: Requirement<P>> Policy<P, X> for Needs<R> {
    fn decide(&self, caller: &Authentication<P>, _: &X) -> Decision {
        R::decide(caller)
    }
}

/// The answer to "may they?".
///
/// Four outcomes, because an outage that looks like a denial teaches clients to throw good
/// credentials away, and one that looks like a grant lets everybody in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// They may.
    Granted,
    /// They may not.
    Denied(Reason),
    /// They might, once they have authenticated more strongly or more recently.
    StepUp(StepUp),
    /// It cannot be decided now.
    Unavailable,
}

impl Decision {
    /// `Granted` when `condition` holds, otherwise `Denied` with a stable code for logs.
    #[must_use]
    pub const fn granted_if(condition: bool, code: &'static str) -> Self {
        if condition {
            Self::Granted
        } else {
            Self::Denied(Reason::new(code))
        }
    }

    /// The refusal this leads to for `caller` in a place with these challenges; `None` when it was granted.
    #[must_use]
    pub fn refusal<P>(self, caller: &Authentication<P>, challenges: &Challenges) -> Option<AuthError> {
        let error = match self {
            Self::Granted => return None,
            Self::Denied(reason) => AuthError::from_reason(&reason),
            Self::StepUp(step_up) => AuthError::step_up_required(step_up),
            Self::Unavailable => AuthError::unavailable("policy_unavailable"),
        };
        let error = error.or_challenges(challenges);
        Some(match caller.scheme() {
            Some(scheme) => error.with_scheme(scheme.clone()),
            None => error,
        })
    }
}

/// Why a policy denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    code: &'static str,
    missing_scope: Option<Cow<'static, str>>,
    public_code: Option<&'static str>,
}

impl Reason {
    /// A reason that only the log sees, under a stable code such as `not_the_owner`.
    #[must_use]
    pub const fn new(code: &'static str) -> Self {
        Self {
            code,
            missing_scope: None,
            public_code: None,
        }
    }

    /// More scope, and nothing else, would grant: the client is told which
    /// (`insufficient_scope`, RFC 6750 §3.1). `scope` is a space-separated list of everything the
    /// operation needs.
    #[must_use]
    pub const fn insufficient_scope(scope: Cow<'static, str>) -> Self {
        Self {
            code: "insufficient_scope",
            missing_scope: Some(scope),
            public_code: None,
        }
    }

    /// Tells the client as well: `code` stands in the problem document, beside the status. One or more of
    /// `a-z`, `0-9`, `_`, `-` and `.`; anything else is left out. Say nothing here that helps somebody guess.
    #[must_use]
    pub const fn with_public_code(mut self, code: &'static str) -> Self {
        self.public_code = Some(code);
        self
    }

    /// The code that the client is told.
    #[must_use]
    pub const fn public_code(&self) -> Option<&'static str> {
        self.public_code
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// The scope that would grant.
    #[must_use]
    pub const fn missing_scope(&self) -> Option<&Cow<'static, str>> {
        self.missing_scope.as_ref()
    }
}

/// Which authentication would do (RFC 9470 §3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct StepUp {
    acr_values: Option<Cow<'static, str>>,
    max_age: Option<Duration>,
}

impl StepUp {
    /// Asks for nothing yet.
    pub const fn new() -> Self {
        Self {
            acr_values: None,
            max_age: None,
        }
    }

    /// Asks for one of these authentication context classes: space-separated, best first.
    pub fn with_acr_values(mut self, acr_values: impl Into<Cow<'static, str>>) -> Self {
        self.acr_values = Some(acr_values.into());
        self
    }

    /// Asks for an authentication not older than this; sent in whole seconds.
    pub const fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// The classes asked for.
    #[must_use]
    pub fn acr_values(&self) -> Option<&str> {
        self.acr_values.as_deref()
    }

    /// The age asked for.
    #[must_use]
    pub const fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// What is asked for as parameters of an authentication request (OpenID Connect Core §3.1.2.1), the way in which
    /// a sign-in page hands it on to an issuer; empty if it is nothing.
    ///
    /// ```
    /// use std::time::Duration;
    /// use portcullis_core::StepUp;
    ///
    /// let step_up = StepUp::new().with_acr_values("phr mfa").with_max_age(Duration::from_secs(300));
    /// assert_eq!(step_up.to_query(), "acr_values=phr%20mfa&max_age=300");
    /// ```
    #[must_use]
    pub fn to_query(&self) -> String {
        let acr_values = self
            .acr_values()
            .map(|values| format!("acr_values={}", percent::encode(values, b"")));
        let max_age = self.max_age.map(|age| format!("max_age={}", age.as_secs()));
        acr_values
            .into_iter()
            .chain(max_age)
            .collect::<Vec<_>>()
            .join("&")
    }
}
