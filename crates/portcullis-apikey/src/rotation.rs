//! How a key is rotated.

use std::time::Duration;

use portcullis_core::ConfigError;

use crate::Expiry;

/// How a key is rotated: for how long the old secret is still accepted beside the new one, and whether the key gets another
/// expiry. [`Rotation::default`]: 24 hours, and the expiry stays.
///
/// ```
/// use std::time::Duration;
/// use portcullis_apikey::{Expiry, Rotation};
///
/// let leaked = Rotation::default().overlap(Duration::ZERO)?;
/// let renewed = Rotation::default().expiry(Expiry::in_days(90));
/// assert!(Rotation::default().overlap(Duration::from_secs(8 * 86_400)).is_err());
/// # let _ = (leaked, renewed);
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Rotation {
    pub(crate) overlap: Duration,
    pub(crate) expiry: Option<Expiry>,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Rotation {
    /// The longest overlap: seven days.
    pub const MAX_OVERLAP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// Accepts the old secret for so long. With zero it is dead at once, which is right for a key that leaked.
    ///
    /// # Errors
    ///
    /// When it is longer than [`MAX_OVERLAP`](Self::MAX_OVERLAP).
    pub fn overlap(mut self, overlap: Duration) -> Result<Self, ConfigError> {
        if overlap > Self::MAX_OVERLAP {
            return Err(ConfigError::new(
                "a rotated API key's old secret ends within seven days",
            ));
        }
        self.overlap = overlap;
        Ok(self)
    }

    /// Gives the key another expiry, counted from now and bounded as for a new one.
    pub const fn expiry(mut self, expiry: Expiry) -> Self {
        self.expiry = Some(expiry);
        self
    }
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            overlap: DAY,
            expiry: None,
        }
    }
}
