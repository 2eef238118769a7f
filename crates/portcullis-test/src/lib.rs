//! The test kit of portcullis, for its own tests and for those of the applications that use it.
//!
//! A development dependency, used from `tests/` folders: never from unit tests of a crate it depends
//! on, which would see two copies of their own types. What it makes is broken on purpose or signed
//! with keys that everybody knows; nothing here belongs into a running service.

// Assertions panic by design, and so does a test kit that is told something impossible.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod algorithm;
mod assertions;
mod clock;
mod der;
pub mod fixed;
mod http_issuer;
mod issuer;
mod signing_key;
mod token;

pub use self::assertions::{
    AssertChallenge, Refusal, assert_challenge, assert_no_challenge, assert_no_store, assert_private,
    assert_problem, assert_refused, assert_status, assert_vary, challenges,
};
pub use self::clock::ManualClock;
pub use self::http_issuer::{HttpIssuer, Mode};
pub use self::issuer::TestIssuer;
pub use self::signing_key::SigningKey;
pub use self::token::{Segment, TokenBuilder};
