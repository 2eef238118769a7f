//! What is measured, by name: requests in process to a bare router, to the same router behind
//! portcullis, and to the crates it is compared with.
//!
//! The programs in `bins` and `benches` measure; `tests/bench/run` calls them all.

mod bare;
mod catalogue;
mod claims;
mod deciding;
mod fixture;
mod ours;
#[cfg(feature = "peers")]
mod peers;
pub mod servers;
mod sha256;
mod signature;
mod stored;
mod subject;

pub use self::catalogue::{ALGORITHMS, Case, cases, subject};
pub use self::claims::{Borrowed, Owned};
pub use self::fixture::{AUDIENCE, Fixture, ISSUER, KID};
#[cfg(feature = "peers")]
use self::stored::{KEY_FIELD, SAMPLE_KEY, USER_ID, USER_NAME};
pub use self::subject::{InProcess, Subject};
