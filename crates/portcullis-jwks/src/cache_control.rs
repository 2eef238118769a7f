//! How long an answer says it is fresh (RFC 9111 §4.2, §5.2.2) and how long to wait (RFC 9110 §10.2.3).

use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL, RETRY_AFTER};

/// What an answer says of its own lifetime: `None` when it says nothing, zero when it asks not to be
/// stored or reused.
pub(crate) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let mut max_age = None;
    let directives = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for directive in directives {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let name = name.trim();
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if name.eq_ignore_ascii_case("max-age") {
            // The first one counts; one that cannot be read says "stale" (RFC 9111 §4.2.1).
            max_age = max_age.or_else(|| Some(seconds(value).unwrap_or_default()));
        }
    }
    let age = headers
        .get(AGE)
        .and_then(|age| seconds(age.to_str().ok()?))
        .unwrap_or_default();
    max_age.map(|max_age| max_age.saturating_sub(age))
}

/// `Retry-After` in its form as seconds. The form as a date would need the server's clock, and is left
/// to the back-off.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    seconds(headers.get(RETRY_AFTER)?.to_str().ok()?)
}

/// What more digits than fit come to (RFC 9111 §1.2.2).
const A_LONG_TIME: u64 = 0xffff_ffff;

fn seconds(text: &str) -> Option<Duration> {
    let digits = text.trim().trim_matches('"');
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(Duration::from_secs(digits.parse().unwrap_or(A_LONG_TIME)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(lines: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn freshness_is_read_from_the_first_usable_directive() {
        type Row = (&'static [(http::HeaderName, &'static str)], Option<u64>);
        let table: [Row; 10] = [
            (&[], None),
            (&[(CACHE_CONTROL, "public")], None),
            (&[(CACHE_CONTROL, "public, max-age=300")], Some(300)),
            (&[(CACHE_CONTROL, "MAX-AGE=\"300\"")], Some(300)),
            (&[(CACHE_CONTROL, "max-age=300, max-age=900")], Some(300)),
            (&[(CACHE_CONTROL, "max-age=300, no-store")], Some(0)),
            (&[(CACHE_CONTROL, "no-cache")], Some(0)),
            (&[(CACHE_CONTROL, "max-age=-1")], Some(0)),
            (
                &[(CACHE_CONTROL, "max-age=99999999999999999999")],
                Some(A_LONG_TIME),
            ),
            (&[(CACHE_CONTROL, "max-age=300"), (AGE, "100")], Some(200)),
        ];
        for (lines, expected) in table {
            assert_eq!(
                max_age(&headers(lines)),
                expected.map(Duration::from_secs),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn retry_after_is_read_in_seconds_only() {
        let read = |value| retry_after(&headers(&[(RETRY_AFTER, value)]));
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(read("Fri, 31 Dec 1999 23:59:59 GMT"), None);
        assert_eq!(read("-1"), None);
    }
}
