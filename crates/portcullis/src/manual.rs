//! The manual: a page for each task. Every example on it is compiled and run.

/// Where the layers stand among others, what they cost there, 401 or 404.
#[doc = include_str!("manual/placing.md")]
pub mod placing {}
