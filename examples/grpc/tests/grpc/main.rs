//! The server over real HTTP/2: its codes, its streams, and what other clients see.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)] // A test that cannot go on says why.

mod calls;
mod codes;
mod grpcio;
mod health;
mod process;
mod streams;
mod support;
mod transcript;
