//! Signing keys that several instances share.

mod error;
mod file;
mod round;
mod shared;
mod store;

pub use self::error::{RingStoreError, SharedKeysError};
pub use self::file::FileRingStore;
pub use self::shared::{SharedSigningKeys, SharedSigningKeysBuilder};
pub use self::store::{Replaced, RingStore, RingVersion, StoredRing};
