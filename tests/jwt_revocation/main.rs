//! Tokens that were taken back before they expired: which, from when, and what is said while nobody knows.

// Tests are meant to panic.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod connections;
#[path = "../jwt_support/doubles.rs"]
mod doubles;
mod feed;
mod memory;
#[path = "../jwt_support/mod.rs"]
mod support;
mod verdicts;
