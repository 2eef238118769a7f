use std::fmt;
use std::sync::Arc;

use portcullis_core::AuthenticateRequest;
use tower_layer::Layer;

use super::service::Authenticate;
use crate::csrf::OriginPolicy;

/// Authenticates requests with a method `A`. See the [module docs](crate::authenticate).
#[must_use]
pub struct AuthenticateLayer<A> {
    pub(super) shared: Arc<Shared<A>>,
}

/// What every copy of the layer and its services has in common.
pub(super) struct Shared<A> {
    pub(super) method: Arc<A>,
    pub(super) anonymous: Anonymous,
    pub(super) origins: OriginPolicy,
}

/// What becomes of a request without credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anonymous {
    Refused,
    LetThrough,
}

impl<A: AuthenticateRequest> AuthenticateLayer<A> {
    /// Refuses requests without credentials.
    pub fn required(method: A) -> Self {
        Self::with(method, Anonymous::Refused)
    }

    /// Lets requests without credentials through, as anonymous. Bad credentials are refused all the
    /// same.
    pub fn optional(method: A) -> Self {
        Self::with(method, Anonymous::LetThrough)
    }

    fn with(method: A, anonymous: Anonymous) -> Self {
        let shared = Shared {
            method: Arc::new(method),
            anonymous,
            origins: OriginPolicy::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Says which origins this service's own pages come from; asked for ambient credentials only.
    pub fn origins(mut self, origins: OriginPolicy) -> Self {
        self.shared = Arc::new(Shared {
            method: Arc::clone(&self.shared.method),
            anonymous: self.shared.anonymous,
            origins,
        });
        self
    }
}

impl<S, A> Layer<S> for AuthenticateLayer<A> {
    type Service = Authenticate<S, A>;

    fn layer(&self, inner: S) -> Self::Service {
        Authenticate {
            inner,
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<A> Clone for AuthenticateLayer<A> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<A> fmt::Debug for AuthenticateLayer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticateLayer")
            .field("anonymous", &self.shared.anonymous)
            .field("origins", &self.shared.origins)
            .finish_non_exhaustive()
    }
}
