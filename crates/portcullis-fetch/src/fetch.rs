//! The port, and the one way through it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, REFERER};
use http::{HeaderMap, Request, Response};

use crate::policy::uri_of;
use crate::{FetchError, FetchErrorKind, Limits};

/// A way to send HTTP requests.
///
/// Callers use [`fetch_within`], which checks everything that can be checked from outside. Left to the
/// implementation is what cannot:
///
/// 1. A redirect is returned or refused, never followed.
/// 2. Reading stops, and the connection is dropped, once the body is larger than
///    [`Limits::max_body`].
/// 3. The name is resolved once, and only addresses that [`Trust::permits`](crate::Trust::permits) are
///    connected to. [`Destinations::check`](crate::Destinations::check) of
///    [`Limits::destinations`] says which trust a URL has.
/// 4. Dropping the future ends the exchange. No cookies, no credentials that are not in the request, no
///    proxy that nobody configured, no decompression.
///
/// The feature `contract` tests the first, the second and the fourth over real sockets.
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use portcullis_fetch::{Fetch, FetchError, Limits};
///
/// /// Answers from memory.
/// #[derive(Debug)]
/// struct Canned(&'static str);
///
/// #[async_trait::async_trait]
/// impl Fetch for Canned {
///     async fn fetch(&self, _: Request<Bytes>, _: &Limits) -> Result<Response<Bytes>, FetchError> {
///         Ok(Response::new(Bytes::from_static(self.0.as_bytes())))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot send HTTP requests for portcullis",
    note = "enable the feature `reqwest` of portcullis-fetch and use `ReqwestFetch`, or implement `Fetch`"
)]
#[async_trait]
pub trait Fetch: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` and reads the whole answer. The request's URI is absolute.
    ///
    /// # Errors
    ///
    /// When there is no answer, or none within `limits`. A status that is no success is no error.
    async fn fetch(&self, request: Request<Bytes>, limits: &Limits) -> Result<Response<Bytes>, FetchError>;
}

#[async_trait]
impl<F: Fetch + ?Sized> Fetch for Arc<F> {
    async fn fetch(&self, request: Request<Bytes>, limits: &Limits) -> Result<Response<Bytes>, FetchError> {
        (**self).fetch(request, limits).await
    }
}

/// Sends `request` through `fetch` and keeps the bounds, whoever implements it. See the
/// [decision rules](crate#decision-rules).
///
/// Runs inside a tokio runtime with time enabled.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use portcullis_fetch::{Fetch, FetchError, FetchErrorKind, Limits, fetch_within};
/// # #[derive(Debug)]
/// # struct Canned(&'static str);
/// # #[async_trait::async_trait]
/// # impl Fetch for Canned {
/// #     async fn fetch(&self, _: Request<Bytes>, _: &Limits) -> Result<Response<Bytes>, FetchError> {
/// #         Ok(Response::new(Bytes::from_static(self.0.as_bytes())))
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let request = |url: &str| Request::get(url).body(Bytes::new());
///
/// let answer = fetch_within(&Canned("ok"), request("https://issuer.example/")?, &Limits::new()).await?;
/// assert_eq!(answer.body(), "ok");
///
/// let limits = Limits::new().with_max_body(1);
/// let refused = fetch_within(&Canned("ok"), request("https://issuer.example/")?, &limits).await;
/// assert_eq!(refused.map_err(|error| error.kind()).err(), Some(FetchErrorKind::TooLarge));
///
/// let refused = fetch_within(&Canned("ok"), request("https://10.0.0.1/")?, &Limits::new()).await;
/// assert_eq!(refused.map_err(|error| error.kind()).err(), Some(FetchErrorKind::RefusedDestination));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of the [`Fetch`], and one for each bound that does not hold.
pub async fn fetch_within<F: Fetch + ?Sized>(
    fetch: &F,
    mut request: Request<Bytes>,
    limits: &Limits,
) -> Result<Response<Bytes>, FetchError> {
    let (url, _) = limits.destinations().normalise(request.uri())?;
    *request.uri_mut() = uri_of(&url)?;
    restrict(request.headers_mut(), limits);
    let exchange = tokio::time::timeout(limits.total_timeout(), fetch.fetch(request, limits));
    let Ok(answer) = exchange.await else {
        return Err(FetchError::new(
            FetchErrorKind::Timeout,
            "the exchange took too long",
        ));
    };
    check_response(answer?, limits)
}

/// Takes off what no request of ours has a reason to carry.
fn restrict(headers: &mut HeaderMap, limits: &Limits) {
    for name in [COOKIE, REFERER, ACCEPT_ENCODING] {
        headers.remove(name);
    }
    if let Some(accept) = limits.accept() {
        headers.insert(ACCEPT, accept);
    }
}

fn check_response(mut response: Response<Bytes>, limits: &Limits) -> Result<Response<Bytes>, FetchError> {
    // 304 answers a question of ours (RFC 9110 §15.4.5): it leads nowhere else.
    if response.status().is_redirection() && response.status().as_u16() != 304 {
        return Err(FetchError::new(
            FetchErrorKind::Redirect,
            "the server answered with a redirect",
        ));
    }
    if response.body().len() > limits.max_body() {
        return Err(FetchError::new(FetchErrorKind::TooLarge, "the body is too large"));
    }
    if !response.body().is_empty() && !is_readable(response.headers(), limits) {
        if response.status().is_success() {
            return Err(FetchError::new(
                FetchErrorKind::MediaType,
                "the body is of another media type",
            ));
        }
        *response.body_mut() = Bytes::new();
    }
    Ok(response)
}

fn is_readable(headers: &HeaderMap, limits: &Limits) -> bool {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    if !codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return false;
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    match (types.next(), types.next()) {
        (None, _) => limits.accepts(""),
        (Some(only), None) => only.to_str().is_ok_and(|only| limits.accepts(only)),
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests;
