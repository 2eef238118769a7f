//! A method of one's own: HTTP Basic (RFC 7617) with passwords hashed by Argon2.
//!
//! | file | holds |
//! |---|---|
//! | `basic.rs` | the method: where the credentials stand, what is asked for, what a check comes to |
//! | `passwords.rs` | the check: Argon2 beside the requests, so many at once and no more |
//! | `app.rs` | three routes behind it |

mod app;
pub mod basic;
pub mod passwords;

pub use self::app::{router, users};
pub use self::basic::{Basic, User};
pub use self::passwords::{Limits, Passwords};
