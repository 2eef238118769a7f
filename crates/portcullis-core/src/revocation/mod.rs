//! Taking evidence back before it expires.
//!
//! A signed token holds until it expires, whatever its issuer has learned since. A [`RevocationList`] is what
//! a verifier asks about every token, also about one it has verified before: is it still good?
//!
//! # Decision rules
//!
//! 1. A token is revoked by its id: (issuer, `jti`).
//! 2. All tokens of a subject up to an instant are revoked by (issuer, subject): those with
//!    `iat <= revoked_before`, in whole seconds. A token of the very second of the revocation is revoked with it.
//! 3. A verifier with a list refuses tokens without `jti` or `iat`: they could not be taken back.
//! 4. A list that cannot know does not guess: [`Unavailable`], and the request is answered with 503.

mod changes;
mod memory;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use self::memory::{MemoryRevocations, MemoryRevocationsBuilder, RevocationsFull};
use crate::Timestamp;

/// What a revocation list needs to know of a token.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TokenId<'a> {
    /// Who issued it (`iss`). The other parts mean something only together with this.
    pub issuer: &'a str,
    /// Its id (`jti`), unique within the issuer.
    pub id: &'a str,
    /// Whom it speaks of (`sub`), if anybody.
    pub subject: Option<&'a str>,
    /// When it was issued (`iat`).
    pub issued_at: Timestamp,
}

impl<'a> TokenId<'a> {
    /// The token `id` of `issuer`, issued at `issued_at`.
    #[must_use]
    pub const fn new(issuer: &'a str, id: &'a str, subject: Option<&'a str>, issued_at: Timestamp) -> Self {
        Self {
            issuer,
            id,
            subject,
            issued_at,
        }
    }
}

/// Knows which tokens were taken back before they expired.
///
/// Asked on every request, so it answers from local memory: no I/O, no waiting. A list that many instances
/// share keeps a local copy and says [`Unavailable`] when the copy is too old.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no revocation list",
    note = "use `MemoryRevocations`, or implement `RevocationList`"
)]
pub trait RevocationList: fmt::Debug + Send + Sync + 'static {
    /// Whether the token was revoked.
    ///
    /// # Errors
    ///
    /// When it cannot be known now.
    fn is_revoked(&self, token: &TokenId<'_>) -> Result<bool, Unavailable>;

    /// Resolves when something was revoked after this call, so that whoever holds a connection open asks
    /// again. A list that cannot tell never resolves; its users are asked again once a minute.
    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

impl<L: RevocationList + ?Sized> RevocationList for Arc<L> {
    fn is_revoked(&self, token: &TokenId<'_>) -> Result<bool, Unavailable> {
        (**self).is_revoked(token)
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        (**self).changed()
    }
}

/// It cannot be decided now: the answer is 503.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unavailable {
    retry_after: Option<Duration>,
}

impl Unavailable {
    /// Undecidable; worth another try after `retry_after`, if anyone knows.
    #[must_use]
    pub const fn new(retry_after: Option<Duration>) -> Self {
        Self { retry_after }
    }

    /// When it is worth trying again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it cannot be decided at the moment")
    }
}

impl std::error::Error for Unavailable {}
