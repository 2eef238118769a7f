#![doc = include_str!("../docs/testing.md")]

/// The README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[derive(Debug)]
#[non_exhaustive]
pub struct Readme;
