//! What a signed token may say: claims, times, kinds of token, scopes, roles, clients.

// Tests are meant to panic.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod audience;
mod authorization;
mod clients;
mod confirmation;
mod identity;
mod issuer;
mod json;
mod kinds;
mod limits;
mod presets;
mod reference;
mod required;
mod silence;
mod strict_profile;
#[path = "../jwt_support/mod.rs"]
mod support;
mod texts;
mod times;
mod typed;
