//! The client that ships.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use portcullis_core::ConfigError;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Proxy, Url};

use self::resolver::{RefusedAddress, Resolver};
use crate::{Fetch, FetchError, FetchErrorKind, Limits, Trust};

mod resolver;

/// A [`Fetch`] over reqwest, with rustls and aws-lc-rs. Cheap to clone: a clone shares connections.
///
/// HTTP/1.1, no redirects, no cookies, no `Referer`, no retries, no decompression, no proxy from the
/// environment. A body is read piece by piece, and the connection dropped at the cap. Hosts that came
/// out of data ([`Trust::Public`]) have a client of their own, which connects only if every address of
/// the host is public, and to none but those.
///
/// # What this trusts
///
/// The operating system's certificates and [those added](ReqwestFetchBuilder::root_certificates_pem).
/// On Linux they are read from disk when the client is built: an image without a package such as
/// `ca-certificates` has none. No process-wide cryptography needs to be installed; if the application
/// has installed a default provider of rustls, that one is used.
///
/// ```
/// use portcullis_fetch::ReqwestFetch;
///
/// let fetch = ReqwestFetch::builder().build();
/// # let _ = fetch;
/// ```
#[derive(Clone)]
pub struct ReqwestFetch {
    configured: Client,
    public: Client,
}

impl ReqwestFetch {
    /// A client with the defaults.
    ///
    /// # Errors
    ///
    /// As [`ReqwestFetchBuilder::build`].
    pub fn new() -> Result<Self, ConfigError> {
        Self::builder().build()
    }

    /// Starts a configuration.
    pub fn builder() -> ReqwestFetchBuilder {
        ReqwestFetchBuilder {
            connect_timeout: Duration::from_secs(2),
            roots: Vec::new(),
            only_these_roots: false,
            proxy: None,
        }
    }

    fn client(&self, trust: Trust) -> &Client {
        match trust {
            Trust::Configured | Trust::Loopback => &self.configured,
            Trust::Public => &self.public,
        }
    }
}

#[async_trait]
impl Fetch for ReqwestFetch {
    async fn fetch(&self, request: Request<Bytes>, limits: &Limits) -> Result<Response<Bytes>, FetchError> {
        let trust = limits.destinations().check(request.uri())?;
        let mut request = reqwest::Request::try_from(request).map_err(failure)?;
        *request.timeout_mut() = Some(limits.total_timeout());
        let response = self.client(trust).execute(request).await.map_err(failure)?;
        collect(response, limits.max_body()).await
    }
}

/// Reads the body up to the cap.
async fn collect(mut response: reqwest::Response, max_body: usize) -> Result<Response<Bytes>, FetchError> {
    const TOO_LARGE: FetchError = FetchError::new(FetchErrorKind::TooLarge, "the body is too large");

    let announced = response.content_length().unwrap_or_default();
    if announced > max_body as u64 {
        return Err(TOO_LARGE);
    }
    let mut body = BytesMut::new();
    while let Some(piece) = response.chunk().await.map_err(failure)? {
        if piece.len() > max_body.saturating_sub(body.len()) {
            return Err(TOO_LARGE);
        }
        body.extend_from_slice(&piece);
    }
    let mut collected = Response::new(body.freeze());
    *collected.status_mut() = response.status();
    *collected.version_mut() = response.version();
    *collected.headers_mut() = std::mem::take(response.headers_mut());
    Ok(collected)
}

/// Says what kind of failure it was. The URL is dropped: its query may be confidential.
fn failure(error: reqwest::Error) -> FetchError {
    let (kind, message) = if is_refused_address(&error) {
        let message = "the host has an address that is not public";
        (FetchErrorKind::RefusedDestination, message)
    } else if error.is_timeout() {
        (FetchErrorKind::Timeout, "the exchange took too long")
    } else if error.is_connect() {
        (FetchErrorKind::Connect, "there is no connection")
    } else {
        (FetchErrorKind::Other, "the exchange failed")
    };
    FetchError::new(kind, message).with_source(error.without_url())
}

fn is_refused_address(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if error.is::<RefusedAddress>() {
            return true;
        }
        cause = error.source();
    }
    false
}

impl fmt::Debug for ReqwestFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestFetch").finish_non_exhaustive()
    }
}

/// Configures a [`ReqwestFetch`].
#[must_use = "call `build`"]
pub struct ReqwestFetchBuilder {
    connect_timeout: Duration,
    roots: Vec<Certificate>,
    only_these_roots: bool,
    proxy: Option<Url>,
}

impl ReqwestFetchBuilder {
    /// How long name resolution, TCP and TLS may take. Default: 2 s. The total is among the [`Limits`]
    /// of each exchange.
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Trusts the certificates of a PEM file beside the operating system's: a private authority, as in
    /// a cluster. Can be called several times.
    ///
    /// # Errors
    ///
    /// When there is no certificate in it, or one that cannot be read.
    pub fn root_certificates_pem(mut self, pem: &[u8]) -> Result<Self, ConfigError> {
        let roots = Certificate::from_pem_bundle(pem)
            .map_err(|error| ConfigError::new("the root certificates cannot be read").with_source(error))?;
        if roots.is_empty() {
            return Err(ConfigError::new("there is no certificate in the PEM file"));
        }
        self.roots.extend(roots);
        Ok(self)
    }

    /// Trusts the [added](Self::root_certificates_pem) certificates only, none of the operating
    /// system's.
    pub const fn only_these_root_certificates(mut self) -> Self {
        self.only_these_roots = true;
        self
    }

    /// Sends everything except requests to this machine through an HTTP proxy, `http://host:port` or
    /// `https://…`, which may have user information. Default: none; the environment is not asked.
    ///
    /// The proxy then resolves the names, and it alone can refuse private addresses behind them.
    ///
    /// # Errors
    ///
    /// When it is no such URL. The error does not show it.
    pub fn proxy(mut self, url: &str) -> Result<Self, ConfigError> {
        let url = Url::parse(url)
            .ok()
            .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| ConfigError::new("a proxy is an `http` or `https` URL with a host"))?;
        self.proxy = Some(url);
        Ok(self)
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up: no certificate authority is known, or one was added that cannot be
    /// read.
    pub fn build(self) -> Result<ReqwestFetch, ConfigError> {
        if self.only_these_roots && self.roots.is_empty() {
            return Err(ConfigError::new(
                "no root certificate was added, and none else is allowed",
            ));
        }
        let finish = |client: ClientBuilder| {
            let client = client.build();
            client.map_err(|error| ConfigError::new("the HTTP client cannot be built").with_source(error))
        };
        Ok(ReqwestFetch {
            configured: finish(self.client(Trust::Configured))?,
            public: finish(self.client(Trust::Public).https_only(true))?,
        })
    }

    /// Says what is off even where it is off by default: another crate may have switched on reqwest's
    /// features.
    fn client(&self, trust: Trust) -> ClientBuilder {
        let proxy_host = self.proxy.as_ref().and_then(Url::host_str).map(Box::from);
        let mut client = Client::builder()
            .tls_backend_rustls()
            .http1_only()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.connect_timeout)
            .dns_resolver(Resolver::new(trust, proxy_host));
        client = if self.only_these_roots {
            client.tls_certs_only(self.roots.iter().cloned())
        } else {
            client.tls_certs_merge(self.roots.iter().cloned())
        };
        match self.proxy.clone() {
            Some(proxy) => client.proxy(Proxy::custom(move |url| {
                (!is_this_machine(url)).then(|| proxy.clone())
            })),
            None => client,
        }
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Debug for ReqwestFetchBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestFetchBuilder")
            .field("connect_timeout", &self.connect_timeout)
            .field("roots", &self.roots.len())
            .field("only_these_roots", &self.only_these_roots)
            .field("proxy", &self.proxy.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_in_configuration_are_found_at_once() {
        for url in ["", "proxy:3128", "socks5://proxy:1080", "ftp://proxy"] {
            assert!(ReqwestFetch::builder().proxy(url).is_err(), "{url}");
        }
        assert!(ReqwestFetch::builder().root_certificates_pem(b"").is_err());
        let nobody = ReqwestFetch::builder().only_these_root_certificates().build();
        assert!(nobody.is_err());
    }

    #[test]
    fn credentials_of_a_proxy_are_not_shown() {
        let builder = ReqwestFetch::builder()
            .proxy("http://user:hunter2@proxy.example:3128")
            .expect("a proxy");
        assert!(!format!("{builder:?}").contains("hunter2"));
        let error = ReqwestFetch::builder()
            .proxy("socks5://user:hunter2@proxy.example")
            .expect_err("not HTTP");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
