use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use portcullis_core::{Authentication, Caller, Invalid, Ledger, Principal};
use portcullis_tower::until_invalid;

use crate::AuthRejection;
use crate::route::name_route;

/// The caller, authenticated.
///
/// A [`Caller`]; derefs to [`Authentication<P>`]. As `Option<Authenticated<P>>` it lets anonymous callers
/// in and never those with bad credentials.
///
/// Extracting this decides nothing about permission: it says who calls, not what they may do. State
/// that with [`Authorized`](crate::Authorized), or enforce it about a loaded object: with
/// [`Guarded::authorize`](portcullis_core::Guarded::authorize), or through the [`caller`](Self::caller).
///
/// # Rejections
///
/// | situation | status |
/// |---|---|
/// | anonymous | 401 with the place's challenges |
/// | refused, where the layer decides on demand | as the layer would |
/// | no `AuthenticateLayer` for principals of type `P` outside the route | 500 |
pub struct Authenticated<P = Principal>(Caller<P>);

impl<P> Authenticated<P> {
    pub(crate) const fn new(caller: Caller<P>) -> Self {
        Self(caller)
    }

    /// The evidence, to be shared with whatever outlives the handler.
    #[must_use]
    pub const fn shared(&self) -> &Arc<Authentication<P>> {
        self.0.shared()
    }

    /// The caller, about whom decisions can be enforced: about a loaded object, mostly.
    #[must_use]
    pub const fn caller(&self) -> &Caller<P> {
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
        until_invalid(self.0.shared()).await
    }
}

impl<P> Deref for Authenticated<P> {
    type Target = Authentication<P>;

    fn deref(&self) -> &Authentication<P> {
        &self.0
    }
}

impl<P> AsRef<Caller<P>> for Authenticated<P> {
    fn as_ref(&self) -> &Caller<P> {
        &self.0
    }
}

impl<P> Clone for Authenticated<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: fmt::Debug> fmt::Debug for Authenticated<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authenticated").field(self.0.shared()).finish()
    }
}

impl<P, S> FromRequestParts<S> for Authenticated<P>
where
    P: Send + Sync + 'static,
    S: Send + Sync,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AuthRejection> {
        let caller = Caller::of(&parts.extensions).await?;
        name_route(caller.ledger(), &parts.extensions);
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
        let caller = Caller::find(&parts.extensions).await?;
        let ledger = match &caller {
            Some(caller) => caller.ledger(),
            None => Ledger::of(&parts.extensions),
        };
        name_route(ledger, &parts.extensions);
        Ok(caller.map(Self::new))
    }
}
