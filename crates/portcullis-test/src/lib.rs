//! The test kit of portcullis, for its own tests and for those of the applications that use it.
//!
//! | to | take |
//! |---|---|
//! | decide what time it is | [`ManualClock`] |
//! | sign | [`SigningKey`], any algorithm of RFC 7518 and Ed25519 |
//! | have keys that a verifier must refuse | [`fixed::refused_jwks`] |
//! | be the issuer, in memory | [`TestIssuer`] |
//! | be the issuer, over HTTP and with faults | [`HttpIssuer`] in one of its [`Mode`]s |
//! | answer what portcullis fetches, without sockets | [`ScriptedFetch`] |
//! | send a token that breaks exactly one thing | [`TokenBuilder`] |
//! | send a request that is signed in as somebody | [`TestRequest::signed_in_as`], [`caller`], [`authenticated`] |
//! | test an application without its method | [`Impersonation`] |
//! | notice that a route demands something else than it did | [`assert_inventory`] |
//! | read an answer | [`assert_status`], [`assert_challenge`], [`Refusal`] and their neighbours |
//!
//! [The guide](guide) shows them at work, from a handler alone to an application whose issuer is down.
//!
//! Each check of an application deserves a pair: the valid request passes, and the same request with
//! one thing broken is refused.
//!
//! ```
//! use portcullis_test::{ManualClock, TestIssuer};
//!
//! let issuer = TestIssuer::new("https://issuer.test").clock(ManualClock::default());
//! let reader = issuer.token().subject("alice").scope("documents:read");
//! let passes = reader.build();
//! let refused = [
//!     reader.clone().lifetime(-60).build(),
//!     reader.clone().audience("https://other.test").build(),
//!     reader.clone().tampered_payload().build(),
//!     reader.alg("none").unsigned().build(),
//! ];
//! # assert!(!refused.contains(&passes));
//! ```
//!
//! # What this is not for
//!
//! A development dependency, used from `tests/` folders: never from unit tests of a crate it depends
//! on, which would see two copies of their own types. What it makes is broken on purpose or signed
//! with keys that everybody knows, and [`Impersonation`] checks nobody; nothing here belongs into a
//! running service.

// Assertions panic by design, and so does a test kit that is told something impossible.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod algorithm;
pub mod answer;
mod assertions;
mod caller;
mod clock;
mod der;
pub mod fixed;
pub mod guide;
mod http_issuer;
mod impersonation;
mod issuer;
mod request;
mod scripted_fetch;
mod signing_key;
mod token;

pub use self::assertions::{
    AssertChallenge, Refusal, assert_challenge, assert_grpc_refused, assert_grpc_status, assert_inventory,
    assert_no_challenge, assert_no_store, assert_private, assert_problem, assert_refused, assert_status,
    assert_vary, challenges,
};
pub use self::caller::{TestCaller, authenticated, caller};
pub use self::clock::ManualClock;
pub use self::http_issuer::{HttpIssuer, Mode};
pub use self::impersonation::Impersonation;
pub use self::issuer::TestIssuer;
pub use self::request::TestRequest;
pub use self::scripted_fetch::{Hold, ScriptedFetch};
pub use self::signing_key::SigningKey;
pub use self::token::{Segment, TokenBuilder};
