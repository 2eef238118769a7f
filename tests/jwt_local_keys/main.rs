//! Keys from the application's own configuration: files, secrets, and what does not pass for one.

// Tests are meant to panic.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod files;
mod secrets;
mod sets;
#[path = "../jwt_support/mod.rs"]
mod support;
