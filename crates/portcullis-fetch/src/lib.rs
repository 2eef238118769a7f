//! Outbound HTTP, bounded.
//!
//! Everything in portcullis that asks an identity provider for something does so through one small
//! trait, [`Fetch`], and through one function, [`fetch_within`], which keeps the bounds whoever
//! implements the trait.
//!
//! | to | look at |
//! |---|---|
//! | send a request | [`fetch_within`] |
//! | say what is acceptable | [`Limits`] |
//! | say where requests may go | [`Destinations`] |
//! | use the client that ships | `ReqwestFetch`, feature `reqwest` |
//! | use a client of one's own | [`Fetch`], and feature `contract` to test it |
//!
//! # Decision rules
//!
//! [`fetch_within`] applies them in this order:
//!
//! 1. The URL is normalised by the rules of the WHATWG URL standard, has neither user information nor a
//!    fragment, and passes [`Destinations::check`]. What was checked is what is sent.
//! 2. `Cookie`, `Referer` and `Accept-Encoding` are taken off; `Accept` says what [`Limits`] accept.
//! 3. The whole exchange ends within [`Limits::total_timeout`].
//! 4. A redirect is refused, not followed (304 is none).
//! 5. A body over [`Limits::max_body`], or one with a content coding, is refused.
//! 6. A body of another media type is refused; beside a status that is no success it is emptied.
//!
//! # What this trusts
//!
//! That the [`Fetch`] follows no redirects, stops reading at the cap, and connects only to addresses that
//! [`Trust::permits`]: nobody else can see these. `ReqwestFetch` does.
//!
//! # What this does not check
//!
//! The certificate of the server (the client does), the status beyond redirects, and what the body says.
//!
//! # Features
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `reqwest` | `ReqwestFetch` | no |
//! | `contract` | the module `contract` | no |

mod address;
#[cfg(feature = "contract")]
pub mod contract;
mod error;
mod fetch;
mod limits;
mod policy;
#[cfg(feature = "reqwest")]
mod reqwest;

pub use self::error::{FetchError, FetchErrorKind};
pub use self::fetch::{Fetch, fetch_within};
pub use self::limits::Limits;
pub use self::policy::{Destinations, Trust};
#[cfg(feature = "reqwest")]
pub use self::reqwest::{ReqwestFetch, ReqwestFetchBuilder};
