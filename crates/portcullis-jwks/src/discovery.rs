//! From an issuer's identifier to the address of its keys (OpenID Connect Discovery §4, RFC 8414 §3).

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use http::{Request, Uri};
use portcullis_core::ConfigError;
use portcullis_fetch::{Fetch, Limits, fetch_within};
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::cache_control::retry_after;
use crate::{JwksFetchError, JwksFetchErrorKind};

/// The two places of the document, in the order they are asked: OpenID Connect appends the well-known
/// part to the issuer's path, RFC 8414 §3.1 inserts it before.
pub(crate) fn addresses(issuer: &str) -> Result<[Uri; 2], ConfigError> {
    let invalid =
        || ConfigError::new("an issuer is a URL with a host, without query and fragment (RFC 8414 §2)");
    if issuer.contains(['?', '#']) {
        return Err(invalid());
    }
    let uri = Uri::try_from(issuer).map_err(|error| invalid().with_source(error))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(invalid());
    };
    let path = uri.path().trim_end_matches('/');
    let origin = format!("{scheme}://{authority}");
    let parse = |url: String| Uri::try_from(url).map_err(|error| invalid().with_source(error));
    Ok([
        parse(format!("{origin}{path}/.well-known/openid-configuration"))?,
        parse(format!("{origin}/.well-known/oauth-authorization-server{path}"))?,
    ])
}

/// Asks for the document and returns its `jwks_uri`.
///
/// The second address is asked only when the first has no document; a document of another issuer ends
/// the attempt, for whoever answers there is not who was asked.
pub(crate) async fn discover(
    fetch: &dyn Fetch,
    issuer: &str,
    addresses: &[Uri; 2],
    limits: &Limits,
) -> Result<Uri, JwksFetchError> {
    let [appended, inserted] = addresses;
    match read_document(fetch, issuer, appended, limits).await {
        Err(error) if matches!(error.kind(), JwksFetchErrorKind::Status(_)) => {
            let second = read_document(fetch, issuer, inserted, limits).await;
            // Two missing documents: the first answer says more about what is wrong.
            second.map_err(|other| match other.kind() {
                JwksFetchErrorKind::Status(404) => error,
                _ => other,
            })
        }
        answer => answer,
    }
}

async fn read_document(
    fetch: &dyn Fetch,
    issuer: &str,
    address: &Uri,
    limits: &Limits,
) -> Result<Uri, JwksFetchError> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = address.clone();
    let response = fetch_within(fetch, request, limits).await?;
    if response.status().as_u16() != 200 {
        return Err(JwksFetchError::status(
            response.status().as_u16(),
            retry_after(response.headers()),
        ));
    }
    let unreadable = || JwksFetchError::new(JwksFetchErrorKind::Discovery);
    let document: Document = serde_json::from_slice(response.body()).map_err(|_| unreadable())?;
    if document.issuer != issuer {
        return Err(JwksFetchError::new(JwksFetchErrorKind::IssuerMismatch));
    }
    Ok(limits.destinations().admit(&document.jwks_uri)?)
}

/// The two members that matter here. Unknown ones are ignored (RFC 8414 §3.2); none may occur twice.
struct Document {
    issuer: String,
    jwks_uri: String,
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Document;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut seen = BTreeMap::<String, Option<String>>::new();
                while let Some(name) = map.next_key::<String>()? {
                    let value = if matches!(name.as_str(), "issuer" | "jwks_uri") {
                        Some(map.next_value()?)
                    } else {
                        map.next_value::<IgnoredAny>()?;
                        None
                    };
                    if seen.insert(name, value).is_some() {
                        return Err(M::Error::custom("duplicate member"));
                    }
                }
                let mut take = |name| seen.remove(name).flatten();
                match (take("issuer"), take("jwks_uri")) {
                    (Some(issuer), Some(jwks_uri)) => Ok(Document { issuer, jwks_uri }),
                    _ => Err(M::Error::custom("a member is missing")),
                }
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DC1
    #[test]
    fn the_document_has_two_places() {
        let [appended, inserted] = addresses("https://issuer.example/tenant/").expect("addresses");
        assert_eq!(
            appended,
            "https://issuer.example/tenant/.well-known/openid-configuration"
        );
        assert_eq!(
            inserted,
            "https://issuer.example/.well-known/oauth-authorization-server/tenant"
        );
        let [appended, inserted] = addresses("https://issuer.example:8443").expect("addresses");
        assert_eq!(
            appended,
            "https://issuer.example:8443/.well-known/openid-configuration"
        );
        assert_eq!(
            inserted,
            "https://issuer.example:8443/.well-known/oauth-authorization-server"
        );
    }

    /// DC4
    #[test]
    fn an_issuer_with_query_or_fragment_is_refused() {
        for bad in [
            "",
            "issuer",
            "/path",
            "https://issuer.example?x",
            "https://issuer.example#x",
            "https://",
        ] {
            assert!(addresses(bad).is_err(), "{bad}");
        }
    }
}
