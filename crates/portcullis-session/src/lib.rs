#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! | to | look at |
//! |---|---|
//! | configure | [`Sessions`], [`SessionsBuilder`], [`Timeouts`], [`SessionCookie`], [`AtMost`] |
//! | hand sessions to handlers | [`SessionLayer`], [`layer`] |
//! | keep values, sign in and out | [`Session`], [`SignIn`] |
//! | authenticate by session | [`SessionAuth`] |
//! | list and revoke | [`Sessions::list`], [`Sessions::revoke`], [`SessionHandle`] |
//! | serve old browsers' forms | [`Session::csrf_token`], [`FormSession`] |

mod cookie;
mod error;
mod id;
pub mod layer;
mod method;
mod payload;
mod session;
mod sessions;
mod sign_in;
mod timeouts;
mod validity;

pub use self::cookie::{SameSite, SessionCookie};
pub use self::error::{SessionError, SessionErrorKind};
pub use self::layer::SessionLayer;
pub use self::method::{SessionAuth, SessionAuthFuture};
pub use self::session::{FormSession, Session};
pub use self::sessions::{
    AtMost, ClearSiteData, MalformedHandle, SessionHandle, SessionInfo, Sessions, SessionsBuilder,
};
pub use self::sign_in::SignIn;
pub use self::timeouts::Timeouts;
