//! Who a request comes from.

use std::fmt;
use std::sync::Arc;

use crate::SharedStr;

/// The default principal: a subject as named by its issuer.
///
/// The pair (issuer, subject) is the only key of an account: a subject is unique within one issuer
/// and nowhere else, and an e-mail address or user name is no key at all (OpenID Connect Core §5.7).
/// Two principals are equal when both parts are, compared byte for byte.
///
/// ```
/// use portcullis_core::Principal;
///
/// let alice = Principal::new("https://issuer.example", "alice");
/// assert_ne!(alice, Principal::new("https://other.example", "alice"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    issuer: Arc<str>,
    subject: SharedStr,
}

impl Principal {
    /// The principal that `issuer` calls `subject`.
    #[must_use]
    pub fn new(issuer: impl Into<Arc<str>>, subject: impl Into<SharedStr>) -> Self {
        Self {
            issuer: issuer.into(),
            subject: subject.into(),
        }
    }

    /// The issuer identifier, exactly as configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The subject identifier, unique within the issuer.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .finish()
    }
}
