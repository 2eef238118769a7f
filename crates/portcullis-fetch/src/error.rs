//! Why an exchange failed.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FetchErrorKind {
    /// The request was not sent: its URL leads somewhere it must not.
    RefusedDestination,
    /// No connection: name resolution, TCP or TLS.
    Connect,
    /// It took too long.
    Timeout,
    /// The body is larger than allowed.
    TooLarge,
    /// The body is of another media type, or has a content coding.
    MediaType,
    /// The server answered with a redirect.
    Redirect,
    /// Anything else: the request could not be built, the connection broke, the answer is not HTTP.
    Other,
}

impl FetchErrorKind {
    /// A name for logs and metrics. Stable.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RefusedDestination => "refused_destination",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::MediaType => "media_type",
            Self::Redirect => "redirect",
            Self::Other => "other",
        }
    }
}

/// A failed exchange. Cheap to clone; never holds a header, a body or the query of a URL.
///
/// ```
/// use portcullis_fetch::{FetchError, FetchErrorKind};
///
/// let error = FetchError::new(FetchErrorKind::Connect, "the connection was refused");
/// assert_eq!(error.kind(), FetchErrorKind::Connect);
/// assert_eq!(error.to_string(), "the connection was refused");
/// ```
#[derive(Clone, Debug)]
pub struct FetchError {
    kind: FetchErrorKind,
    message: &'static str,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl FetchError {
    /// A failure described by one lower-case sentence without full stop.
    #[must_use]
    pub const fn new(kind: FetchErrorKind, message: &'static str) -> Self {
        Self {
            kind,
            message,
            source: None,
        }
    }

    /// Adds the cause, for logs. It must not show credentials: mind errors that print whole URLs.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of failure it was.
    #[must_use]
    pub const fn kind(&self) -> FetchErrorKind {
        self.kind
    }

    pub(crate) const fn refused(message: &'static str) -> Self {
        Self::new(FetchErrorKind::RefusedDestination, message)
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_ref()?;
        Some(&**source)
    }
}
