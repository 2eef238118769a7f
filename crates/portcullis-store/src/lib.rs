#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! | to | look at |
//! |---|---|
//! | keep, load, change and take records | [`RecordStore`] |
//! | say what is kept, whose it is, and for how long | [`NewRecord`], [`RecordKey`], [`Owner`], [`Lifetime`] |
//! | keep records in this process | [`MemoryStore`] |
//! | ask a store that is far away less often | [`CachingStore`] |
//! | accept something once | [`ReplayGuard`] |
//! | slow down guessing at sign-in | [`SignInThrottle`] |
//! | take tokens back on every instance | [`StoredRevocations`] |
//! | learn what other instances changed | [`changes`] |
//! | test a store of one's own | `contract`, feature `contract` |
//!
//! # Decision rules
//!
//! 1. A record is found until its expiry and by nobody from then on, swept or not.
//! 2. Only [`create`](RecordStore::create) makes a live record. A late save or touch of one that was deleted
//!    finds nothing.
//! 3. Of many that [`take`](RecordStore::take) one record, one gets it.
//! 4. A change names the [version](Version) that it was made from. Of two from one version, one is refused.
//! 5. [Touching](RecordStore::touch) extends, up to a limit that the record was born with.
//! 6. What was [revoked](RecordStore::revoke_before) cannot be created afterwards with a date from before.
//!
//! What is refused is a [`StoreError`]; its [kind](StoreErrorKind) keeps absence, conflict and outage apart.
//!
//! # What this trusts
//!
//! The clock of the store. Whoever can read a store reads keys, owners and payloads: secrets are hashed or sealed
//! before they come here. Whoever can write it is whoever he likes.
//!
//! # What this does not check
//!
//! What a payload says, and who asks: a store has no callers, only code.
//!
//! # Features
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `contract` | the module `contract`, with tokio | no |

mod caching;
pub mod changes;
#[cfg(feature = "contract")]
pub mod contract;
mod error;
mod key;
mod lifetime;
mod memory;
mod record;
mod replay;
mod revocations;
mod store;
mod throttle;

pub use self::caching::CachingStore;
pub use self::error::{StoreError, StoreErrorKind};
pub use self::key::{Kind, Owner, RecordKey};
pub use self::lifetime::{Lifetime, REMEMBERED};
pub use self::memory::{MemoryStore, MemoryStoreBuilder};
pub use self::record::{NewRecord, Payload, Record, Replacement, Version};
pub use self::replay::{ReplayGuard, Use};
pub use self::revocations::StoredRevocations;
pub use self::store::RecordStore;
pub use self::throttle::{Attempt, SignInThrottle, SignInThrottleBuilder};
