//! The real binary, over real sockets.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // A test that cannot go on says why.

mod command_line;
mod routes;
mod support;
mod transcript;
