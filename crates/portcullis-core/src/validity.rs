//! Whether evidence still holds, asked again: for connections that outlive the request.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use crate::AuthError;

/// Evidence that can be asked again whether it still holds.
///
/// A request is decided once. A WebSocket or a stream of events lives on, and meanwhile a token expires or is
/// revoked. Methods attach this to an [`Authentication`](crate::Authentication) with
/// [`with_validity`](crate::Authentication::with_validity); `until_invalid` of `portcullis-tower` waits on it.
pub trait Validity: Send + Sync + 'static {
    /// Whether the evidence still holds now.
    ///
    /// # Errors
    ///
    /// Why it does not, or that this cannot be decided.
    fn check(&self) -> Result<(), Invalid>;

    /// How long until time alone ends it; `None` when it has no end.
    fn remaining(&self) -> Option<Duration>;

    /// Asks whoever decides, where that takes time: a store. What [`check`](Self::check) says, by default.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    fn ask(&self) -> Pin<Box<dyn Future<Output = Result<(), Invalid>> + Send + '_>> {
        Box::pin(std::future::ready(self.check()))
    }

    /// How often to [ask](Self::ask), whatever is announced; once a minute unless overridden.
    fn ask_every(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Resolves when something happened, after this call, that may have ended the evidence early. Never
    /// resolves where nothing can; resolving once too often does no harm.
    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

/// Why evidence no longer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Invalid {
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
    /// The key it was signed with is no longer published.
    KeyWithdrawn,
    /// It cannot be decided any more: what would know of a revocation does not answer.
    Unavailable,
}

impl Invalid {
    /// A name for logs and metrics. Stable.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::KeyWithdrawn => "key_withdrawn",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "the evidence has expired",
            Self::Revoked => "the evidence was revoked",
            Self::KeyWithdrawn => "the key behind the evidence was withdrawn",
            Self::Unavailable => "whether the evidence holds cannot be decided",
        })
    }
}

impl std::error::Error for Invalid {}

/// The refusal of whoever goes on without evidence that holds: 401, or 503 where it cannot be decided.
impl From<Invalid> for AuthError {
    fn from(why: Invalid) -> Self {
        match why {
            Invalid::Unavailable => Self::unavailable(why.as_str()),
            _ => Self::invalid_credentials(why.as_str()),
        }
    }
}
