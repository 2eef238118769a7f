//! What both databases need.

mod fault;
mod rows;
mod wake;

#[cfg(feature = "sqlite")]
pub(crate) use self::fault::primary;
pub(crate) use self::fault::{Database, Fault, Place};
pub(crate) use self::rows::{Columns, Retouch, change, key, millis, number, record, stored, time};
pub(crate) use self::wake::Wake;
