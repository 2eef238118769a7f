//! Mistakes that a builder finds before anything runs.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::AuthError;

/// A mistake in configuration, found by a builder before anything runs.
///
/// A running service hardly produces one. The message names the cure and never holds a secret.
#[derive(Clone, Debug)]
pub struct ConfigError {
    message: Cow<'static, str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ConfigError {
    /// A mistake described by one lower-case sentence without full stop.
    #[must_use]
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A mistake that comes to light with a request, such as a scope in a database that is none, is a fault of the
/// application: 500, and the log has the message.
impl From<ConfigError> for AuthError {
    fn from(mistake: ConfigError) -> Self {
        Self::misconfigured("configuration").with_source(mistake)
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_ref()?;
        Some(&**source)
    }
}
