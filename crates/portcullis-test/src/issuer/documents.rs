//! What the issuer publishes: its key set and its metadata.

use aws_lc_rs::digest;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Request, Response, StatusCode, Uri};

use super::{TestIssuer, Value, json};
use crate::algorithm::encode;

const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
const OAUTH_METADATA: &str = "/.well-known/oauth-authorization-server";

/// Which document a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    Jwks,
    Discovery,
}

impl TestIssuer {
    /// The published key set (RFC 7517 §5).
    #[must_use]
    pub fn jwks(&self) -> String {
        json!({"keys": self.state().published}).to_string()
    }

    /// Where the discovery document says that the key set is: `/jwks` below the issuer.
    #[must_use]
    pub fn jwks_uri(&self) -> String {
        self.state().jwks_uri.clone()
    }

    /// Moves the key set: the discovery document names this address.
    pub fn set_jwks_uri(&self, uri: &str) {
        uri.clone_into(&mut self.state().jwks_uri);
    }

    /// The metadata document of OpenID Connect Discovery §3 and RFC 8414 §2.
    #[must_use]
    pub fn discovery_document(&self) -> String {
        self.metadata().to_string()
    }

    /// Sets a member of the discovery document; `null` leaves it out.
    ///
    /// ```
    /// use portcullis_test::TestIssuer;
    /// use serde_json::Value;
    ///
    /// let issuer = TestIssuer::new("https://issuer.test");
    /// issuer.set_metadata("issuer", "https://issuer.test/");
    /// issuer.set_metadata("token_endpoint", Value::Null);
    /// assert!(!issuer.discovery_document().contains("token_endpoint\""));
    /// ```
    pub fn set_metadata(&self, name: &str, value: impl Into<Value>) {
        self.state().metadata.insert(name.to_owned(), value.into());
    }

    /// Sends `Cache-Control` with both documents, as in `max-age=300`.
    ///
    /// # Panics
    ///
    /// When it cannot stand in a header.
    pub fn set_cache_control(&self, value: &str) {
        HeaderValue::try_from(value).expect("Cache-Control is visible ASCII");
        self.state().cache_control = Some(value.to_owned());
    }

    /// Answers a request for one of the documents as a server would: with an `ETag`, and 304 to
    /// whoever knows it already; 404 for any other path.
    ///
    /// ```
    /// use portcullis_test::TestIssuer;
    ///
    /// let issuer = TestIssuer::new("https://issuer.test");
    /// let request = http::Request::get("https://issuer.test/jwks").body(())?;
    /// assert_eq!(issuer.respond(&request).body(), issuer.jwks().as_bytes());
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn respond<B>(&self, request: &Request<B>) -> Response<Bytes> {
        let body = match self.document_at(request.uri().path()) {
            Some(Document::Jwks) => self.jwks(),
            Some(Document::Discovery) => self.discovery_document(),
            None => return status(StatusCode::NOT_FOUND),
        };
        let etag = format!(
            "\"{}\"",
            encode(digest::digest(&digest::SHA256, body.as_bytes()).as_ref())
        );
        let known = request.headers().get(IF_NONE_MATCH);
        let mut response = if known.is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
            status(StatusCode::NOT_MODIFIED)
        } else {
            json_response(body)
        };
        let headers = response.headers_mut();
        headers.insert(
            ETAG,
            HeaderValue::try_from(etag).expect("base64url may stand in a header"),
        );
        if let Some(value) = &self.state().cache_control {
            let value = HeaderValue::try_from(value).expect("was checked when it was set");
            headers.insert(CACHE_CONTROL, value);
        }
        response
    }

    /// OpenID Connect appends the well-known part to the issuer's path, RFC 8414 §3.1 inserts it.
    pub(crate) fn document_at(&self, path: &str) -> Option<Document> {
        let issuer = path_of(&self.url());
        let issuer = issuer.trim_end_matches('/');
        if path == path_of(&self.jwks_uri()) {
            Some(Document::Jwks)
        } else if path == format!("{issuer}{OPENID_CONFIGURATION}")
            || path == format!("{OAUTH_METADATA}{issuer}")
            || path == format!("{OPENID_CONFIGURATION}{issuer}")
        {
            Some(Document::Discovery)
        } else {
            None
        }
    }

    fn metadata(&self) -> Value {
        let state = self.state();
        let base = state.url.trim_end_matches('/');
        let mut metadata = json!({
            "issuer": state.url,
            "jwks_uri": state.jwks_uri,
            "authorization_endpoint": format!("{base}/authorize"),
            "token_endpoint": format!("{base}/token"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [state.signing.alg()],
            "code_challenge_methods_supported": ["S256"],
        });
        if let Some(members) = metadata.as_object_mut() {
            members.extend(state.metadata.clone());
            members.retain(|_, value| !value.is_null());
        }
        metadata
    }
}

/// A JSON answer.
pub(crate) fn json_response(body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer without a body.
pub(crate) fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

fn path_of(uri: &str) -> String {
    uri.parse::<Uri>()
        .map_or_else(|_| uri.to_owned(), |uri| uri.path().to_owned())
}
