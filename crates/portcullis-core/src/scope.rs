//! Scopes (RFC 6749 §3.3) and roles, as sets that were found and as types that are needed.

use std::fmt;
use std::sync::Arc;

use crate::shared_str::shared_slice;
use crate::{ConfigError, SharedStr};

/// Whether `token` is a scope token (RFC 6749 §3.3): one or more of `%x21 / %x23-5B / %x5D-7E`.
#[must_use]
pub const fn is_scope_token(token: &str) -> bool {
    let mut bytes = token.as_bytes();
    if bytes.is_empty() {
        return false;
    }
    while let [byte, rest @ ..] = bytes {
        if !is_scope_byte(*byte) {
            return false;
        }
        bytes = rest;
    }
    true
}

const fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

/// The scopes that credentials carry: a set of case-sensitive tokens.
///
/// ```
/// use portcullis_core::Scopes;
///
/// let scopes = Scopes::parse("documents:read documents:list")?;
/// assert!(scopes.contains("documents:read"));
/// assert!(!scopes.contains("documents"), "no substring matching");
/// assert!(!scopes.contains("Documents:Read"), "case matters");
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Scopes(SharedStr);

impl Scopes {
    /// No scope at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads a space-separated list. Order and repetition do not matter; several spaces in a row are
    /// tolerated.
    ///
    /// # Errors
    ///
    /// When a token holds a character that RFC 6749 §3.3 does not allow.
    pub fn parse(list: impl Into<SharedStr>) -> Result<Self, ConfigError> {
        let list = list.into();
        let well_formed = |byte: u8| byte == b' ' || is_scope_byte(byte);
        if list.bytes().all(well_formed) {
            Ok(Self(list))
        } else {
            Err(ConfigError::new(
                "a scope holds a character that may not stand there",
            ))
        }
    }

    /// Whether `scope` is one of them, compared byte for byte.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        !scope.is_empty() && self.iter().any(|held| held == scope)
    }

    /// The scopes, in the order they were read.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|token| !token.is_empty())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The roles that credentials carry: a set of case-sensitive names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Roles(Option<Arc<[SharedStr]>>);

impl Roles {
    pub(crate) const NONE: Self = Self(None);

    /// No role at all. Does not allocate.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether `role` is one of them, compared byte for byte. Nothing is no role, even where it is listed.
    #[must_use]
    pub fn contains(&self, role: &str) -> bool {
        !role.is_empty() && self.iter().any(|held| held == role)
    }

    /// The roles, in the order they were read.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.as_deref().unwrap_or_default().iter().map(AsRef::as_ref)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

impl<R: Into<SharedStr>> FromIterator<R> for Roles {
    fn from_iter<I: IntoIterator<Item = R>>(roles: I) -> Self {
        Self(shared_slice(roles.into_iter().map(Into::into)))
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// A scope as a type, so that a misspelt one does not compile.
///
/// ```
/// use portcullis_core::Scope;
///
/// /// Read any document one can see.
/// struct DocumentsRead;
///
/// impl Scope for DocumentsRead {
///     const NAME: &str = "documents:read";
///     // Whoever may write may also read.
///     const IMPLIED_BY: &[&str] = &["documents:write"];
/// }
/// ```
///
/// A name that is no scope token is a compile error where the scope is needed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a scope",
    note = "write `impl Scope for {Self} {{ const NAME: &str = \"documents:read\"; }}`"
)]
pub trait Scope: Send + Sync + 'static {
    /// The scope token.
    const NAME: &'static str;

    /// The hierarchy: holding any of these is as good as holding [`NAME`](Self::NAME).
    const IMPLIED_BY: &'static [&'static str] = &[];
}

/// A role as a type, so that a misspelt one does not compile.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a role",
    note = "write `impl Role for {Self} {{ const NAME: &str = \"admin\"; }}`"
)]
pub trait Role: Send + Sync + 'static {
    /// The role's name.
    const NAME: &'static str;

    /// The hierarchy: holding any of these is as good as holding [`NAME`](Self::NAME).
    const IMPLIED_BY: &'static [&'static str] = &[];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b15_scopes_are_compared_whole_and_case_sensitively() {
        let scopes = Scopes::parse("read  write read").expect("parses");
        assert!(scopes.contains("read") && scopes.contains("write"));
        for absent in ["readwrite", "rea", "READ", "", "read write"] {
            assert!(!scopes.contains(absent), "{absent}");
        }
    }

    #[test]
    fn nothing_is_no_role() {
        let roles = Roles::from_iter(["", "admin"]);
        assert!(roles.contains("admin") && !roles.contains(""));
    }

    #[test]
    fn characters_that_rfc_6749_forbids_are_refused() {
        for bad in ["a\"b", "a\\b", "a\tb", "é", "a\nb", "a\u{0}"] {
            assert!(Scopes::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Scopes::parse("").expect("empty").is_empty());
    }
}
