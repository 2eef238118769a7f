#![doc = include_str!("../README.md")]

mod action;
mod builder;
mod context;
mod depth;
mod entity;
mod error;
mod file;
mod policies;
mod request;
mod schema;
mod set;
mod undecidable;
mod value;

pub use self::action::{CedarAction, OnEntity};
pub use self::builder::{CedarBuilder, MOST_BYTES};
pub use self::context::CALLER_SCHEMA;
pub use self::entity::{CedarEntity, EntityRef};
pub use self::error::{CedarError, CedarErrorKind};
pub use self::file::{CedarFile, FileCheck};
pub use self::policies::CedarPolicies;
pub use self::value::{Record, Value};
