//! Cedar policies as policies of portcullis, through the public surface.

#![allow(clippy::expect_used)] // The helpers of tests fail as tests do.

mod context;
mod decisions;
mod entities;
mod matrix;
mod reload;
mod startup;
mod support;
