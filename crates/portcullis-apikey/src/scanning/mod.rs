//! Reports of leaked keys from GitHub's secret scanning.

mod keys;
mod report;

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use portcullis_core::{AuthError, Clock, ConfigError, SystemClock};
use portcullis_fetch::{Fetch, Limits};

use self::keys::PublicKeys;
pub use self::report::Feedback;
use crate::ApiKeyService;

const IDENTIFIER: &str = "github-public-key-identifier";
const SIGNATURE: &str = "github-public-key-signature";
const MAX_BODY: usize = 1024 * 1024;
/// A P-256 signature in DER has 72 bytes at most.
const LONGEST_SIGNATURE: usize = 128;
const LONGEST_IDENTIFIER: usize = 256;

/// Takes reports of GitHub's [secret scanning partner program][program], and revokes the keys in them.
///
/// To take part, send GitHub the [regular expression](crate::ApiKeyFormat::regex) of the keys and the address at which this
/// is mounted. It stands outside every layer that authenticates.
///
/// # Decision rules
///
/// 1. A body over 1 MiB is refused unread: 400.
/// 2. The fields `Github-Public-Key-Identifier` and `Github-Public-Key-Signature` occur once each, and the signature
///    (ECDSA with P-256 and SHA-256, DER in base64) over the raw body holds with the key of that identifier. Otherwise 403,
///    one answer for all of it, and nothing is looked up.
/// 3. GitHub's keys are fetched when one is unknown, once in 30 seconds at most, and those that are known are believed for a day.
///    While an unknown key cannot be looked up for an outage: 503.
/// 4. A text in the report revokes a key only when it *is* the key: form, checksum and digest hold. A list of ids
///    revokes nothing.
/// 5. The answer names, for each text by its SHA-256, whether it opened anything until now.
/// 6. When the store does not answer: 503, and GitHub sends the report again. What was revoked by then stays so, and is a
///    false positive in the second answer.
///
/// # What this trusts
///
/// GitHub, and TLS to `api.github.com`. A report that is played back revokes what is revoked already.
///
/// ```
/// use http::{HeaderMap, Response};
/// use portcullis_apikey::GithubScanning;
/// use portcullis_core::AuthError;
///
/// async fn endpoint(
///     scanning: &GithubScanning,
///     headers: &HeaderMap,
///     body: &[u8],
/// ) -> Result<Response<bytes::Bytes>, AuthError> {
///     Ok(scanning.handle(headers, body).await?.into_response())
/// }
/// ```
///
/// [program]: https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program
#[derive(Clone)]
#[must_use]
pub struct GithubScanning {
    service: ApiKeyService,
    keys: Arc<PublicKeys>,
}

impl GithubScanning {
    /// Where GitHub publishes its keys.
    pub const KEYS: &str = "https://api.github.com/meta/public_keys/secret_scanning";

    /// Revokes keys of `service`, and fetches GitHub's keys with `fetch`.
    ///
    /// # Errors
    ///
    /// None today; a builder's signature for what is to come.
    pub fn new(service: ApiKeyService, fetch: impl Fetch) -> Result<Self, ConfigError> {
        Self::with(service, Arc::new(fetch), Arc::new(SystemClock::new()), Self::KEYS)
    }

    /// Takes the time from `clock`; the system's unless called. Forgets what was fetched.
    pub fn clock(self, clock: impl Clock) -> Self {
        let keys = self.keys.with_clock(Arc::new(clock));
        Self {
            keys: Arc::new(keys),
            ..self
        }
    }

    fn with(
        service: ApiKeyService,
        fetch: Arc<dyn Fetch>,
        clock: Arc<dyn Clock>,
        address: &'static str,
    ) -> Result<Self, ConfigError> {
        let limits = Limits::new().with_media_types(["application/json"]);
        let keys = PublicKeys::new(fetch, clock, address, limits)?;
        Ok(Self {
            service,
            keys: Arc::new(keys),
        })
    }

    /// Verifies a report, and revokes what it proves to have leaked. `body` is as it was sent, byte for byte.
    ///
    /// Runs inside a tokio runtime with time enabled, which fetching keys needs.
    ///
    /// # Errors
    ///
    /// See the decision rules; each is a refusal to answer with.
    pub async fn handle(&self, headers: &HeaderMap, body: &[u8]) -> Result<Feedback, AuthError> {
        if body.len() > MAX_BODY {
            return Err(AuthError::invalid_request("scanning_report_too_large"));
        }
        self.verify(headers, body).await?;
        let matches = report::read(body)?;
        report::revoke(&self.service, matches).await
    }

    async fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), AuthError> {
        let refused = || AuthError::denied("scanning_signature");
        let identifier = only(headers, IDENTIFIER, LONGEST_IDENTIFIER).ok_or_else(refused)?;
        let signature = only(headers, SIGNATURE, LONGEST_SIGNATURE).ok_or_else(refused)?;
        let signature = STANDARD.decode(signature).map_err(|_| refused())?;
        let point = self.keys.find(identifier).await?.ok_or_else(refused)?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &*point)
            .verify(body, &signature)
            .map_err(|_| refused())
    }
}

/// The value of a field that occurs once.
fn only<'h>(headers: &'h HeaderMap, name: &str, longest: usize) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    value
        .to_str()
        .ok()
        .filter(|value| !value.is_empty() && value.len() <= longest)
}

impl fmt::Debug for GithubScanning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GithubScanning")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
