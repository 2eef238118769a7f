//! What GitHub reports, and what it is told.

use std::fmt;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use portcullis_core::{AuthError, Secret};
use serde::{Deserialize, Serialize};

use crate::verify::sha256;
use crate::{ApiKeyService, Leak};

/// One text that was found. GitHub says more about it, which is not needed.
#[derive(Deserialize)]
struct Written {
    token: String,
    #[serde(rename = "type")]
    kind: String,
}

pub(super) struct Match {
    token: Secret<String>,
    kind: String,
}

pub(super) fn read(body: &[u8]) -> Result<Vec<Match>, AuthError> {
    let malformed = |_| AuthError::invalid_request("scanning_report_malformed");
    let matches: Vec<Written> = serde_json::from_slice(body).map_err(malformed)?;
    let custody = |written: Written| Match {
        token: Secret::new(written.token),
        kind: written.kind,
    };
    Ok(matches.into_iter().map(custody).collect())
}

pub(super) async fn revoke(service: &ApiKeyService, matches: Vec<Match>) -> Result<Feedback, AuthError> {
    let mut labels = Vec::with_capacity(matches.len());
    for found in matches {
        let text = found.token.expose().as_bytes();
        let leak = service
            .report_leaked(text)
            .await
            .map_err(|error| AuthError::unavailable("api_keys_unavailable").with_source(error))?;
        labels.push(Label {
            token_hash: hex(&sha256(text)),
            token_type: found.kind,
            label: match leak {
                Leak::Revoked => "true_positive",
                Leak::Harmless => "false_positive",
            },
        });
    }
    Ok(Feedback(labels))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Serialize)]
struct Label {
    token_hash: String,
    token_type: String,
    label: &'static str,
}

/// What GitHub is told about a report: for each text its SHA-256, and whether it opened anything.
#[must_use]
pub struct Feedback(Vec<Label>);

impl Feedback {
    /// How many keys were revoked.
    #[must_use]
    pub fn revoked(&self) -> usize {
        self.0
            .iter()
            .filter(|label| label.label == "true_positive")
            .count()
    }

    /// The body of the answer, JSON.
    #[must_use]
    pub fn body(&self) -> Bytes {
        // INVARIANT: strings are always written; an empty list says nothing false.
        serde_json::to_vec(&self.0).map_or_else(|_| Bytes::from_static(b"[]"), Bytes::from)
    }

    /// The answer.
    #[must_use]
    pub fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(self.body());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl fmt::Debug for Feedback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feedback")
            .field("texts", &self.0.len())
            .field("revoked", &self.revoked())
            .finish()
    }
}
