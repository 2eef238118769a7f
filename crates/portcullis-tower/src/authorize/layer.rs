use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use http::request::Parts;
use portcullis_core::{Authentication, Decision, Needs, Policy, Principal};
use tower_layer::Layer;

use super::service::Authorize;

/// Demands what a policy `L` says of callers of type `P`. See the [module docs](crate::authorize).
#[must_use]
pub struct AuthorizeLayer<L, P = Principal> {
    policy: Arc<L>,
    principal: PhantomData<fn() -> P>,
}

impl AuthorizeLayer<(), ()> {
    /// Demands that callers meet the requirement `R`. For another principal type than [`Principal`], add
    /// [`callers`](AuthorizeLayer::callers).
    pub fn needs<R>() -> AuthorizeLayer<Needs<R>> {
        AuthorizeLayer::new(Needs::new())
    }

    /// Demands what a policy about the caller alone says.
    ///
    /// ```
    /// use portcullis_core::{Authentication, Decision};
    /// use portcullis_tower::AuthorizeLayer;
    ///
    /// struct User {
    ///     is_suspended: bool,
    /// }
    ///
    /// let layer = AuthorizeLayer::policy(|caller: &Authentication<User>, (): &()| {
    ///     Decision::granted_if(!caller.principal().is_suspended, "suspended")
    /// });
    /// # let _ = layer;
    /// ```
    pub fn policy<L: Policy<P>, P>(policy: L) -> AuthorizeLayer<OfCaller<L>, P> {
        AuthorizeLayer::new(OfCaller(policy))
    }

    /// Demands what a policy about the caller and the head of the request says.
    ///
    /// ```
    /// use http::{Method, request::Parts};
    /// use portcullis_core::{Authentication, Decision, Principal};
    /// use portcullis_tower::AuthorizeLayer;
    ///
    /// let read_only = AuthorizeLayer::request_policy(|caller: &Authentication<Principal>, request: &Parts| {
    ///     let reads = request.method == Method::GET || request.method == Method::HEAD;
    ///     Decision::granted_if(reads || caller.roles().contains("editor"), "read_only")
    /// });
    /// # let _ = read_only;
    /// ```
    pub fn request_policy<L: Policy<P, Parts>, P>(policy: L) -> AuthorizeLayer<L, P> {
        AuthorizeLayer::new(policy)
    }
}

impl<L, P> AuthorizeLayer<L, P> {
    fn new(policy: L) -> Self {
        Self {
            policy: Arc::new(policy),
            principal: PhantomData,
        }
    }

    /// Looks for callers of this principal type, that of the method in the outer layer.
    pub fn callers<Q>(self) -> AuthorizeLayer<L, Q> {
        AuthorizeLayer {
            policy: self.policy,
            principal: PhantomData,
        }
    }
}

/// A policy about the caller alone, asked with the head of a request at hand.
#[derive(Clone, Copy, Debug)]
pub struct OfCaller<L>(L);

impl<L: Policy<P>, P> Policy<P, Parts> for OfCaller<L> {
    fn decide(&self, caller: &Authentication<P>, _: &Parts) -> Decision {
        self.0.decide(caller, &())
    }
}

impl<S, L, P> Layer<S> for AuthorizeLayer<L, P> {
    type Service = Authorize<S, L, P>;

    fn layer(&self, inner: S) -> Self::Service {
        Authorize {
            inner,
            policy: Arc::clone(&self.policy),
            principal: PhantomData,
        }
    }
}

impl<L, P> Clone for AuthorizeLayer<L, P> {
    fn clone(&self) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
            principal: PhantomData,
        }
    }
}

impl<L, P> fmt::Debug for AuthorizeLayer<L, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorizeLayer(<{}>)", std::any::type_name::<L>())
    }
}
