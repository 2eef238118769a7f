//! One attempt to fetch keys.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ETAG, IF_NONE_MATCH};
use http::{Request, Uri};
use portcullis_fetch::{Fetch, Limits, fetch_within};
use portcullis_jwt::{JwksError, JwksLimits, Keys};

use crate::JwksFetchError;
use crate::cache::Validator;
use crate::cache_control::{max_age, retry_after};
use crate::discovery::discover;

/// How long a discovered address is believed.
const DISCOVERY_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Where the keys are.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// At a configured address.
    At(Uri),
    /// Where the issuer's metadata says.
    Discovered { issuer: Arc<str>, addresses: [Uri; 2] },
}

/// Keys, and the document they were read from.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) keys: Arc<Keys>,
    pub(crate) document: Bytes,
}

impl Published {
    pub(crate) fn read(document: Bytes, limits: &JwksLimits) -> Result<Self, JwksError> {
        let keys = Arc::new(Keys::from_jwks(&document, limits)?);
        Ok(Self { keys, document })
    }
}

/// What an attempt brought.
#[derive(Debug)]
pub(crate) enum Answer {
    Replaced {
        published: Published,
        validator: Option<Validator>,
        max_age: Option<Duration>,
    },
    NotModified {
        max_age: Option<Duration>,
    },
}

/// An address that was discovered, and when.
#[derive(Clone, Debug)]
pub(crate) struct Discovered {
    address: Uri,
    at: Duration,
}

/// Everything one attempt needs.
pub(crate) struct Attempt<'a> {
    pub(crate) fetch: &'a dyn Fetch,
    pub(crate) source: &'a Source,
    pub(crate) limits: &'a Limits,
    pub(crate) key_limits: &'a JwksLimits,
    pub(crate) validator: Option<Validator>,
    pub(crate) now: Duration,
}

impl Attempt<'_> {
    /// Fetches the keys. A discovered address is kept in `remembered` while attempts succeed and it is
    /// younger than an hour; a failed attempt asks the issuer again where its keys are.
    pub(crate) async fn run(self, remembered: &mut Option<Discovered>) -> Result<Answer, JwksFetchError> {
        let known = remembered
            .take()
            .filter(|known| self.now.saturating_sub(known.at) < DISCOVERY_LIFETIME);
        let address = match (self.source, known) {
            (Source::At(address), _) => Discovered {
                address: address.clone(),
                at: self.now,
            },
            (Source::Discovered { .. }, Some(known)) => known,
            (Source::Discovered { issuer, addresses }, None) => {
                let address = discover(self.fetch, issuer, addresses, self.limits).await?;
                Discovered {
                    address,
                    at: self.now,
                }
            }
        };
        let answer = self.fetch_keys(&address.address).await?;
        *remembered = Some(address);
        Ok(answer)
    }

    async fn fetch_keys(self, address: &Uri) -> Result<Answer, JwksFetchError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = address.clone();
        let validator = self.validator.filter(|validator| validator.address == *address);
        let conditional = validator.is_some();
        if let Some(validator) = validator {
            request.headers_mut().insert(IF_NONE_MATCH, validator.etag);
        }
        let response = fetch_within(self.fetch, request, self.limits).await?;
        let headers = response.headers();
        let max_age = max_age(headers);
        match response.status().as_u16() {
            200 => Ok(Answer::Replaced {
                validator: headers.get(ETAG).map(|etag| Validator {
                    address: address.clone(),
                    etag: etag.clone(),
                }),
                max_age,
                published: Published::read(response.into_body(), self.key_limits)?,
            }),
            304 if conditional => Ok(Answer::NotModified { max_age }),
            status => Err(JwksFetchError::status(status, retry_after(headers))),
        }
    }
}
