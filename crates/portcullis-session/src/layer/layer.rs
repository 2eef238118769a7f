use std::fmt;
use std::sync::Arc;

use http::HeaderName;
use portcullis_core::ConfigError;
use tower_layer::Layer;

use super::service::WithSession;
use crate::sessions::Sessions;

/// Hands sessions to handlers. See the [module docs](crate::layer).
#[derive(Clone)]
#[must_use]
pub struct SessionLayer {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) sessions: Sessions,
    pub(super) token_header: Option<HeaderName>,
}

impl SessionLayer {
    pub(crate) fn new(sessions: Sessions) -> Self {
        let shared = Shared {
            sessions,
            token_header: None,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Lets a request of an old browser, which does not say where it comes from, pass with the session's
    /// [token](crate::Session::csrf_token) in this field, such as `x-csrf-token`. It is looked at there and nowhere else: no
    /// token makes up for `cross-site`.
    ///
    /// # Errors
    ///
    /// When `name` is no header field's name.
    pub fn csrf_token_header(self, name: &str) -> Result<Self, ConfigError> {
        let name = HeaderName::try_from(name)
            .map_err(|error| ConfigError::new("a token stands in a header field").with_source(error))?;
        let shared = Shared {
            sessions: self.shared.sessions.clone(),
            token_header: Some(name),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = WithSession<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithSession {
            inner,
            shared: Arc::clone(&self.shared),
        }
    }
}

impl fmt::Debug for SessionLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer")
            .field("sessions", &self.shared.sessions)
            .field("token_header", &self.shared.token_header)
            .finish()
    }
}
