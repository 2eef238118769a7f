//! Requests of somebody.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::request::Builder;
use http::{Extensions, HeaderValue, Request};
use portcullis_core::{Authentication, Outcome};

use crate::caller::test_challenges;
use crate::impersonation::SignedInAs;

mod sealed {
    #[allow(unnameable_types)] // Sealed on purpose.
    pub trait Sealed {}

    impl<B> Sealed for http::Request<B> {}
    impl Sealed for http::request::Builder {}
}

/// Says in one line whose request it is. For [`http::Request`] and its builder; sealed.
pub trait TestRequest: sealed::Sealed + Sized {
    /// Signs the request in as `caller`: a [`TestCaller`](crate::TestCaller), or any
    /// [`Authentication<P>`] of the application's own type `P`, such as
    /// [`authenticated(user)`](crate::authenticated).
    ///
    /// It leaves two things in the request's extensions, where only code of this process can put
    /// anything:
    ///
    /// 1. An [`Outcome<P>`] whose challenge is `Bearer realm="test"`, as a layer leaves it: handlers
    ///    and routers are tested *without* their layer.
    /// 2. A mark of the kit's own, by which [`Impersonation<P>`](crate::Impersonation) knows the
    ///    request: applications are tested *with* their layer, where its method is a parameter.
    ///
    /// A layer with any other method decides anew and does not see either of them.
    ///
    /// ```
    /// use portcullis_core::{Outcome, Principal};
    /// use portcullis_test::{TestRequest, caller};
    ///
    /// let reader = http::Request::get("/documents")
    ///     .signed_in_as(caller("alice").scope("documents:read"))
    ///     .body(())?;
    /// assert!(Outcome::<Principal>::of(reader.extensions()).is_ok());
    ///
    /// let nobody = http::Request::get("/documents").body(())?;
    /// assert!(Outcome::<Principal>::of(nobody.extensions()).is_err());
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    fn signed_in_as<P>(self, caller: impl Into<Authentication<P>>) -> Self
    where
        P: Send + Sync + 'static;

    /// Sends `token` as `Authorization: Bearer …`, in place of any `Authorization` of the request.
    ///
    /// ```
    /// use portcullis_test::{TestIssuer, TestRequest};
    ///
    /// let token = TestIssuer::new("https://issuer.test").token().build();
    /// let request = http::Request::get("/documents").with_bearer(&token).body(())?;
    /// assert!(request.headers()["authorization"].is_sensitive());
    /// # Ok::<(), http::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// When `token` cannot stand in a header.
    #[must_use]
    #[track_caller]
    fn with_bearer(self, token: impl AsRef<str>) -> Self;
}

impl<B> TestRequest for Request<B> {
    fn signed_in_as<P>(mut self, caller: impl Into<Authentication<P>>) -> Self
    where
        P: Send + Sync + 'static,
    {
        sign_in(self.extensions_mut(), caller.into());
        self
    }

    #[track_caller]
    fn with_bearer(mut self, token: impl AsRef<str>) -> Self {
        self.headers_mut().insert(AUTHORIZATION, bearer(token.as_ref()));
        self
    }
}

/// A builder that has failed already stays as it is; its `body` says why.
impl TestRequest for Builder {
    fn signed_in_as<P>(mut self, caller: impl Into<Authentication<P>>) -> Self
    where
        P: Send + Sync + 'static,
    {
        if let Some(extensions) = self.extensions_mut() {
            sign_in(extensions, caller.into());
        }
        self
    }

    #[track_caller]
    fn with_bearer(mut self, token: impl AsRef<str>) -> Self {
        let bearer = bearer(token.as_ref());
        if let Some(headers) = self.headers_mut() {
            headers.insert(AUTHORIZATION, bearer);
        }
        self
    }
}

fn sign_in<P: Send + Sync + 'static>(extensions: &mut Extensions, caller: Authentication<P>) {
    let caller = Arc::new(caller);
    extensions.insert(SignedInAs(Arc::clone(&caller)));
    extensions.insert(Outcome::authenticated(caller, test_challenges()));
}

#[track_caller]
fn bearer(token: &str) -> HeaderValue {
    let Ok(mut value) = HeaderValue::try_from(format!("Bearer {token}")) else {
        panic!("a token that cannot stand in a header");
    };
    value.set_sensitive(true);
    value
}
