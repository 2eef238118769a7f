//! Issuing tokens: keys that sign, keys that take turns, and the tokens themselves.
//!
//! | to | look at |
//! |---|---|
//! | sign access tokens and tokens of one's own | [`JwtSigner`] |
//! | have a key | [`SigningKey`] |
//! | have keys that take turns, in one process | [`MemorySigningKeys`] |
//! | have a key that somebody else exchanges | [`FixedSigningKeys`] |
//! | verify one's own tokens without HTTP | [`LocalKeySet`] |
//! | know who signs now and what is published | [`KeyRing`], [`RotationSchedule`] |
//! | keep the ring elsewhere | [`SigningKeys`], or `SharedSigningKeys` of `portcullis-jwks` |

mod error;
mod fixed;
mod key;
mod local;
mod memory;
mod request;
mod ring;
mod schedule;
mod source;
mod steady;
mod token;

pub use self::error::{ClaimFault, SignError};
pub use self::fixed::FixedSigningKeys;
pub use self::key::SigningKey;
pub use self::local::LocalKeySet;
pub use self::memory::{MemorySigningKeys, MemorySigningKeysBuilder};
pub use self::request::TokenRequest;
pub use self::ring::{JwkSet, KeyRing, KeyRingError, RingKey};
pub use self::schedule::RotationSchedule;
pub use self::source::{SigningKeys, SigningKeysUnavailable};
pub use self::steady::SteadyTime;
pub use self::token::{JwtSigner, JwtSignerBuilder, SignedToken};
