//! Finding one cookie in a request without building a jar.

use http::HeaderMap;
use http::header::COOKIE;

/// What a request says about one cookie name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // None, one, many.
pub enum CookieValue<'a> {
    /// No such cookie.
    Absent,
    /// Exactly one, with this value.
    One(&'a str),
    /// The name occurs more than once. Their order says nothing (RFC 6265bis §4.2.2), so a
    /// credential read from one of them could be one that a sibling domain planted.
    Several,
}

/// Looks for the cookie `name` in every `Cookie` field line (HTTP/2 and HTTP/3 may split them).
///
/// Names are compared exactly, case included: `__SeCuRe-id` is another cookie than `__Secure-id`.
/// One pair of double quotes around the value is not part of it. A value with bytes outside ASCII is
/// not a value we ever set, and counts as absent.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::COOKIE};
/// use portcullis_core::{CookieValue, find_cookie};
///
/// let mut headers = HeaderMap::new();
/// headers.append(COOKIE, HeaderValue::from_static("theme=dark; id=abc"));
/// assert_eq!(find_cookie(&headers, "id"), CookieValue::One("abc"));
/// assert_eq!(find_cookie(&headers, "ID"), CookieValue::Absent);
///
/// headers.append(COOKIE, HeaderValue::from_static("id=evil"));
/// assert_eq!(find_cookie(&headers, "id"), CookieValue::Several);
/// ```
#[must_use]
pub fn find_cookie<'a>(headers: &'a HeaderMap, name: &str) -> CookieValue<'a> {
    let mut found = CookieValue::Absent;
    let pairs = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=') else {
            continue;
        };
        if key.trim_matches([' ', '\t']) != name {
            continue;
        }
        if found != CookieValue::Absent {
            return CookieValue::Several;
        }
        found = CookieValue::One(unquote(value.trim_matches([' ', '\t'])));
    }
    found
}

fn unquote(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_str(line).expect("header value"));
        }
        headers
    }

    #[test]
    fn ck10_split_cookie_lines_are_joined() {
        let headers = headers(&["a=1", "b=2; c=3"]);
        assert_eq!(find_cookie(&headers, "a"), CookieValue::One("1"));
        assert_eq!(find_cookie(&headers, "c"), CookieValue::One("3"));
    }

    #[test]
    fn ck11_a_repeated_name_is_reported_not_resolved() {
        assert_eq!(find_cookie(&headers(&["a=1; a=1"]), "a"), CookieValue::Several);
        assert_eq!(find_cookie(&headers(&["a=1", "a=2"]), "a"), CookieValue::Several);
    }

    #[test]
    fn names_are_matched_whole() {
        let headers = headers(&["xid=1; id2=2; id"]);
        assert_eq!(find_cookie(&headers, "id"), CookieValue::Absent);
    }

    #[test]
    fn quotes_around_a_value_are_dropped_only_in_pairs() {
        assert_eq!(find_cookie(&headers(&["a=\"x\""]), "a"), CookieValue::One("x"));
        assert_eq!(find_cookie(&headers(&["a=\"x"]), "a"), CookieValue::One("\"x"));
    }
}
