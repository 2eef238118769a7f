//! Where a ring is kept.

use std::fmt;

use async_trait::async_trait;
use portcullis_core::Secret;

use super::RingStoreError;

/// Keeps one ring for all instances of an issuer: one value, replaced only by whoever has seen the last one.
///
/// The value holds private keys in the clear. Whoever can read the store can issue tokens in this issuer's
/// name, and whoever can write it decides which keys are published: guard it as you would a private key,
/// or [encrypt](Self) what is handed to you before you write it.
///
/// [`FileRingStore`](crate::FileRingStore) for instances that have a volume in common. For a store of your
/// own, the feature `contract` has the rules as a test.
///
/// # What an implementation has to hold
///
/// 1. [`replace`](Self::replace) compares and swaps in one step. Of any number of writers that expect the
///    same version, exactly one is [done](Replaced::Done).
/// 2. [`load`](Self::load) returns the whole of what the last writer wrote, or an error: never a part, never
///    an older value than one it returned before.
/// 3. A version is never used again. A store that was emptied may count anew: a ring is known by its bytes
///    too.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no ring of signing keys",
    note = "use `FileRingStore`, or implement `RingStore` with a compare-and-swap"
)]
pub trait RingStore: fmt::Debug + Send + Sync + 'static {
    /// The ring as it is kept, `None` when there has never been one.
    ///
    /// # Errors
    ///
    /// When it cannot be read. Never `Ok(None)` then: that would make a new issuer of this one. Whoever knew
    /// of a ring takes `Ok(None)` for a failure.
    async fn load(&self) -> Result<Option<StoredRing>, RingStoreError>;

    /// Writes `bytes` if the version kept is `expected`, where `None` stands for "there has never been one".
    ///
    /// # Errors
    ///
    /// When nobody knows whether it was written. The caller looks again.
    async fn replace(
        &self,
        expected: Option<RingVersion>,
        bytes: Secret<Vec<u8>>,
    ) -> Result<Replaced, RingStoreError>;
}

/// The version of a kept ring. Only the store gives it a meaning, except that a later one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RingVersion(u64);

impl RingVersion {
    /// The version of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// A ring as it is kept.
#[derive(Clone, Debug)]
pub struct StoredRing {
    version: RingVersion,
    bytes: Secret<Vec<u8>>,
}

impl StoredRing {
    /// What was found under `version`.
    #[must_use]
    pub const fn new(version: RingVersion, bytes: Secret<Vec<u8>>) -> Self {
        Self { version, bytes }
    }

    /// Its version.
    #[must_use]
    pub const fn version(&self) -> RingVersion {
        self.version
    }

    /// What [`KeyRing::to_secret_bytes`](portcullis_jwt::KeyRing::to_secret_bytes) wrote.
    #[must_use]
    pub const fn bytes(&self) -> &Secret<Vec<u8>> {
        &self.bytes
    }
}

/// What became of an attempt to replace a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // A compare-and-swap has no third answer.
pub enum Replaced {
    /// It is kept, under this version.
    Done(RingVersion),
    /// Somebody else was faster, or the expected version was not the last one. Nothing was changed.
    Conflict,
}
