//! What a verdict does to the response: cookies and nonces, `Vary`, `Cache-Control`.

use std::fmt;

use http::header::{CACHE_CONTROL, Entry, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Header fields that a verdict adds to the response: a renewed or deleted cookie, a `DPoP-Nonce`.
///
/// They are applied once, by the layer, and never overwrite what the handler wrote: a `Set-Cookie`
/// for a cookie that the handler sets itself is dropped, any other field is added only when it is
/// not there.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::SET_COOKIE};
/// use portcullis_core::ResponseEffects;
///
/// let mut effects = ResponseEffects::none();
/// effects.push(SET_COOKIE, HeaderValue::from_static("__Host-id=; Max-Age=0; Path=/; Secure"));
///
/// let mut headers = HeaderMap::new();
/// effects.apply(&mut headers);
/// assert_eq!(headers.len(), 1);
///
/// let mut headers = HeaderMap::new();
/// headers.append(SET_COOKIE, HeaderValue::from_static("__Host-id=new; Path=/; Secure"));
/// effects.apply(&mut headers);
/// assert_eq!(headers.len(), 1, "the handler's cookie stays");
/// ```
#[derive(Clone, Default)]
pub struct ResponseEffects(Vec<(HeaderName, HeaderValue)>);

impl ResponseEffects {
    /// No effects. Does not allocate.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds a field. Values are marked sensitive, because most of them carry a secret.
    pub fn push(&mut self, name: HeaderName, mut value: HeaderValue) {
        value.set_sensitive(true);
        self.0.push((name, value));
    }

    /// Adds everything `other` holds.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    /// Whether there is nothing to apply.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes the fields into a response.
    pub fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            if *name == SET_COOKIE {
                let ours = cookie_name(value);
                let taken = headers
                    .get_all(SET_COOKIE)
                    .iter()
                    .any(|set| cookie_name(set) == ours);
                if !taken {
                    headers.append(SET_COOKIE, value.clone());
                }
            } else if let Entry::Vacant(entry) = headers.entry(name) {
                entry.insert(value.clone());
            }
        }
    }
}

impl fmt::Debug for ResponseEffects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

fn cookie_name(value: &HeaderValue) -> &[u8] {
    let bytes = value.as_bytes();
    let end = bytes.iter().position(|byte| *byte == b'=').unwrap_or(bytes.len());
    bytes.split_at(end).0.trim_ascii()
}

/// Adds header names to `Vary`, keeping what is there and repeating nothing (RFC 9110 §12.5.5).
///
/// A `Vary: *` already says more and is left alone.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::{AUTHORIZATION, COOKIE, VARY}};
/// use portcullis_core::append_vary;
///
/// let mut headers = HeaderMap::new();
/// headers.insert(VARY, HeaderValue::from_static("Accept, authorization"));
/// append_vary(&mut headers, &[AUTHORIZATION, COOKIE]);
/// let vary: Vec<_> = headers.get_all(VARY).iter().collect();
/// assert_eq!(vary, ["Accept, authorization", "cookie"]);
/// ```
pub fn append_vary(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        let listed = headers
            .get_all(VARY)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .any(|item| item == b"*" || item.eq_ignore_ascii_case(name.as_str().as_bytes()));
        if !listed {
            headers.append(VARY, HeaderValue::from(name.clone()));
        }
    }
}

/// Says `Cache-Control: private` where nothing is said.
///
/// Shared caches keep answers to requests with `Authorization` out by themselves (RFC 9111 §3.5);
/// they know nothing of cookies, API keys and certificates.
pub fn ensure_private(headers: &mut HeaderMap) {
    if let Entry::Vacant(entry) = headers.entry(CACHE_CONTROL) {
        entry.insert(HeaderValue::from_static("private"));
    }
}

#[cfg(test)]
mod tests {
    use http::header::{ACCEPT, AUTHORIZATION};

    use super::*;

    #[test]
    fn h11_vary_is_appended_and_a_star_is_enough() {
        let mut headers = HeaderMap::new();
        headers.insert(VARY, HeaderValue::from_static("*"));
        append_vary(&mut headers, &[AUTHORIZATION]);
        assert_eq!(headers.get_all(VARY).iter().count(), 1);

        let mut headers = HeaderMap::new();
        append_vary(&mut headers, &[AUTHORIZATION, ACCEPT, AUTHORIZATION]);
        let values: Vec<_> = headers.get_all(VARY).iter().collect();
        assert_eq!(values, ["authorization", "accept"]);
    }

    #[test]
    fn h12_a_cache_control_of_the_handler_is_kept() {
        let mut headers = HeaderMap::new();
        ensure_private(&mut headers);
        assert_eq!(
            headers.get(CACHE_CONTROL).map(HeaderValue::as_bytes),
            Some(&b"private"[..])
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        ensure_private(&mut headers);
        assert_eq!(
            headers.get(CACHE_CONTROL).map(HeaderValue::as_bytes),
            Some(&b"no-store"[..])
        );
    }

    #[test]
    fn merged_effects_are_all_applied_and_twice_is_once() {
        let cookie = |value: &'static str| {
            let mut effects = ResponseEffects::none();
            effects.push(SET_COOKIE, HeaderValue::from_static(value));
            effects
        };
        let mut merged = ResponseEffects::none();
        assert!(merged.is_empty());
        for value in ["id=1; Path=/", "ID=2", "theme=x", "id=3"] {
            merged.merge(&cookie(value));
        }
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, HeaderValue::from_static(" theme =mine"));
        for _ in 0..2 {
            merged.apply(&mut headers);
            let cookies: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
            assert_eq!(cookies, [" theme =mine", "id=1; Path=/", "ID=2"]);
        }
        let ours = headers.get_all(SET_COOKIE).iter().skip(1);
        assert!(ours.into_iter().all(HeaderValue::is_sensitive));
    }

    #[test]
    fn effects_never_show_values_and_never_overwrite() {
        let nonce = HeaderName::from_static("dpop-nonce");
        let mut effects = ResponseEffects::none();
        effects.push(nonce.clone(), HeaderValue::from_static("hunter2"));
        assert!(!format!("{effects:?}").contains("hunter2"));
        let mut headers = HeaderMap::new();
        headers.insert(nonce.clone(), HeaderValue::from_static("mine"));
        effects.apply(&mut headers);
        assert_eq!(headers.get(nonce).map(HeaderValue::as_bytes), Some(&b"mine"[..]));
    }
}
