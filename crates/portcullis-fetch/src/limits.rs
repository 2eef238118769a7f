//! What is acceptable in one exchange.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderValue;

use crate::Destinations;

/// The bounds of one exchange.
///
/// | bound | default |
/// |---|---|
/// | [connect timeout](Self::with_connect_timeout) | 2 s |
/// | [total timeout](Self::with_total_timeout) | 5 s |
/// | [body](Self::with_max_body) | 128 KiB |
/// | [media types](Self::with_media_types) | any |
/// | [destinations](Self::with_destinations) | `https` to public hosts |
///
/// ```
/// use std::time::Duration;
/// use portcullis_fetch::Limits;
///
/// let limits = Limits::new()
///     .with_total_timeout(Duration::from_secs(2))
///     .with_media_types(["application/json"]);
/// assert_eq!(limits.max_body(), 128 * 1024);
/// assert!(limits.accepts("application/json; charset=utf-8"));
/// assert!(limits.accepts("application/jwk-set+json"));
/// assert!(!limits.accepts("text/html"));
/// ```
#[derive(Clone, Debug)]
pub struct Limits {
    connect_timeout: Duration,
    total_timeout: Duration,
    max_body: usize,
    media_types: Vec<Cow<'static, str>>,
    destinations: Destinations,
}

impl Limits {
    /// The default bounds.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            total_timeout: Duration::from_secs(5),
            max_body: 128 * 1024,
            media_types: Vec::new(),
            destinations: Destinations::new(),
        }
    }

    /// How long name resolution, TCP and TLS may take. For implementations that can set it for a
    /// single request; `ReqwestFetch` fixes its own when it is built. The
    /// [total](Self::with_total_timeout) holds in any case.
    #[must_use]
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the exchange may take, from the call to the last byte of the body.
    #[must_use]
    pub const fn with_total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// The largest body, in bytes.
    #[must_use]
    pub const fn with_max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// The media types a body may have, in order of preference; an empty list takes any. They are also
    /// what `Accept` says.
    ///
    /// `application/json` includes every `application/…+json` (RFC 6839 §3.1). Parameters are ignored.
    #[must_use]
    pub fn with_media_types<T: Into<Cow<'static, str>>>(
        mut self,
        types: impl IntoIterator<Item = T>,
    ) -> Self {
        self.media_types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Where requests may go.
    #[must_use]
    pub fn with_destinations(mut self, destinations: Destinations) -> Self {
        self.destinations = destinations;
        self
    }

    /// How long name resolution, TCP and TLS may take.
    #[must_use]
    pub const fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// How long the exchange may take.
    #[must_use]
    pub const fn total_timeout(&self) -> Duration {
        self.total_timeout
    }

    /// The largest body, in bytes.
    #[must_use]
    pub const fn max_body(&self) -> usize {
        self.max_body
    }

    /// The media types a body may have. Empty: any.
    pub fn media_types(&self) -> impl Iterator<Item = &str> {
        self.media_types.iter().map(AsRef::as_ref)
    }

    /// Where requests may go.
    #[must_use]
    pub const fn destinations(&self) -> &Destinations {
        &self.destinations
    }

    /// Whether a body with this `Content-Type` is acceptable.
    #[must_use]
    pub fn accepts(&self, content_type: &str) -> bool {
        if self.media_types.is_empty() {
            return true;
        }
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        self.media_types().any(|accepted| {
            essence.eq_ignore_ascii_case(accepted)
                || (accepted.eq_ignore_ascii_case("application/json") && is_json_of_another_name(essence))
        })
    }

    /// The value of `Accept`; `None` when any media type is acceptable or none can be written.
    #[must_use]
    pub fn accept(&self) -> Option<HeaderValue> {
        if self.media_types.is_empty() {
            return None;
        }
        HeaderValue::from_str(&self.media_types.join(", ")).ok()
    }
}

fn is_json_of_another_name(essence: &str) -> bool {
    let essence = essence.to_ascii_lowercase();
    let subtype = essence
        .strip_prefix("application/")
        .and_then(|subtype| subtype.strip_suffix("+json"));
    subtype.is_some_and(|name| !name.is_empty())
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// K10
    #[test]
    fn json_is_accepted_under_its_other_names_and_nothing_else_is() {
        let limits = Limits::new().with_media_types(["application/json"]);
        for good in [
            "application/json",
            "APPLICATION/JSON",
            "application/json;charset=utf-8",
            " application/json ; charset=utf-8",
            "application/jwk-set+json",
            "application/vnd.issuer+json",
        ] {
            assert!(limits.accepts(good), "{good}");
        }
        for bad in [
            "",
            "text/html",
            "text/json",
            "application/+json",
            "application/jsonp",
            "application/jose",
            "image/svg+json",
            "text/html; application/json",
        ] {
            assert!(!limits.accepts(bad), "{bad}");
        }
        assert!(Limits::new().accepts("anything/else"));
    }

    #[test]
    fn accept_lists_the_media_types() {
        assert_eq!(Limits::new().accept(), None);
        let limits = Limits::new().with_media_types(["application/jwk-set+json", "application/json"]);
        let accept = limits.accept().expect("two types");
        assert_eq!(accept, "application/jwk-set+json, application/json");
    }
}
