//! The cookie that carries the id of a session.

use std::fmt::Write;
use std::time::Duration;

use http::HeaderValue;
use portcullis_core::ConfigError;

/// On which requests of other sites browsers send the cookie along. Defence in depth only: a site is not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // RFC 6265bis §4.1.2.7 knows these.
pub enum SameSite {
    /// When somebody follows a link. A sign-in elsewhere that redirects back finds the session.
    Lax,
    /// Never: whoever comes by a link from elsewhere, or back from a sign-in elsewhere, is signed out on that page.
    Strict,
    /// Always.
    None,
}

/// Name and attributes of the cookie: `__Host-session; Secure; HttpOnly; SameSite=Lax; Path=/`, unless changed.
///
/// `HttpOnly` and `Path=/` cannot be changed. The prefix follows from the other settings, and what contradicts them is
/// refused when the sessions are built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SessionCookie {
    name: String,
    domain: Option<String>,
    same_site: SameSite,
    is_partitioned: bool,
    is_http_prefixed: bool,
    is_secure: bool,
}

impl Default for SessionCookie {
    fn default() -> Self {
        Self {
            name: "session".to_owned(),
            domain: None,
            same_site: SameSite::Lax,
            is_partitioned: false,
            is_http_prefixed: false,
            is_secure: true,
        }
    }
}

impl SessionCookie {
    /// Names it, without the prefix; `session` unless called.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Says on which requests of other sites it is sent; `Lax` unless called.
    pub const fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Shares it with every host of `domain`, under the prefix `__Secure-`. Every one of them can then read it, and plant
    /// another one: two of them count as none.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Keeps one for each site that this one is embedded in (`Partitioned`).
    pub const fn partitioned(mut self) -> Self {
        self.is_partitioned = true;
        self
    }

    /// Uses the prefixes `__Host-Http-` and `__Http-`, with which browsers that know them keep scripts from planting one.
    /// Others take the first for `__Host-`, and the second for none.
    pub const fn http_prefixed(mut self) -> Self {
        self.is_http_prefixed = true;
        self
    }

    /// Goes without `Secure`, and so without a prefix: for plain http on a host that is not loopback, where browsers would not
    /// keep it. Whoever listens on the way has the session.
    pub const fn dangerous_without_secure(mut self) -> Self {
        self.is_secure = false;
        self
    }

    const fn prefix(&self) -> &'static str {
        match (self.is_secure, self.domain.is_some(), self.is_http_prefixed) {
            (false, _, _) => "",
            (true, false, false) => "__Host-",
            (true, false, true) => "__Host-Http-",
            (true, true, false) => "__Secure-",
            (true, true, true) => "__Http-",
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let lower = self.name.to_ascii_lowercase();
        let prefixed = ["__host-", "__secure-", "__http-"];
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(is_token_byte) {
            return Err(ConfigError::new(
                "a cookie's name is 1 to 64 characters of a token",
            ));
        }
        if prefixed.iter().any(|prefix| lower.starts_with(prefix)) {
            return Err(ConfigError::new(
                "a cookie is named without its prefix, which follows from its attributes",
            ));
        }
        if let Some(domain) = &self.domain {
            let well_formed = domain.contains('.')
                && domain
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
                && !domain.starts_with('.')
                && !domain.ends_with('.');
            if !well_formed {
                return Err(ConfigError::new(
                    "a cookie's domain is a host name, such as example.com",
                ));
            }
        }
        let needs_secure = self.same_site == SameSite::None || self.is_partitioned || self.is_http_prefixed;
        if needs_secure && !self.is_secure {
            return Err(ConfigError::new(
                "SameSite=None, Partitioned and prefixes need Secure",
            ));
        }
        Ok(())
    }

    pub(crate) fn compile(&self) -> Result<Cookie, ConfigError> {
        self.check()?;
        let name = format!("{}{}", self.prefix(), self.name);
        let mut attributes = "; Path=/".to_owned();
        if let Some(domain) = &self.domain {
            let _ = write!(attributes, "; Domain={domain}");
        }
        attributes.push_str(if self.is_secure {
            "; Secure; HttpOnly"
        } else {
            "; HttpOnly"
        });
        attributes.push_str(match self.same_site {
            SameSite::Lax => "; SameSite=Lax",
            SameSite::Strict => "; SameSite=Strict",
            SameSite::None => "; SameSite=None",
        });
        if self.is_partitioned {
            attributes.push_str("; Partitioned");
        }
        let deletion = format!("{name}={attributes}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        let deletion = HeaderValue::try_from(deletion).map_err(|error| {
            ConfigError::new("a cookie's settings are no header field").with_source(error)
        })?;
        Ok(Cookie {
            name: name.into(),
            attributes: attributes.into(),
            deletion,
        })
    }
}

const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// The settings, ready for use.
#[derive(Clone, Debug)]
pub(crate) struct Cookie {
    name: Box<str>,
    attributes: Box<str>,
    deletion: HeaderValue,
}

impl Cookie {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The field that deletes it: browsers ignore one without the attributes that it was set with.
    pub(crate) fn deletion(&self) -> HeaderValue {
        self.deletion.clone()
    }

    /// The field that sets it, until the browser is closed or for `max_age`.
    pub(crate) fn setting(&self, value: &str, max_age: Option<Duration>) -> Option<HeaderValue> {
        let mut field = zeroize::Zeroizing::new(String::with_capacity(
            self.name.len() + self.attributes.len() + 80,
        ));
        let _ = write!(field, "{}={value}{}", self.name, self.attributes);
        if let Some(age) = max_age {
            let _ = write!(field, "; Max-Age={}", age.as_secs());
        }
        let mut field = HeaderValue::try_from(field.as_str()).ok()?;
        field.set_sensitive(true);
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(cookie: &SessionCookie) -> String {
        let cookie = cookie.compile().expect("settings");
        let field = cookie.setting("v", None).expect("a field");
        assert!(field.is_sensitive());
        let deletion = cookie.deletion();
        let same = deletion.to_str().expect("ascii").replacen('=', "=v", 1);
        let field = field.to_str().expect("ascii").to_owned();
        assert_eq!(
            same,
            format!("{field}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
            "CK12: deletion has the same attributes"
        );
        field
    }

    /// CK1, CK3 to CK6, CK8, CK12, T-COOKIE-2
    #[test]
    fn attributes_are_those_of_the_settings_and_deletion_repeats_them() {
        let default = SessionCookie::default;
        for (cookie, expected) in [
            (
                default(),
                "__Host-session=v; Path=/; Secure; HttpOnly; SameSite=Lax",
            ),
            (
                default().name("sid").same_site(SameSite::Strict).http_prefixed(),
                "__Host-Http-sid=v; Path=/; Secure; HttpOnly; SameSite=Strict",
            ),
            (
                default().domain("example.com"),
                "__Secure-session=v; Path=/; Domain=example.com; Secure; HttpOnly; SameSite=Lax",
            ),
            (
                default().same_site(SameSite::None).partitioned(),
                "__Host-session=v; Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
            ),
            (
                default().dangerous_without_secure(),
                "session=v; Path=/; HttpOnly; SameSite=Lax",
            ),
        ] {
            assert_eq!(set(&cookie), expected);
        }
        let cookie = default().compile().expect("settings");
        let field = cookie
            .setting("v", Some(Duration::from_secs(90)))
            .expect("a field");
        assert!(field.to_str().expect("ascii").ends_with("; Max-Age=90"));
    }

    /// CK5
    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        let default = SessionCookie::default;
        for cookie in [
            default().name(""),
            default().name("a b"),
            default().name("a=b"),
            default().name("__host-x"),
            default().domain("example.com; Path=/x"),
            default().domain(".example.com"),
            default().domain("com"),
            default().dangerous_without_secure().same_site(SameSite::None),
            default().dangerous_without_secure().partitioned(),
            default().dangerous_without_secure().http_prefixed(),
        ] {
            assert!(cookie.compile().is_err(), "{cookie:?}");
        }
    }
}
