use std::fmt;
use std::sync::{Arc, OnceLock};

use http::HeaderValue;
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
    pub(super) mode: Mode,
    pub(super) origins: OriginPolicy,
    /// What `Vary` says of ambient credentials where nobody said anything, once it was needed.
    pub(super) ambient_vary: OnceLock<Option<HeaderValue>>,
}

/// When is decided, and what becomes of a request without credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// At once; refused.
    Required,
    /// At once; let through.
    Optional,
    /// When somebody asks; let through.
    OnDemand,
}

impl<A: AuthenticateRequest> AuthenticateLayer<A> {
    /// Refuses requests without credentials.
    pub fn required(method: A) -> Self {
        Self::with(method, Mode::Required)
    }

    /// Lets requests without credentials through, as anonymous. Bad credentials are refused all the
    /// same.
    pub fn optional(method: A) -> Self {
        Self::with(method, Mode::Optional)
    }

    /// Lets every request through and decides when the first extractor, layer or policy behind asks: once per
    /// request, about the request as it was here. Places that nobody guards are served whatever was sent and
    /// whatever is down; the others answer as with [`optional`](Self::optional).
    ///
    /// For ambient credentials: a stale cookie, or a session store that does not answer, takes neither the
    /// public pages away nor the sign-in page. The head of a request with credentials is copied.
    pub fn on_demand(method: A) -> Self {
        Self::with(method, Mode::OnDemand)
    }

    fn with(method: A, mode: Mode) -> Self {
        let shared = Shared {
            method: Arc::new(method),
            mode,
            origins: OriginPolicy::new(),
            ambient_vary: OnceLock::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Says which origins this service's own pages come from; asked for ambient credentials only.
    pub fn origins(mut self, origins: OriginPolicy) -> Self {
        self.shared = Arc::new(Shared {
            method: Arc::clone(&self.shared.method),
            mode: self.shared.mode,
            origins,
            ambient_vary: OnceLock::new(),
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
            .field("mode", &self.shared.mode)
            .field("origins", &self.shared.origins)
            .finish_non_exhaustive()
    }
}
