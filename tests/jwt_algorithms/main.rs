//! Which signatures count, and under which keys: algorithms, headers, signatures, key selection.

// Tests are meant to panic.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod confusion;
mod every_algorithm;
mod headers;
mod issuers;
mod rfc7515;
mod rfc7520;
mod rfc8037;
mod selection;
mod signatures;
#[path = "../jwt_support/mod.rs"]
mod support;
