use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use portcullis_core::{AuthError, Outcome, Principal};
use portcullis_jwt::VerifiedClaims;
use serde::de::DeserializeOwned;

use crate::AuthRejection;

/// The claims of the caller's verified token, in a type of the application's own.
///
/// Says what the token says, not what the caller may do: state that with
/// [`Authorized`](crate::Authorized) beside it. Claims that borrow from the token are read from
/// [`VerifiedClaims`] itself: `caller.details::<VerifiedClaims>()`.
///
/// ```
/// use portcullis_axum::{Authorized, Claims};
/// use portcullis_core::SignedIn;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Tenancy {
///     tenant: String,
/// }
///
/// async fn tenant(_caller: Authorized<SignedIn>, claims: Claims<Tenancy>) -> String {
///     claims.tenant.clone()
/// }
/// ```
///
/// # Rejections
///
/// | situation | status |
/// |---|---|
/// | anonymous | 401 with the place's challenges |
/// | the claims do not have the shape of `T` | 401 `invalid_token`; the log gets line and column, no value |
/// | the caller was authenticated, but not by a token with claims | 403 |
/// | no `AuthenticateLayer` for principals of type `P` outside the route | 500 |
pub struct Claims<T, P = Principal> {
    claims: T,
    principal: PhantomData<fn() -> P>,
}

impl<T, P> Claims<T, P> {
    /// The claims.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.claims
    }
}

impl<T, P> Deref for Claims<T, P> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.claims
    }
}

/// The claims are about a person: they are not shown.
impl<T, P> fmt::Debug for Claims<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(..)")
    }
}

impl<T, P, S> FromRequestParts<S> for Claims<T, P>
where
    T: DeserializeOwned,
    P: Send + Sync + 'static,
    S: Send + Sync,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        let outcome = Outcome::<P>::of(&parts.extensions)?;
        let caller = outcome.require().await?;
        let refuse = |error: AuthError| {
            let error = error.or_challenges(outcome.challenges());
            match caller.scheme() {
                Some(scheme) => error.with_scheme(scheme.clone()),
                None => error,
            }
        };
        let verified = caller
            .details::<VerifiedClaims>()
            .ok_or_else(|| refuse(AuthError::denied("no_claims")))?;
        let claims = verified.read().map_err(|error| {
            // The error itself may quote a claim.
            let place = format!("line {} column {} of the claims", error.line(), error.column());
            refuse(AuthError::invalid_credentials("claims_shape").with_source(place))
        })?;
        Ok(Self {
            claims,
            principal: PhantomData,
        })
    }
}
