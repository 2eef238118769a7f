//! Where to send somebody after they signed in: a path of this site, or nothing.

use std::fmt;
use std::sync::Arc;

use crate::percent;

/// A place on this site to return to after signing in: a path with an optional query, nothing else.
///
/// # Decision rules
///
/// 1. At most 2,048 bytes, all of them visible ASCII. Browsers drop tabs and line breaks from a URL before
///    they read it, so that `/\t/evil.example` would be another site.
/// 2. It begins with one `/` that no second one follows: `//evil.example` is another site.
/// 3. No `\` anywhere: browsers read it as `/`. No `#`: a request's target has none.
/// 4. No segment `.` or `..`, not even encoded, before the query. A browser that resolves `/.//evil.example`
///    stays on this site, at the path `//evil.example`, and whoever sends it on from there sends it away.
///
/// Checked when it is made *and* to be checked again where it comes back from the client, by parsing it.
///
/// ```
/// use portcullis_core::ReturnTo;
///
/// let place = ReturnTo::parse("/invoices?year=2026")?;
/// assert_eq!(place.to_query_value(), "/invoices%3Fyear%3D2026");
/// for elsewhere in ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example"] {
///     assert!(ReturnTo::parse(elsewhere).is_err());
/// }
/// # Ok::<(), portcullis_core::InvalidReturnTo>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReturnTo(Arc<str>);

/// Not a place on this site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidReturnTo;

impl fmt::Display for InvalidReturnTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a path on this site")
    }
}

impl std::error::Error for InvalidReturnTo {}

impl ReturnTo {
    /// The longest place, in bytes.
    pub const MAX_LEN: usize = 2_048;

    /// Takes a path with an optional query, as a request's target or a form's field has it.
    ///
    /// # Errors
    ///
    /// When it is anything else.
    pub fn parse(place: &str) -> Result<Self, InvalidReturnTo> {
        let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#');
        let on_this_site = matches!(place.as_bytes(), [b'/'] | [b'/', b'!'..=b'.' | b'0'..=b'~', ..]);
        if !on_this_site || place.len() > Self::MAX_LEN || !place.bytes().all(allowed) {
            return Err(InvalidReturnTo);
        }
        let path = place.split('?').next().unwrap_or_default();
        if path.split('/').any(is_dot_segment) {
            return Err(InvalidReturnTo);
        }
        Ok(Self(place.into()))
    }

    /// The path with its query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The place as the value of a query parameter or form field: everything but unreserved characters and
    /// `/` percent-encoded (RFC 3986 §2.1, §2.3).
    #[must_use]
    pub fn to_query_value(&self) -> String {
        percent::encode(&self.0, b"/")
    }
}

/// `.` or `..`, encoded or not (the URL standard's single-dot and double-dot segments).
fn is_dot_segment(segment: &str) -> bool {
    dot(segment).is_some_and(|rest| rest.is_empty() || dot(rest) == Some(""))
}

/// What follows a dot.
fn dot(text: &str) -> Option<&str> {
    [".", "%2e", "%2E"].iter().find_map(|dot| text.strip_prefix(dot))
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::{Position, Url};

    use super::*;

    /// Whether a browser that follows `place` from our site stays on it, and whoever takes the path it came to
    /// for a place of its own does as well: the URL standard as oracle.
    fn stays(place: &str) -> bool {
        let here = Url::parse("https://app.example/sign-in?x=1").expect("a URL");
        let follow = |place: &str| {
            here.join(place)
                .ok()
                .filter(|there| there.origin() == here.origin())
        };
        follow(place).is_some_and(|there| follow(&there[Position::BeforePath..]).is_some())
    }

    #[test]
    fn paths_of_this_site_are_taken() {
        for place in [
            "/",
            "/a",
            "/a/b?c=d&e=/f",
            "/a//b",
            "/%2f%2fevil",
            "/@evil",
            "/:80",
            "/.well-known/x",
            "/...//evil",
            "/a.b/..c/%2ed/%2e%2e%2e",
            "/a?next=/../..//b&c=.",
        ] {
            assert!(ReturnTo::parse(place).is_ok() && stays(place), "{place}");
        }
        let longest = format!("/{}", "a".repeat(ReturnTo::MAX_LEN - 1));
        assert!(ReturnTo::parse(&longest).is_ok());
        assert!(ReturnTo::parse(&format!("{longest}a")).is_err());
    }

    /// The tricks of the open-redirect collections: slashes and backslashes, what browsers drop, schemes,
    /// user information, characters that look like slashes.
    #[test]
    fn other_sites_in_every_disguise_are_refused() {
        let tricks = [
            "",
            "evil.example",
            "https://evil.example",
            "HTTPS:evil.example",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "\\\\evil.example",
            "/a\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " /a",
            " //evil.example",
            "/ /evil.example",
            "/\u{0}/evil.example",
            "javascript:alert(1)",
            "data:,x",
            "@evil.example",
            "https:/a",
            "//app.example@evil.example",
            "?next=/a",
            "#/a",
            "/é",
            "／／evil.example",
            "/\u{2044}/evil.example",
            "/\u{ad}/evil.example",
            "/a\r\nset-cookie: x",
            "/.//evil.example",
            "/..//evil.example",
            "/a/..//evil.example",
            "/a/../..//evil.example",
            "/%2e//evil.example",
            "/%2E%2e//evil.example",
            "/.%2e//evil.example",
            "/a/.",
            "/a/..?b",
            "/a#b",
            "/a?b#//evil.example",
        ];
        for place in tricks {
            assert_eq!(ReturnTo::parse(place), Err(InvalidReturnTo), "{place:?}");
        }
    }

    #[test]
    fn a_place_comes_back_from_a_query_unchanged() {
        let place = ReturnTo::parse("/a?b=c&d=%20+'\"<>").expect("a path");
        let url = Url::parse(&format!(
            "https://app.example/sign-in?return_to={}",
            place.to_query_value()
        ));
        let url = url.expect("a URL");
        let pairs: Vec<_> = url.query_pairs().collect();
        assert_eq!(pairs, [("return_to".into(), place.as_str().into())]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn whatever_is_taken_stays_on_this_site(place in "/?[/\\\\.@:?#a%0-9\\t\\n ]{0,12}|/(/|\\.|\\.\\.|%2e|%2E|%2f|\\?|a){0,8}|\\PC{0,12}") {
            if let Ok(taken) = ReturnTo::parse(&place) {
                prop_assert!(stays(taken.as_str()), "{}", place);
            }
        }
    }
}
