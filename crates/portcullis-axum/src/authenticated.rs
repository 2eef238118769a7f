use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use portcullis_core::{Authentication, Invalid, Outcome, Principal};
use portcullis_tower::until_invalid;

use crate::AuthRejection;

/// The caller, authenticated.
///
/// One [`Arc`]; derefs to [`Authentication<P>`]. As `Option<Authenticated<P>>` it lets anonymous callers
/// in and never those with bad credentials.
///
/// Extracting this decides nothing about permission: it says who calls, not what they may do. State
/// that with [`Authorized`](crate::Authorized).
///
/// # Rejections
///
/// | situation | status |
/// |---|---|
/// | anonymous | 401 with the place's challenges |
/// | refused, where the layer decides on demand | as the layer would |
/// | no `AuthenticateLayer` for principals of type `P` outside the route | 500 |
pub struct Authenticated<P = Principal>(Arc<Authentication<P>>);

impl<P> Authenticated<P> {
    pub(crate) const fn new(authentication: Arc<Authentication<P>>) -> Self {
        Self(authentication)
    }

    /// The evidence, to be shared with whatever outlives the handler.
    #[must_use]
    pub const fn shared(&self) -> &Arc<Authentication<P>> {
        &self.0
    }
}

impl<P: Send + Sync + 'static> Authenticated<P> {
    /// Waits until the evidence no longer holds, and says why. For WebSockets, server-sent events and streams;
    /// see [`until_invalid`].
    ///
    /// ```
    /// use portcullis_axum::Authenticated;
    ///
    /// async fn serve(caller: Authenticated, connection: impl Future<Output = ()>) {
    ///     tokio::select! {
    ///         () = connection => {}
    ///         why = caller.until_invalid() => println!("closing: {why}"),
    ///     }
    /// }
    /// ```
    pub async fn until_invalid(&self) -> Invalid {
        until_invalid(&self.0).await
    }
}

impl<P> Deref for Authenticated<P> {
    type Target = Authentication<P>;

    fn deref(&self) -> &Authentication<P> {
        &self.0
    }
}

impl<P> Clone for Authenticated<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: fmt::Debug> fmt::Debug for Authenticated<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authenticated").field(&self.0).finish()
    }
}

impl<P, S> FromRequestParts<S> for Authenticated<P>
where
    P: Send + Sync + 'static,
    S: Send + Sync,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        let caller = Outcome::<P>::of(&parts.extensions)?.require().await?;
        Ok(Self::new(caller))
    }
}

impl<P, S> OptionalFromRequestParts<S> for Authenticated<P>
where
    P: Send + Sync + 'static,
    S: Send + Sync,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, AuthRejection> {
        let caller = Outcome::<P>::of(&parts.extensions)?.decide().await?;
        Ok(caller.map(Self::new))
    }
}
