//! Finding one cookie in a request without building a jar.

use http::HeaderMap;
use http::header::COOKIE;

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
    for line in headers.get_all(COOKIE) {
        let mut rest = Some(line.as_bytes());
        while let Some(pairs) = rest {
            let (pair, others) = split(pairs, b';');
            rest = others;
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
    }
    found
}

/// The value in `name=value`, optional white space removed, if that is the name.
fn value_of<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (key, value) = split(pair, b'=');
    let value = value?;
    (trim(key) == name).then(|| trim(value))
}

/// What stands before the first `byte`, and what stands behind it. Where it is not, sixteen are looked at in one step.
fn split(bytes: &[u8], byte: u8) -> (&[u8], Option<&[u8]>) {
    let (chunks, _) = bytes.as_chunks::<16>();
    let is_free = |chunk: &&[u8; 16]| !chunk.iter().fold(false, |found, next| found | (*next == byte));
    let (_, near) = bytes.split_at(16 * chunks.iter().take_while(is_free).count());
    let Some(at) = near.iter().position(|next| *next == byte) else {
        return (bytes, None);
    };
    let (before, behind) = bytes.split_at(bytes.len() - near.len() + at);
    (before, behind.get(1..))
}

fn visible(value: &[u8]) -> Option<&str> {
    let allowed = |byte: u8| (byte == b'\t') | (b' '..=b'~').contains(&byte);
    // Every one is looked at, so that many are in one step.
    let all = value.iter().fold(true, |all, byte| all & allowed(*byte));
    all.then(|| std::str::from_utf8(value).ok()).flatten()
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

    /// Wherever in the line it stands: cookies of other lengths in front move it over every border of a chunk.
    #[test]
    fn a_cookie_is_found_behind_others_of_any_length() {
        for length in 0..70 {
            let other = "x".repeat(length);
            let line = format!("o={other}; id={other}v;{other}=1; t");
            let found = headers(&[&line]);
            let value = format!("{other}v");
            assert_eq!(find_cookie(&found, "id"), CookieValue::One(&value), "{line}");
            assert_eq!(find_cookie(&found, "o"), CookieValue::One(&other), "{line}");
            assert_eq!(find_cookie(&found, "t"), CookieValue::Absent, "{line}");
            let twice = [line.as_str(), "id=v"];
            assert_eq!(find_cookie(&headers(&twice), "id"), CookieValue::Several);
        }
    }

    /// CK11: one byte that is not visible, at any place, and the value is none.
    #[test]
    fn every_byte_of_a_value_is_looked_at() {
        for at in 0..40 {
            let mut line = format!("a={}", "x".repeat(40)).into_bytes();
            line[2 + at] = b'\t';
            let value = HeaderValue::from_bytes(&line).expect("header value");
            let headers = HeaderMap::from_iter([(COOKIE, value)]);
            assert!(matches!(find_cookie(&headers, "a"), CookieValue::One(_)), "{at}");
            line[2 + at] = 0xfc;
            let value = HeaderValue::from_bytes(&line).expect("header value");
            let headers = HeaderMap::from_iter([(COOKIE, value)]);
            assert_eq!(find_cookie(&headers, "a"), CookieValue::Absent, "{at}");
        }
    }

    #[test]
    fn quotes_around_a_value_are_dropped_only_in_pairs() {
        assert_eq!(find_cookie(&headers(&["a=\"x\""]), "a"), CookieValue::One("x"));
        assert_eq!(find_cookie(&headers(&["a=\"x"]), "a"), CookieValue::One("\"x"));
    }
}
