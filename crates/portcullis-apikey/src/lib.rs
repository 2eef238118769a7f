#![doc = include_str!("../README.md")]

mod builder;
mod cache;
mod check;
mod checksum;
mod error;
mod expiry;
mod find;
mod fixed;
mod foreign;
mod forget;
mod format;
mod id;
mod key;
mod keys;
mod known;
mod last_used;
mod network;
mod owner;
mod place;
#[cfg(feature = "rate-limit")]
mod rate_limit;
mod record;
mod rotation;
#[cfg(feature = "github-scanning")]
mod scanning;
mod seeded;
mod service;
mod show_once;
mod stored;
mod validity;
mod verify;

pub use self::builder::ApiKeysBuilder;
pub use self::check::ApiKeyCheck;
pub use self::error::KeysError;
pub use self::expiry::Expiry;
pub use self::find::{FindApiKey, FindError};
pub use self::fixed::FixedKey;
pub use self::foreign::ForeignKeys;
pub use self::format::{ApiKeyFormat, ParseKeyError, ParsedKey};
pub use self::id::{API_KEYS, FOREIGN_API_KEYS, KeyId};
pub use self::key::ApiKey;
pub use self::keys::ApiKeys;
pub use self::last_used::{Flushed, LastUsed};
pub use self::network::{Network, Networks, PeerAddress};
pub use self::owner::OwnerNow;
#[cfg(feature = "rate-limit")]
pub use self::rate_limit::RateLimit;
pub use self::record::owner_of;
pub use self::rotation::Rotation;
#[cfg(feature = "github-scanning")]
pub use self::scanning::{Feedback, GithubScanning};
pub use self::service::{ApiKeyService, ApiKeyServiceBuilder, ForeignKey, IssuedKey, Leak, NewKey};
pub use self::show_once::ShowOnce;
pub use self::stored::StoredKey;
