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
/// Everything ends up in one field line: of several, nginx before 1.23 looks at the last only, and would hand one
/// caller's answer to the next. With no names, lines that are there are joined: for an outermost layer, around
/// others that add lines of their own. A `Vary: *` already says more; nothing is added to it.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::{AUTHORIZATION, COOKIE, VARY}};
/// use portcullis_core::append_vary;
///
/// let mut headers = HeaderMap::new();
/// headers.insert(VARY, HeaderValue::from_static("Accept, authorization"));
/// append_vary(&mut headers, &[AUTHORIZATION, COOKIE]);
/// let vary: Vec<_> = headers.get_all(VARY).iter().collect();
/// assert_eq!(vary, ["Accept, authorization, cookie"]);
/// ```
pub fn append_vary<'n, N>(headers: &mut HeaderMap, names: N)
where
    N: IntoIterator<Item = &'n HeaderName, IntoIter: Clone>,
{
    let names = names.into_iter();
    let mut only = names.clone();
    let (Some(first), second) = (only.next(), only.next()) else {
        return join_vary(headers, names);
    };
    let is_said = match headers.entry(VARY) {
        // One name is a value as it is, without a copy.
        Entry::Vacant(entry) if second.is_none() => {
            entry.insert(HeaderValue::from(first.clone()));
            true
        }
        Entry::Vacant(_) => false,
        // The only line lists every name: it would be written anew as it is.
        Entry::Occupied(entry) => {
            let line = entry.get().as_bytes();
            let lists_all = names.clone().all(|name| lists(line, name.as_str().as_bytes()));
            lists_all && entry.iter().nth(1).is_none()
        }
    };
    if !is_said {
        write_vary(headers, names);
    }
}

/// Several lines become one; one, and none, are left as they are.
fn join_vary<'n>(headers: &mut HeaderMap, names: impl Iterator<Item = &'n HeaderName> + Clone) {
    if headers.get_all(VARY).iter().nth(1).is_some() {
        write_vary(headers, names);
    }
}

fn write_vary<'n>(headers: &mut HeaderMap, names: impl Iterator<Item = &'n HeaderName> + Clone) {
    // Values joined by commas are a value.
    if let Ok(line) = HeaderValue::try_from(one_line(headers, names)) {
        headers.insert(VARY, line);
    }
}

fn one_line<'n>(headers: &HeaderMap, names: impl Iterator<Item = &'n HeaderName> + Clone) -> Vec<u8> {
    let said = || headers.get_all(VARY).iter().map(HeaderValue::as_bytes);
    let added = names.map(|name| name.as_str().as_bytes());
    let room: usize = said().chain(added.clone()).map(|item| item.len() + 2).sum();
    let mut line = Vec::with_capacity(room.saturating_sub(2));
    for item in said() {
        add_item(&mut line, item);
    }
    for name in added {
        if !lists(&line, name) {
            add_item(&mut line, name);
        }
    }
    line
}

fn add_item(line: &mut Vec<u8>, item: &[u8]) {
    if !line.is_empty() {
        line.extend_from_slice(b", ");
    }
    line.extend_from_slice(item);
}

/// Whether a `Vary` line covers this name.
fn lists(line: &[u8], name: &[u8]) -> bool {
    let mut items = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    items.any(|item| item == b"*" || item.eq_ignore_ascii_case(name))
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
        assert_eq!(values, ["authorization, accept"]);
    }

    /// H11, T-CACHE-1: however many lines there were, afterwards there is one, and nobody's item is lost.
    #[test]
    fn h11_vary_is_one_line() {
        let vary = |lines: &[&'static str], names: &[HeaderName]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(VARY, HeaderValue::from_static(line));
            }
            append_vary(&mut headers, names);
            let values = headers.get_all(VARY).iter();
            values
                .map(|value| value.to_str().expect("ascii").to_owned())
                .collect::<Vec<_>>()
        };
        let two = [ACCEPT, AUTHORIZATION];
        assert_eq!(vary(&[], &two), ["accept, authorization"]);
        assert_eq!(vary(&[], &[ACCEPT]), ["accept"]);
        assert_eq!(vary(&["origin"], &[ACCEPT]), ["origin, accept"]);
        assert_eq!(
            vary(&["Origin , ACCEPT", "x"], &two),
            ["Origin , ACCEPT, x, authorization"]
        );
        assert_eq!(
            vary(&["authorization", "accept"], &two),
            ["authorization, accept"]
        );
        assert_eq!(
            vary(&["Accept , authorization,x"], &two),
            ["Accept , authorization,x"]
        );
        assert_eq!(
            vary(&["accept, authorization", "x"], &two),
            ["accept, authorization, x"]
        );
        assert_eq!(vary(&["origin", "*"], &two), ["origin, *"]);
        assert_eq!(vary(&[""], &two), ["accept, authorization"]);
        assert_eq!(vary(&["a", "b"], &[]), ["a, b"]);
        assert_eq!(vary(&["a"], &[]), ["a"]);
        assert_eq!(vary(&[], &[]), [""; 0]);
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
