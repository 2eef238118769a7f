//! What proxies write.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::header::{FORWARDED, HeaderName, HeaderValue};
use http::request::Parts;

use super::UnknownClient;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where proxies write whose request they pass on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`: addresses.
    XForwardedFor,
    /// `Forwarded` (RFC 7239): the parameter `for` of each element.
    Forwarded,
}

type Entry = Result<IpAddr, UnknownClient>;

impl ForwardingHeader {
    /// The entries of all fields, the last one first. Nothing is read before it is asked for.
    pub(super) fn entries_backwards(self, parts: &Parts) -> Box<dyn Iterator<Item = Entry> + '_> {
        match self {
            Self::XForwardedFor => {
                let fields = parts.headers.get_all(X_FORWARDED_FOR).iter().rev();
                Box::new(fields.flat_map(|field| text(field).rsplit(',').map(plain)))
            }
            Self::Forwarded => {
                let fields = parts.headers.get_all(FORWARDED).iter().rev();
                Box::new(fields.flat_map(|field| elements(text(field)).into_iter().rev()))
            }
        }
    }
}

/// What is no text becomes one entry that is no address.
fn text(field: &HeaderValue) -> &str {
    field.to_str().unwrap_or_default()
}

/// `192.0.2.7`, `192.0.2.7:80`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:80`.
fn plain(entry: &str) -> Entry {
    let entry = entry.trim_matches([' ', '\t']);
    match entry.parse::<Ipv6Addr>() {
        Ok(v6) => Ok(IpAddr::V6(v6).to_canonical()),
        Err(_) => node(entry),
    }
}

/// A `node` that is an address (RFC 7239 §6).
fn node(node: &str) -> Entry {
    parse_node(node).ok_or(UnknownClient::Unreadable)
}

fn parse_node(node: &str) -> Option<IpAddr> {
    let (address, port) = match node.strip_prefix('[') {
        Some(rest) => {
            let (v6, port) = rest.split_once(']')?;
            (IpAddr::V6(v6.parse().ok()?), port)
        }
        None => {
            let end = node.find(':').unwrap_or(node.len());
            let (v4, port) = node.split_at_checked(end)?;
            (IpAddr::V4(v4.parse::<Ipv4Addr>().ok()?), port)
        }
    };
    is_port(port).then(|| address.to_canonical())
}

/// Nothing, or a colon and a number.
fn is_port(port: &str) -> bool {
    let Some(digits) = port.strip_prefix(':') else {
        return port.is_empty();
    };
    (1..=5).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.parse::<u16>().is_ok()
}

/// The elements of one field. Where its syntax breaks, nobody knows where elements begin: then the rightmost is no
/// address.
fn elements(field: &str) -> Vec<Entry> {
    let mut rest = field;
    let mut entries = Vec::new();
    loop {
        let Some((entry, after)) = element(rest) else {
            return vec![Err(UnknownClient::Unreadable)];
        };
        entries.push(entry);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return entries,
        }
    }
}

/// One `forwarded-element` (RFC 7239 §4), up to a comma or the end.
fn element(text: &str) -> Option<(Entry, &str)> {
    let mut rest = text;
    let mut found = None;
    loop {
        let (name, after) = token(rest.trim_start_matches([' ', '\t']))?;
        let (value, after) = value(after.strip_prefix('=')?)?;
        if name.eq_ignore_ascii_case("for") && found.replace(node(&value)).is_some() {
            return None;
        }
        let after = after.trim_start_matches([' ', '\t']);
        match after.strip_prefix(';') {
            Some(next) => rest = next,
            None if after.is_empty() || after.starts_with(',') => {
                return Some((found.unwrap_or(Err(UnknownClient::Unreadable)), after));
            }
            None => return None,
        }
    }
}

/// A token (RFC 9110 §5.6.2), and what follows.
fn token(text: &str) -> Option<(&str, &str)> {
    let belongs = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let end = text.bytes().position(|byte| !belongs(byte)).unwrap_or(text.len());
    let (token, rest) = text.split_at_checked(end)?;
    (!token.is_empty()).then_some((token, rest))
}

/// A token or the content of a quoted string (RFC 9110 §5.6.4), and what follows.
///
/// A token may contain a colon here: `for=192.0.2.7:80` is common and not ambiguous.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (first, rest) = token(text)?;
        let Some((port, rest)) = rest.strip_prefix(':').and_then(token) else {
            return Some((first.to_owned(), rest));
        };
        return Some((format!("{first}:{port}"), rest));
    };
    let mut content = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some((content, characters.as_str())),
            '\\' => content.push(characters.next()?),
            other => content.push(other),
        }
    }
}
