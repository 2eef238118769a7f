//! A method from a function.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::HeaderName;
use http::request::Parts;
use pin_project_lite::pin_project;

use crate::place::CredentialPlace;
use crate::{AuthError, AuthenticateRequest, Authentication, Challenges, Presence, Secret};

/// Authenticates requests by a credential in one place, which `check` judges.
///
/// `check` says who it is with [`Authentication::assertion`], refuses with an [`AuthError`], or answers
/// `Ok(None)`: refused with 401 where the credential is explicit, anonymous where it is ambient.
///
/// ```
/// use portcullis_core::{AuthError, Authentication, Method, Secret, authenticate_fn, place};
///
/// let internal = authenticate_fn(place::header("x-internal")?, |value: Secret<String>| async move {
///     // From `Secret::from_file` or `Secret::from_env`; compared in constant time.
///     let expected = Secret::new("a long random value".to_owned());
///     if expected.ct_eq(value.expose().as_bytes()) {
///         Ok(Some(Authentication::assertion("the other service", Method::new("internal"))))
///     } else {
///         Err(AuthError::invalid_credentials("wrong_internal_key"))
///     }
/// });
/// # let _ = internal;
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
pub fn authenticate_fn<F, C, P>(place: CredentialPlace, check: F) -> AuthenticateFn<F>
where
    F: Fn(Secret<String>) -> C + Send + Sync + 'static,
    C: Future<Output = Result<Option<Authentication<P>>, AuthError>> + Send + 'static,
    P: Send + Sync + 'static,
{
    AuthenticateFn { place, check }
}

/// See [`authenticate_fn`].
#[derive(Clone)]
#[must_use]
pub struct AuthenticateFn<F> {
    place: CredentialPlace,
    check: F,
}

impl<F, C, P> AuthenticateRequest for AuthenticateFn<F>
where
    F: Fn(Secret<String>) -> C + Send + Sync + 'static,
    C: Future<Output = Result<Option<Authentication<P>>, AuthError>> + Send + 'static,
    P: Send + Sync + 'static,
{
    type Principal = P;
    type Future = AuthenticateFnFuture<C>;

    fn presence(&self, parts: &Parts) -> Presence {
        self.place.presence(parts)
    }

    fn authenticate_request(&self, parts: &Parts) -> Self::Future {
        let found = self.place.find(parts).ok().flatten();
        AuthenticateFnFuture {
            check: found.map(|value| (self.check)(Secret::new(value.to_owned()))),
            place: self.place.clone(),
        }
    }

    fn challenges(&self) -> &Challenges {
        self.place.challenges()
    }

    fn inspected_headers(&self) -> &[HeaderName] {
        self.place.inspected_headers()
    }
}

impl<F> fmt::Debug for AuthenticateFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticateFn")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The check of [`AuthenticateFn`].
    pub struct AuthenticateFnFuture<C> {
        #[pin]
        check: Option<C>,
        place: CredentialPlace,
    }
}

impl<C, P> Future for AuthenticateFnFuture<C>
where
    C: Future<Output = Result<Option<Authentication<P>>, AuthError>>,
{
    type Output = C::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(check) = this.check.as_pin_mut() else {
            return Poll::Ready(Ok(None));
        };
        let scheme = this.place.scheme();
        check.poll(cx).map(|verdict| match verdict {
            Ok(found) => Ok(found.map(|authentication| {
                authentication
                    .with_scheme(scheme.clone())
                    .with_delivery(this.place.delivery())
            })),
            Err(error) => Err(error.with_scheme(scheme.clone())),
        })
    }
}

impl<C> fmt::Debug for AuthenticateFnFuture<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticateFnFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
