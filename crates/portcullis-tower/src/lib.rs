//! Tower middleware that authenticates requests.
//!
//! | to | look at |
//! |---|---|
//! | authenticate every request to a service | [`authenticate`], [`AuthenticateLayer`] |
//! | know which cross-site requests are refused | [`csrf`] |
//! | turn an [`AuthError`](portcullis_core::AuthError) into a response | [`response::refuse`] |

pub mod authenticate;
pub mod csrf;
pub mod response;

pub use self::authenticate::{Authenticate, AuthenticateLayer};
