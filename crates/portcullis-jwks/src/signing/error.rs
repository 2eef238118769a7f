//! Why a ring could not be kept, or shared.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use portcullis_core::ConfigError;
use portcullis_jwt::{KeyError, KeyRingError};

/// A store did not answer, or refuses to.
///
/// The message names the place and never holds what is kept there.
#[derive(Clone, Debug)]
pub struct RingStoreError {
    message: Cow<'static, str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl RingStoreError {
    /// A failure described by one lower-case sentence without full stop.
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

impl fmt::Display for RingStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for RingStoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_ref()?;
        Some(&**source)
    }
}

/// Why shared keys could not be had, or changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SharedKeysError {
    /// The configuration makes no sense.
    Config(ConfigError),
    /// The store did not answer.
    Store(RingStoreError),
    /// What the store keeps is no ring that can be used, or the ring refuses the change.
    Ring(KeyRingError),
    /// No new key could be generated.
    Generate(KeyError),
    /// Others were faster, again and again.
    Contended,
    /// The round took too long, or its runtime ended.
    Aborted,
}

impl SharedKeysError {
    /// A name for logs and metrics. Stable.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Config(_) => "config",
            Self::Store(_) => "store",
            Self::Ring(_) => "ring",
            Self::Generate(_) => "generate",
            Self::Contended => "contended",
            Self::Aborted => "aborted",
        }
    }
}

impl fmt::Display for SharedKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Config(_) => "the configuration makes no sense",
            Self::Store(_) => "the store of the ring did not answer",
            Self::Ring(_) => "the ring cannot be used",
            Self::Generate(_) => "no new key could be generated",
            Self::Contended => "other instances changed the ring again and again",
            Self::Aborted => "the round was given up",
        })
    }
}

impl Error for SharedKeysError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::Ring(error) => Some(error),
            Self::Generate(error) => Some(error),
            Self::Contended | Self::Aborted => None,
        }
    }
}

impl From<ConfigError> for SharedKeysError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<RingStoreError> for SharedKeysError {
    fn from(error: RingStoreError) -> Self {
        Self::Store(error)
    }
}

impl From<KeyRingError> for SharedKeysError {
    fn from(error: KeyRingError) -> Self {
        Self::Ring(error)
    }
}

impl From<KeyError> for SharedKeysError {
    fn from(error: KeyError) -> Self {
        Self::Generate(error)
    }
}
