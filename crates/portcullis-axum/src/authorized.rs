use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use portcullis_core::{AuthError, Authentication, Caller, Decision, Invalid, Policy, Principal, Requirement};

use crate::route::name_route;
use crate::{AuthRejection, Authenticated};

/// The caller, authenticated, and known to meet the requirement `R`.
///
/// Derefs to [`Authentication<P>`]. An application with a principal type of its own writes once:
///
/// ```
/// use portcullis_axum::Authorized;
/// use portcullis_core::SignedIn;
///
/// # struct User;
/// type Caller<R = SignedIn> = Authorized<R, User>;
/// ```
///
/// There is no `Option<Authorized<…>>`: a caller who lacks a right is refused, not overlooked.
///
/// # Rejections
///
/// | situation | status |
/// |---|---|
/// | anonymous | 401 with the place's challenges |
/// | scope is missing, and nothing else | 403 `insufficient_scope` with the scope |
/// | denied for another reason | 403 |
/// | stronger or fresher authentication is needed | 401 `insufficient_user_authentication` |
/// | the requirement cannot be decided | 503 |
/// | no `AuthenticateLayer` for principals of type `P` outside the route | 500 |
pub struct Authorized<R, P = Principal> {
    caller: Authenticated<P>,
    requirement: PhantomData<fn() -> R>,
}

impl<R, P: Send + Sync + 'static> Authorized<R, P> {
    /// The caller without the requirement, to be handed on.
    #[must_use]
    pub fn into_authenticated(self) -> Authenticated<P> {
        self.caller
    }

    /// Enforces a decision that the handler came to after looking at a loaded object.
    ///
    /// ```
    /// use portcullis_axum::{AuthRejection, Authorized};
    /// use portcullis_core::{Decision, SignedIn};
    ///
    /// async fn invoice(caller: Authorized<SignedIn>) -> Result<&'static str, AuthRejection> {
    ///     let owner = "alice"; // loaded
    ///     let is_owner = caller.principal().subject() == owner;
    ///     caller.enforce(Decision::granted_if(is_owner, "not_the_owner"))?;
    ///     Ok("her invoice")
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Unless the decision is [`Granted`](Decision::Granted), with the challenges of this place.
    pub fn enforce(&self, decision: Decision) -> Result<(), AuthError> {
        self.caller.caller().enforce(decision)
    }

    /// Enforces what a policy decides about a loaded object.
    ///
    /// ```
    /// use portcullis_axum::{AuthRejection, Authorized};
    /// use portcullis_core::{Authentication, Decision, Principal, SignedIn};
    ///
    /// struct Invoice {
    ///     owner: String,
    /// }
    ///
    /// fn is_hers(caller: &Authentication<Principal>, invoice: &Invoice) -> Decision {
    ///     Decision::granted_if(caller.principal().subject() == invoice.owner, "not_the_owner")
    /// }
    ///
    /// async fn invoice(caller: Authorized<SignedIn>) -> Result<&'static str, AuthRejection> {
    ///     let invoice = Invoice { owner: "alice".to_owned() }; // loaded
    ///     caller.enforce_policy(&is_hers, &invoice)?;
    ///     Ok("her invoice")
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`enforce`](Self::enforce).
    pub fn enforce_policy<X: ?Sized>(
        &self,
        policy: &impl Policy<P, X>,
        resource: &X,
    ) -> Result<(), AuthError> {
        self.caller.caller().enforce_policy(policy, resource)
    }

    /// Waits until the evidence no longer holds, and says why; see
    /// [`Authenticated::until_invalid`].
    pub async fn until_invalid(&self) -> Invalid {
        self.caller.until_invalid().await
    }
}

impl<R, P> Deref for Authorized<R, P> {
    type Target = Authentication<P>;

    fn deref(&self) -> &Authentication<P> {
        &self.caller
    }
}

impl<R, P> AsRef<Caller<P>> for Authorized<R, P> {
    fn as_ref(&self) -> &Caller<P> {
        self.caller.caller()
    }
}

impl<R, P> Clone for Authorized<R, P> {
    fn clone(&self) -> Self {
        Self {
            caller: self.caller.clone(),
            requirement: PhantomData,
        }
    }
}

impl<R, P: fmt::Debug> fmt::Debug for Authorized<R, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorized").field(&self.caller).finish()
    }
}

impl<R, P, S> FromRequestParts<S> for Authorized<R, P>
where
    R: Requirement<P>,
    P: Send + Sync + 'static,
    S: Send + Sync,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        let caller = Caller::of(&parts.extensions).await?;
        name_route(caller.ledger(), &parts.extensions);
        caller.require::<R>()?;
        Ok(Self {
            caller: Authenticated::new(caller),
            requirement: PhantomData,
        })
    }
}
