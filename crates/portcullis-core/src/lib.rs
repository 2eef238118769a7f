//! The vocabulary of portcullis.
//!
//! Two questions are asked of every request: **who is this?** (authentication, a refusal is 401) and
//! **may they?** (authorization, a refusal is 403). This crate holds the types with which both are
//! asked and answered, and nothing that answers them: no cryptography, no I/O, no runtime, no
//! framework.
//!
//! | to | look at |
//! |---|---|
//! | check one kind of credential | [`AuthenticateRequest`] |
//! | accept several kinds | [`AnyOf`] |
//! | make a method of a function | [`authenticate_fn`], with a [`place`] |
//! | load the application's own user | [`AuthenticateRequest::load`] |
//! | say who was found | [`Authentication`], born only in [`Authentication::assertion`] |
//! | pass the verdict to handlers | [`Outcome`] |
//! | decide about a loaded object | [`Policy`], [`policy`] |
//! | keep a loaded object shut until then | [`Guarded`], [`Granted`] |
//! | notice that nobody decided | [`Ledger`] |
//! | keep account of decisions | [`AuditSink`], [`AuditEvent`] |
//! | take a token back | [`RevocationList`], [`MemoryRevocations`] |
//! | notice that evidence has ended | [`Validity`] |
//! | send somebody back after signing in | [`ReturnTo`] |
//! | state a need in a type | [`Requirement`], [`HasScope`], [`HasRole`], [`SignedIn`], [`SignedInUser`] |
//! | refuse | [`AuthError`], whose [kind](AuthErrorKind) alone decides what the wire says |
//! | ask for credentials | [`Challenge`], [`Challenges`] |
//!
//! # What this crate trusts
//!
//! The [`http`] crate's parsing of header fields, and the caller who writes
//! [`Authentication::assertion`]: whoever calls it says "I checked". The calls inside portcullis are
//! listed by a test.

mod any_of;
mod audit;
mod authenticate;
mod authenticate_fn;
mod authentication;
mod authorize;
mod caller;
mod challenge;
mod clock;
mod combine;
mod config_error;
mod cookie;
mod credentials;
mod effects;
mod error;
mod factor;
mod guarded;
mod ledger;
mod method;
mod outcome;
mod percent;
pub mod place;
pub mod policy;
mod principal;
mod requirement;
mod return_to;
mod revocation;
mod scheme;
mod scope;
mod secret;
mod shared_str;
mod validity;

pub use self::any_of::{AnyOf, Either, Methods, any_of};
pub use self::audit::{AuditEvent, AuditKind, AuditSink, Escaped};
pub use self::authenticate::{AuthenticateRequest, Examination, examine};
pub use self::authenticate_fn::{AuthenticateFn, AuthenticateFnFuture, authenticate_fn};
pub use self::authentication::Authentication;
pub use self::authorize::{Decision, Needs, Policy, Reason, StepUp};
pub use self::caller::Caller;
pub use self::challenge::{Challenge, Challenges, InvalidChallenge};
pub use self::clock::{Clock, SystemClock, Timestamp};
pub use self::combine::{AndThen, AndThenFuture, Load, LoadFuture, Map, MapFuture};
pub use self::config_error::ConfigError;
pub use self::cookie::{CookieValue, find_cookie};
pub use self::credentials::{Authorization, Delivery, MalformedCredentials, Presence};
pub use self::effects::{ResponseEffects, append_vary, ensure_private};
pub use self::error::{AuthError, AuthErrorKind, SIGN_IN_REDIRECT, Wire, WireChallenges};
pub use self::factor::Factor;
pub use self::guarded::{Granted, Guarded};
pub use self::ledger::{Ledger, Standing};
pub use self::method::Method;
pub use self::outcome::{Decide, Decided, Outcome};
pub use self::principal::Principal;
pub use self::requirement::{Description, HasRole, HasScope, Requirement, SignedIn, SignedInUser};
pub use self::return_to::{InvalidReturnTo, ReturnTo};
pub use self::revocation::{
    MemoryRevocations, MemoryRevocationsBuilder, RevocationList, RevocationsFull, TokenId, Unavailable,
};
pub use self::scheme::Scheme;
pub use self::scope::{Role, Roles, Scope, Scopes, is_scope_token};
pub use self::secret::Secret;
pub use self::shared_str::SharedStr;
pub use self::validity::{Invalid, Validity};
