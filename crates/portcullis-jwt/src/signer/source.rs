//! Where the keys that sign come from.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::AuthError;

use super::KeyRing;

/// A source of the keys that sign.
///
/// [`MemorySigningKeys`](crate::MemorySigningKeys) for one process; `SharedSigningKeys` of
/// `portcullis-jwks` for several that must publish one set; [`FixedSigningKeys`](crate::FixedSigningKeys) for keys that
/// somebody else exchanges.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no source of signing keys",
    note = "use `MemorySigningKeys` for one process, `SharedSigningKeys` for several, or `FixedSigningKeys`"
)]
pub trait SigningKeys: fmt::Debug + Send + Sync + 'static {
    /// The ring as it stands now: its signing key may sign and its published keys are to be published.
    /// Never waits; may start work in the background. The same `Arc` as before means the same ring.
    ///
    /// # Errors
    ///
    /// When nobody can say which keys are published: then nothing may be signed.
    fn current(&self) -> Result<Arc<KeyRing>, SigningKeysUnavailable>;
}

impl<K: SigningKeys + ?Sized> SigningKeys for Arc<K> {
    fn current(&self) -> Result<Arc<KeyRing>, SigningKeysUnavailable> {
        (**self).current()
    }
}

/// The keys that sign cannot be had: nothing can be signed or published, and the answer is 503.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SigningKeysUnavailable {
    retry_after: Option<Duration>,
}

impl SigningKeysUnavailable {
    /// Keys that cannot be had; worth another try after `retry_after`, if anyone knows.
    #[must_use]
    pub const fn new(retry_after: Option<Duration>) -> Self {
        Self { retry_after }
    }

    /// When it is worth trying again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for SigningKeysUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signing keys are not available")
    }
}

impl std::error::Error for SigningKeysUnavailable {}

impl From<SigningKeysUnavailable> for AuthError {
    fn from(unavailable: SigningKeysUnavailable) -> Self {
        let refusal = Self::unavailable("signing_keys_unavailable").with_source(unavailable);
        match unavailable.retry_after {
            Some(wait) => refusal.with_retry_after(wait),
            None => refusal,
        }
    }
}
