//! The verdict about a request, as the layer leaves it for everyone behind it.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use http::Extensions;

use crate::{AuthError, Authentication, Challenges, Decision, Requirement};

/// The verdict about one request: authenticated or anonymous.
///
/// The layer puts it into the request's extensions, also for an anonymous request that it lets
/// through; extractors and layers behind it read this and never look at headers. Absence therefore
/// means that no layer decided, which is a fault of the wiring and answered with 500, never as
/// "anonymous".
pub struct Outcome<P> {
    authentication: Option<Arc<Authentication<P>>>,
    challenges: Challenges,
}

impl<P: Send + Sync + 'static> Outcome<P> {
    /// The caller was authenticated. `challenges` are those of the place, for later refusals.
    #[must_use]
    pub const fn authenticated(authentication: Arc<Authentication<P>>, challenges: Challenges) -> Self {
        Self {
            authentication: Some(authentication),
            challenges,
        }
    }

    /// The caller sent no credentials and was let through.
    #[must_use]
    pub const fn anonymous(challenges: Challenges) -> Self {
        Self {
            authentication: None,
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

    /// The evidence, unless the caller is anonymous.
    #[must_use]
    pub const fn authentication(&self) -> Option<&Arc<Authentication<P>>> {
        self.authentication.as_ref()
    }

    /// What this place asks for.
    #[must_use]
    pub const fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    /// The evidence, or the refusal for a place that needs it.
    ///
    /// # Errors
    ///
    /// [`MissingCredentials`](crate::AuthErrorKind::MissingCredentials) when the caller is anonymous.
    pub fn require(&self) -> Result<&Arc<Authentication<P>>, AuthError> {
        self.authentication
            .as_ref()
            .ok_or_else(|| AuthError::missing_credentials().or_challenges(&self.challenges))
    }

    /// The evidence, if it meets `R`.
    ///
    /// # Errors
    ///
    /// As [`require`](Self::require), and as `R` [decides](Self::refuse).
    pub fn require_that<R: Requirement<P>>(&self) -> Result<&Arc<Authentication<P>>, AuthError> {
        let caller = self.require()?;
        match self.refuse(R::decide(caller)) {
            None => Ok(caller),
            Some(refusal) => Err(refusal),
        }
    }

    /// The refusal that a decision about this caller leads to; `None` when it was granted.
    #[must_use]
    pub fn refuse(&self, decision: Decision) -> Option<AuthError> {
        let error = match decision {
            Decision::Granted => return None,
            Decision::Denied(reason) => AuthError::from_reason(&reason),
            Decision::StepUp(step_up) => AuthError::step_up_required(step_up),
            Decision::Unavailable => AuthError::unavailable("policy_unavailable"),
        };
        let scheme = self
            .authentication
            .as_ref()
            .and_then(|caller| caller.scheme().cloned());
        let error = error.or_challenges(&self.challenges);
        Some(match scheme {
            Some(scheme) => error.with_scheme(scheme),
            None => error,
        })
    }
}

impl<P> Clone for Outcome<P> {
    fn clone(&self) -> Self {
        Self {
            authentication: self.authentication.clone(),
            challenges: self.challenges.clone(),
        }
    }
}

impl<P> fmt::Debug for Outcome<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = self.authentication.as_ref().map(|caller| caller.method());
        f.debug_struct("Outcome")
            .field("authenticated_by", &method)
            .finish_non_exhaustive()
    }
}
