//! What the tests of the family as a whole share: a parsed picture of the workspace, and the rules
//! about it as pure functions, so that each rule can be shown to refuse what it must.
//!
//! A rule takes a picture and returns the violations, one sentence each. It never reads the disk.

pub mod asvs;
pub mod floors;
pub mod graph;
pub mod prose;
pub mod scrub;
pub mod sources;
pub mod threats;
