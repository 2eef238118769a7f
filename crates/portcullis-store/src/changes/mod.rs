//! What was changed on other instances.
//!
//! Instances that share a store learn of each other's changes from a numbered log that the store keeps: a stream,
//! a table. Whatever wakes the reader (publish/subscribe, `NOTIFY`) may be lost; what is in the log is not.
//!
//! # Decision rules
//!
//! 1. A change and its entry in the log are one step of the store.
//! 2. The [`Follower`] reads on from where it was, also after an outage, and misses nothing. Where the log does not
//!    reach back so far, or is another log, everything counts as changed.
//! 3. A listener is told what changed, and then as of when it is up to date. One that was not told for longer than it
//!    allows is out of date: a [`CachingStore`](crate::CachingStore) asks its store again, and
//!    [`StoredRevocations`](crate::StoredRevocations) cannot decide (503).
//! 4. Nobody waits for the log on the way of a request.

mod follower;
mod log;

pub use self::follower::{ChangeListener, Follower};
pub use self::log::{Change, ChangeLog, LogBatch, LogPosition};
