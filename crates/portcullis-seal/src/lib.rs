#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! | to | look at |
//! |---|---|
//! | seal and open | [`SealingRing::seal`], [`SealingRing::open`] |
//! | say what a value is for and bound to | [`Purpose`], [`Context`], [`Sealed`] |
//! | load a key | [`SealingKey`] |
//! | exchange keys | [`SealingRing`], [`SealingRingBuilder`], [`KeyRole`] |
//! | store a secret's digest instead of it | [`SecretDigest`], [`Peppers`] |
//! | test | [`Randomness`], and [`Clock`](portcullis_core::Clock) |

mod cipher;
mod digest;
mod envelope;
mod error;
mod key;
mod key_ring;
mod mac;
mod material;
mod pepper;
mod randomness;
mod sealed;
#[cfg(test)]
mod testing;

pub use self::digest::{MalformedDigest, SecretDigest};
pub use self::error::{CannotSeal, SealError};
pub use self::key::{KeyId, SealingKey};
pub use self::key_ring::{KeyRole, Opened, SealingRing, SealingRingBuilder};
pub use self::pepper::{Pepper, Peppers, PeppersBuilder};
pub use self::randomness::{NoRandomness, Randomness, SystemRandomness};
pub use self::sealed::{Context, Purpose, Sealed};
