//! Issuing: keys that are loaded, keys that take turns, tokens that our own verifier accepts.

// Helpers of tests panic as tests do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod documents;
mod fixed;
mod instances;
mod keys;
mod local;
mod memory;
mod property;
mod ring;
mod rotation;
mod support;
mod tokens;
