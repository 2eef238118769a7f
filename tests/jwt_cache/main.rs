//! Tokens that were verified before: what a hit still checks, whose it is, and when it ends.
//!
//! Whether a token was verified or remembered shows in one thing only: remembered claims are the very same
//! (`Arc::ptr_eq`). Every test rests on that pair, so none passes when there is no cache.

// Tests are meant to panic.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod capacity;
mod differential;
#[path = "../jwt_support/doubles.rs"]
mod doubles;
mod hits;
mod keys;
mod others;
mod paths;
mod races;
#[path = "../jwt_support/mod.rs"]
mod support;
mod times;
