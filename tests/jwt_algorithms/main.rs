//! Which signatures count, and under which keys: algorithms, headers, signatures, key selection.

// Tests are meant to panic.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod confusion;
#[path = "../jwt_support/doubles.rs"]
mod doubles;
mod every_algorithm;
mod headers;
mod issuers;
mod remembered;
mod rfc7515;
mod rfc7520;
mod rfc8037;
mod selection;
mod signatures;
#[path = "../jwt_support/mod.rs"]
mod support;
