//! One of the files in `compile_fail/`: `tests/compile_fail.rs` says which. Nothing otherwise.

#![allow(unexpected_cfgs)] // Only `compile_fail.rs` sets it.

#[cfg(not(mistake))]
fn main() {}

#[cfg(mistake)]
include!(concat!("compile_fail/", env!("PORTCULLIS_MISTAKE")));
