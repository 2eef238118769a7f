//! The real binary, over real sockets.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // A test that cannot go on says why.

mod command_line;
mod routes;
#[cfg(unix)]
mod servers;
#[cfg(unix)]
mod silence;
mod support;
mod transcript;
#[cfg(unix)]
mod two_instances;
