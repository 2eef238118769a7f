//! The method, through the router that it guards.

#![allow(clippy::expect_used)] // A test that cannot go on says why.

mod credentials;
mod limits;
mod origins;
mod support;
