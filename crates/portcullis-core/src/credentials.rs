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
    /// A second credential follows after a comma (RFC 9110 §11.6.2: not a list).
    Joined,
}

impl fmt::Display for MalformedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SeveralFields => "more than one authorization field",
            Self::NoScheme => "the authorization field names no scheme",
            Self::NotToken68 => "the authorization field carries no token68",
            Self::Joined => "the authorization field carries two credentials",
        })
    }
}

impl std::error::Error for MalformedCredentials {}

/// One `Authorization` field: a scheme and what follows it, borrowed from the request.
///
/// Grammar: `auth-scheme [ 1*SP ( token68 / auth-params ) ]` (RFC 9110 §11.4). Optional white space
/// around the value is not part of it. `Debug` never shows the credentials, nor a scheme it does not
/// know: that may be a token whose sender forgot the scheme.
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

    /// What follows the scheme, as it was sent: nothing about its form is known.
    #[must_use]
    pub const fn credentials(&self) -> &'a [u8] {
        self.rest
    }

    /// The credentials as a token68, the form that bearer tokens have (RFC 6750 §2.1).
    ///
    /// # Errors
    ///
    /// When nothing follows the scheme, or something that is not one token68: a comma, a second
    /// credential, white space inside, a byte outside ASCII.
    pub fn token68(&self) -> Result<&'a str, MalformedCredentials> {
        let bytes = self.token68_bytes()?;
        std::str::from_utf8(bytes).map_err(|_| MalformedCredentials::NotToken68)
    }

    /// As [`token68`](Self::token68), as bytes: all of them are ASCII.
    ///
    /// # Errors
    ///
    /// As [`token68`](Self::token68).
    pub fn token68_bytes(&self) -> Result<&'a [u8], MalformedCredentials> {
        if is_token68(self.rest) {
            Ok(self.rest)
        } else {
            Err(MalformedCredentials::NotToken68)
        }
    }

    /// Looks at a field whose scheme is none of ours: somebody else's credentials, or a mistake that must
    /// not pass for "no credentials".
    ///
    /// # Errors
    ///
    /// When it is a single word, which is what remains of a token without its scheme; when credentials in
    /// a scheme of ours follow after a comma.
    pub(crate) fn check_foreign(&self, is_ours: impl Fn(&str) -> bool) -> Result<(), MalformedCredentials> {
        if self.rest.is_empty() {
            return Err(MalformedCredentials::NoScheme);
        }
        let joined = elements(self.rest)
            .skip(1)
            .filter_map(|element| Self::parse_value(element).ok())
            .any(|second| is_ours(second.scheme));
        if joined {
            return Err(MalformedCredentials::Joined);
        }
        Ok(())
    }
}

/// The comma-separated elements of a value; a comma in a quoted-string separates nothing.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        *byte == b',' && !quoted
    })
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = [Scheme::BEARER, Scheme::BASIC, Scheme::DPOP, Scheme::API_KEY];
        let scheme = known.iter().find(|known| self.is(known));
        f.debug_struct("Authorization")
            .field("scheme", &scheme.map(Scheme::as_str))
            .finish_non_exhaustive()
    }
}

/// Optional white space (RFC 9110 §5.6.3) at either end is not part of a field value.
pub(crate) fn trim(mut value: &[u8]) -> &[u8] {
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
        for value in ["Bearer hunter2", "hunter2", "hunter2 hunter2"] {
            let parsed = Authorization::parse_value(value.as_bytes()).expect("parses");
            assert!(!format!("{parsed:?}").contains("hunter2"), "{parsed:?}");
        }
        let parsed = Authorization::parse_value(b"bearer x").expect("parses");
        assert!(format!("{parsed:?}").contains("Bearer"));
    }

    /// B4, B19, H9
    #[test]
    fn another_scheme_is_told_from_a_mistake() {
        let check = |value: &str| {
            let parsed = Authorization::parse_value(value.as_bytes()).expect(value);
            parsed.check_foreign(|scheme| Scheme::BEARER.matches(scheme))
        };
        for value in [
            "Basic dTpw",
            r#"Digest username="a, Bearer b", realm="\", Bearer c""#,
            "Digest a=b, bearer=c",
            "Basic dTpw, Basic dTpw",
        ] {
            assert_eq!(check(value), Ok(()), "{value}");
        }
        assert_eq!(
            check("eyJhbGciOiJub25lIn0.e30.x"),
            Err(MalformedCredentials::NoScheme)
        );
        for value in [
            "Basic dTpw, Bearer x",
            "Basic dTpw,,\tbEARER x",
            "Basic dTpw,Bearer",
            r#"Digest a="b", Bearer x"#,
        ] {
            assert_eq!(check(value), Err(MalformedCredentials::Joined), "{value}");
        }
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
