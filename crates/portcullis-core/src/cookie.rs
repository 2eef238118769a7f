//! Finding one cookie in a request without building a jar.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::credentials::trim;

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
/// One pair of double quotes around the value is not part of it. A value with anything but visible ASCII
/// and spaces is not a value we ever set, and counts as absent; cookies beside it count as they are.
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
    let mut seen = false;
    // As bytes: other applications of the host may set cookies that are not ASCII.
    let lines = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    for pair in lines.flat_map(|line| line.split(|byte| *byte == b';')) {
        let Some(value) = value_of(pair, name.as_bytes()) else {
            continue;
        };
        if std::mem::replace(&mut seen, true) {
            return CookieValue::Several;
        }
        if let Some(value) = visible(value) {
            found = CookieValue::One(unquote(value));
        }
    }
    found
}

/// The value in `name=value`, optional white space removed, if that is the name.
fn value_of<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut sides = pair.splitn(2, |byte| *byte == b'=');
    let (key, value) = (sides.next()?, sides.next()?);
    (trim(key) == name).then(|| trim(value))
}

fn visible(value: &[u8]) -> Option<&str> {
    let allowed = value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    allowed.then(|| std::str::from_utf8(value).ok()).flatten()
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

    /// CK11: a cookie that is not ASCII hides neither itself nor those beside it.
    #[test]
    fn other_cookies_may_hold_any_bytes() {
        let one = CookieValue::One("1");
        assert_eq!(find_cookie(&headers(&["a=1; theme=grün"]), "a"), one);
        assert_eq!(find_cookie(&headers(&["grün=x; a=1"]), "a"), one);
        assert_eq!(find_cookie(&headers(&["a=grün"]), "a"), CookieValue::Absent);
        for lines in [
            &["a=1", "a=2; theme=grün"],
            &["a=grün", "a=1"],
            &["a=1", "a=grün"],
        ] {
            assert_eq!(
                find_cookie(&headers(lines), "a"),
                CookieValue::Several,
                "{lines:?}"
            );
        }
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
