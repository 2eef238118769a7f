//! Randomness as a parameter.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand;

/// Where unpredictable bytes come from.
///
/// [`SystemRandomness`] everywhere but in tests.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no source of randomness",
    note = "use `SystemRandomness`; implement `Randomness` in tests only"
)]
pub trait Randomness: fmt::Debug + Send + Sync + 'static {
    /// Fills the whole buffer.
    ///
    /// # Errors
    ///
    /// When there is no randomness. What is in the buffer then is not used.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoRandomness>;
}

impl<R: Randomness + ?Sized> Randomness for Arc<R> {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        (**self).fill(buffer)
    }
}

/// The generator of aws-lc, which the operating system seeds.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemRandomness;

impl SystemRandomness {
    /// The generator.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Randomness for SystemRandomness {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        rand::fill(buffer).map_err(|_| NoRandomness)
    }
}

/// There is no randomness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoRandomness;

impl NoRandomness {
    /// For sources of one's own.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no randomness")
    }
}

impl std::error::Error for NoRandomness {}
