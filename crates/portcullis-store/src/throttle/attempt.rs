use std::fmt;

use portcullis_core::AuthError;

use super::SignInThrottle;
use crate::RecordKey;

/// An attempt to sign in that was let through, and is counted as a failure.
///
/// Dropped, it stays one. `Debug` shows neither address nor account.
#[must_use = "an attempt that is not told of its success is a failure"]
pub struct Attempt {
    throttle: SignInThrottle,
    pair: RecordKey,
    whole: RecordKey,
}

impl Attempt {
    pub(super) const fn new(throttle: SignInThrottle, pair: RecordKey, whole: RecordKey) -> Self {
        Self {
            throttle,
            pair,
            whole,
        }
    }

    /// The password was right: ends this account's rows of failures, at this source and altogether, and makes the
    /// source familiar. What is counted of the source itself stays, and so does what other accounts have.
    ///
    /// Call it when nothing more can be guessed: with a second factor, after that.
    ///
    /// # Errors
    ///
    /// Unavailable when the store does not answer, is full, or the counts change too often meanwhile. The failures
    /// may stay counted then; to sign the user in all the same is safe.
    pub async fn succeeded(self) -> Result<(), AuthError> {
        self.throttle.reset_pair(&self.pair).await?;
        self.throttle.forget(&self.whole).await
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").finish_non_exhaustive()
    }
}
