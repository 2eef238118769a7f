//! What the client sent: the `Authorization` field, parsed without ever panicking.

use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::Scheme;
use crate::scheme::{is_token, is_token68};

/// Whether a request carries the credentials an [`AuthenticateRequest`](crate::AuthenticateRequest)
/// looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // The precedence table is exhaustive by design.
pub enum Presence {
    /// Nothing of this kind was sent.
    Absent,
    /// Something of this kind was sent and is worth verifying.
    Present(Delivery),
    /// Something of this kind was sent in a form that cannot be read: refused with 400.
    Malformed,
}

/// How credentials reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // RFC 9110 and browsers know these two.
pub enum Delivery {
    /// The client put them into this request on purpose (`Authorization`, `X-API-Key`).
    Explicit,
    /// The user agent attaches them to every request to this site (cookie, client certificate), also
    /// to one that another site provoked; they need a defence against cross-site request forgery.
    Ambient,
}

/// The request's `Authorization` field could not be read; the answer is 400 `invalid_request`
/// (RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MalformedCredentials {
    /// More than one `Authorization` field line (RFC 9110 §11.6.2: not a list).
    SeveralFields,
    /// The value does not start with an authentication scheme.
    NoScheme,
    /// The scheme is followed by something that is not a token68.
    NotToken68,
}

impl fmt::Display for MalformedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SeveralFields => "more than one authorization field",
            Self::NoScheme => "the authorization field names no scheme",
            Self::NotToken68 => "the authorization field carries no token68",
        })
    }
}

impl std::error::Error for MalformedCredentials {}

/// One `Authorization` field: a scheme and what follows it, borrowed from the request.
///
/// Grammar: `auth-scheme [ 1*SP ( token68 / auth-params ) ]` (RFC 9110 §11.4). Optional white space
/// around the value is not part of it. `Debug` never shows the credentials.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
/// use portcullis_core::{Authorization, Scheme};
///
/// let mut headers = HeaderMap::new();
/// assert!(Authorization::parse(&headers)?.is_none());
///
/// headers.append(AUTHORIZATION, HeaderValue::from_static("bearer  abc.def"));
/// let sent = Authorization::parse(&headers)?.unwrap();
/// assert!(sent.is(&Scheme::BEARER));
/// assert_eq!(sent.token68()?, "abc.def");
///
/// headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer other"));
/// assert!(Authorization::parse(&headers).is_err());
/// # Ok::<(), portcullis_core::MalformedCredentials>(())
/// ```
#[derive(Clone, Copy)]
pub struct Authorization<'a> {
    scheme: &'a str,
    rest: &'a [u8],
}

impl<'a> Authorization<'a> {
    /// Reads the field, if there is one.
    ///
    /// # Errors
    ///
    /// When there is more than one field line, or the value names no scheme.
    pub fn parse(headers: &'a HeaderMap) -> Result<Option<Self>, MalformedCredentials> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(MalformedCredentials::SeveralFields);
        }
        Self::parse_value(value.as_bytes()).map(Some)
    }

    /// Reads one field value.
    ///
    /// # Errors
    ///
    /// When the value names no scheme.
    pub fn parse_value(value: &'a [u8]) -> Result<Self, MalformedCredentials> {
        let value = trim(value);
        let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, rest) = value.split_at(end);
        if !is_token(scheme) {
            return Err(MalformedCredentials::NoScheme);
        }
        let scheme = std::str::from_utf8(scheme).map_err(|_| MalformedCredentials::NoScheme)?;
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        let (_, rest) = rest.split_at(spaces);
        Ok(Self { scheme, rest })
    }

    /// Whether the field uses `scheme`, compared without case.
    #[must_use]
    pub fn is(&self, scheme: &Scheme) -> bool {
        scheme.matches(self.scheme)
    }

    /// The scheme as the client wrote it.
    #[must_use]
    pub const fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// The credentials as a token68, the form that bearer tokens have (RFC 6750 §2.1).
    ///
    /// # Errors
    ///
    /// When nothing follows the scheme, or something that is not one token68: a comma, a second
    /// credential, white space inside, a byte outside ASCII.
    pub fn token68(&self) -> Result<&'a str, MalformedCredentials> {
        if !is_token68(self.rest) {
            return Err(MalformedCredentials::NotToken68);
        }
        std::str::from_utf8(self.rest).map_err(|_| MalformedCredentials::NotToken68)
    }
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

/// Optional white space (RFC 9110 §5.6.3) at either end is not part of a field value.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn token(value: &str) -> Result<&str, MalformedCredentials> {
        Authorization::parse_value(value.as_bytes())?.token68()
    }

    #[test]
    fn b10_scheme_case_and_extra_spaces_are_accepted() {
        for value in [
            "Bearer abc",
            "bearer abc",
            "BEARER   abc",
            " bEaReR abc ",
            "Bearer abc\t",
        ] {
            let parsed = Authorization::parse_value(value.as_bytes()).expect(value);
            assert!(parsed.is(&Scheme::BEARER), "{value}");
            assert_eq!(parsed.token68(), Ok("abc"), "{value}");
        }
    }

    #[test]
    fn b19_a_scheme_without_token68_is_malformed() {
        for value in [
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer a, Bearer b",
            "Bearer a,Basic b",
            "Bearer \"a\"",
            "Bearer a\tb",
            "Bearer =",
            "Bearer %61",
            "Bearer token=\"abc\"",
        ] {
            assert_eq!(token(value), Err(MalformedCredentials::NotToken68), "{value}");
        }
    }

    #[test]
    fn h9_an_empty_or_schemeless_value_is_malformed() {
        for value in ["", "  ", ",", "\u{e9} abc", "Bea(rer abc", "Bearer\tabc"] {
            assert_eq!(
                Authorization::parse_value(value.as_bytes()).map(|_| ()),
                Err(MalformedCredentials::NoScheme),
                "{value:?}"
            );
        }
    }

    #[test]
    fn b8_two_fields_are_malformed_even_when_equal() {
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer abc"));
        assert!(matches!(Authorization::parse(&headers), Ok(Some(_))));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer abc"));
        assert_eq!(
            Authorization::parse(&headers).map(|_| ()),
            Err(MalformedCredentials::SeveralFields)
        );
    }

    #[test]
    fn debug_hides_the_credentials() {
        let parsed = Authorization::parse_value(b"Bearer hunter2").expect("parses");
        assert!(!format!("{parsed:?}").contains("hunter2"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(parsed) = Authorization::parse_value(&value) {
                let _ = parsed.token68();
            }
        }
    }
}
