//! Authentication scheme names (RFC 9110 §11.1).

use std::borrow::Cow;
use std::fmt;

use crate::ConfigError;

/// An authentication scheme: a token, compared without regard to ASCII case (RFC 9110 §11.1).
///
/// ```
/// use portcullis_core::Scheme;
///
/// assert_eq!(Scheme::BEARER, Scheme::new("bEaReR")?);
/// assert!(Scheme::new("two words").is_err());
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scheme(Cow<'static, str>);

impl Scheme {
    /// `Bearer` (RFC 6750).
    pub const BEARER: Self = Self(Cow::Borrowed("Bearer"));
    /// `Basic` (RFC 7617).
    pub const BASIC: Self = Self(Cow::Borrowed("Basic"));
    /// `DPoP` (RFC 9449).
    pub const DPOP: Self = Self(Cow::Borrowed("DPoP"));
    /// `ApiKey`: ours, for keys in a header of their own. Browsers show no dialogue for it.
    pub const API_KEY: Self = Self(Cow::Borrowed("ApiKey"));
    /// `Session`: ours, for server-side sessions by cookie.
    pub const SESSION: Self = Self(Cow::Borrowed("Session"));
    /// `Cookie`: ours, for tokens carried in a cookie.
    pub const COOKIE: Self = Self(Cow::Borrowed("Cookie"));

    /// A scheme of the given name.
    ///
    /// # Errors
    ///
    /// When `name` is not a token (RFC 9110 §5.6.2).
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        if is_token(name.as_bytes()) {
            Ok(Self(Cow::Owned(name.to_owned())))
        } else {
            Err(ConfigError::new(
                "an authentication scheme must be a token (RFC 9110 §11.1)",
            ))
        }
    }

    /// The name as it is written into challenges.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `name` names this scheme.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }
}

impl PartialEq for Scheme {
    fn eq(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl Eq for Scheme {}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `bytes` is a non-empty token (RFC 9110 §5.6.2).
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_token_byte)
}

pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Whether `byte` may stand in a token68 before its padding (RFC 9110 §11.2): a letter, a digit, or one of
/// `-._~+/`. Without branches, so that many bytes are looked at in one step.
pub(crate) const fn is_token68_byte(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    // `-`, `.` and `/` stand right before the digits.
    let digit_or_before = byte.wrapping_sub(b'-') < 13;
    letter | digit_or_before | (byte == b'_') | (byte == b'~') | (byte == b'+')
}

/// Whether `bytes` is a token68 (RFC 9110 §11.2): one or more characters, then any number of `=`.
pub(crate) fn is_token68(bytes: &[u8]) -> bool {
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    let (body, _) = bytes.split_at(bytes.len() - padding);
    // Not `all`, which stops at the first and so cannot be done in steps of many bytes.
    !body.is_empty() && body.iter().fold(true, |good, byte| good & is_token68_byte(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_compared_without_case() {
        assert_eq!(Scheme::BEARER, Scheme(Cow::Borrowed("BEARER")));
        assert_ne!(Scheme::BEARER, Scheme::BASIC);
    }

    #[test]
    fn a_token68_byte_is_one_of_the_grammar() {
        for byte in 0..=u8::MAX {
            let listed = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(is_token68_byte(byte), listed, "{byte:#x}");
        }
    }

    #[test]
    fn token68_takes_padding_only_at_the_end() {
        for good in ["a", "a.b-c_d~e+f/g", "abc=", "abc=="] {
            assert!(is_token68(good.as_bytes()), "{good}");
        }
        for bad in ["", "=", "a=b", "a b", "a,b", "a\"", "ä"] {
            assert!(!is_token68(bad.as_bytes()), "{bad}");
        }
    }
}
