//! The method by which an application under test knows its callers.

use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use http::HeaderName;
use http::request::Parts;
use portcullis_core::{AuthError, AuthenticateRequest, Authentication, Challenges, Delivery, Presence};

use crate::caller::test_challenges;

/// What [`signed_in_as`](crate::TestRequest::signed_in_as) leaves for [`Impersonation`]. Nobody else can
/// make one, and no client can send one.
pub(crate) struct SignedInAs<P>(pub(crate) Arc<Authentication<P>>);

impl<P> Clone for SignedInAs<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// A method that believes what [`signed_in_as`](crate::TestRequest::signed_in_as) said, for applications
/// whose method is a parameter.
///
/// # Decision rules
///
/// 1. A request that was signed in as a `P` carries explicit credentials, or ambient ones where
///    [`TestCaller::ambient`](crate::TestCaller::ambient) said so, or on every request with
///    [`Impersonation::ambient`]. They hold.
/// 2. Any other request carries none: the layer refuses it with 401 and `Bearer realm="test"`, or lets it
///    through as anonymous. So does one that was signed in as a principal of another type.
///
/// No header field is looked at, so none can sign anybody in, and `Vary` lists none.
///
/// # What this does not check
///
/// Anything. Signatures, expiry, cookies and the `Vary` and `Cache-Control` that come with them are the
/// real method's: test the application with that one as well.
///
/// ```
/// use portcullis_core::{AuthenticateRequest, Delivery, Presence};
/// use portcullis_test::{Impersonation, TestRequest, authenticated};
///
/// #[derive(Clone)]
/// struct User(u64);
///
/// let method = Impersonation::<User>::new();
/// let (signed_in, ()) = http::Request::new(()).signed_in_as(authenticated(User(7))).into_parts();
/// assert_eq!(method.presence(&signed_in), Presence::Present(Delivery::Explicit));
///
/// let (other, ()) = http::Request::new(()).with_bearer("signed-in-as-7").into_parts();
/// assert_eq!(method.presence(&other), Presence::Absent);
/// ```
#[must_use]
pub struct Impersonation<P> {
    challenges: Challenges,
    ambient: bool,
    principal: PhantomData<fn() -> P>,
}

impl<P> Impersonation<P> {
    /// Credentials that the client puts into each request on purpose, unless the caller says otherwise.
    pub fn new() -> Self {
        Self {
            challenges: test_challenges(),
            ambient: false,
            principal: PhantomData,
        }
    }

    /// Credentials that the user agent attaches by itself, as a session cookie, whatever the caller says:
    /// the application's defence against cross-site requests takes part.
    pub fn ambient() -> Self {
        Self {
            ambient: true,
            ..Self::new()
        }
    }

    fn delivery(&self, evidence: &Authentication<P>) -> Delivery {
        if self.ambient {
            Delivery::Ambient
        } else {
            evidence.delivery()
        }
    }
}

impl<P: Clone + Send + Sync + 'static> AuthenticateRequest for Impersonation<P> {
    type Principal = P;
    type Future = Ready<Result<Option<Authentication<P>>, AuthError>>;

    fn presence(&self, parts: &Parts) -> Presence {
        match parts.extensions.get::<SignedInAs<P>>() {
            Some(SignedInAs(evidence)) => Presence::Present(self.delivery(evidence)),
            None => Presence::Absent,
        }
    }

    fn authenticate_request(&self, parts: &Parts) -> Self::Future {
        let signed_in = parts.extensions.get::<SignedInAs<P>>();
        ready(Ok(signed_in.map(|SignedInAs(evidence)| {
            let delivery = self.delivery(evidence);
            Authentication::clone(evidence).with_delivery(delivery)
        })))
    }

    fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    fn inspected_headers(&self) -> &[HeaderName] {
        &[]
    }
}

impl<P> Default for Impersonation<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> Clone for Impersonation<P> {
    fn clone(&self) -> Self {
        Self {
            challenges: self.challenges.clone(),
            ..*self
        }
    }
}

impl<P> fmt::Debug for Impersonation<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Impersonation")
            .field("ambient", &self.ambient)
            .finish_non_exhaustive()
    }
}
