#![doc = include_str!("../README.md")]

mod buckets;
mod builder;
#[cfg(feature = "cluster")]
mod cluster;
mod fault;
mod link;
mod listen;
mod log;
mod position;
mod records;
mod rows;
mod store;
mod verb;
mod wake;

pub use self::builder::RedisStoreBuilder;
pub use self::store::RedisStore;
