//! The keys that GitHub signs reports with.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Uri};
use portcullis_core::{AuthError, Clock, ConfigError};
use portcullis_fetch::{Fetch, FetchError, FetchErrorKind, Limits, fetch_within};
use serde::Deserialize;
use tokio::sync::Mutex;

/// How long keys are believed.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// How often they are fetched at most.
const PAUSE: Duration = Duration::from_secs(30);
const MOST: usize = 100;

/// A point of P-256, uncompressed.
type Point = Arc<[u8]>;

pub(super) struct PublicKeys {
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    address: Uri,
    limits: Limits,
    /// Apart from the attempts: known keys never wait for a fetch.
    fetched: RwLock<Option<Fetched>>,
    /// When the last attempt was, and whether it failed. One at a time.
    tried: Mutex<Option<(Duration, bool)>>,
}

struct Fetched {
    points: HashMap<String, Point>,
    at: Duration,
}

#[derive(Deserialize)]
struct Document {
    public_keys: Vec<Published>,
}

#[derive(Deserialize)]
struct Published {
    key_identifier: String,
    key: String,
}

impl PublicKeys {
    pub(super) fn new(
        fetch: Arc<dyn Fetch>,
        clock: Arc<dyn Clock>,
        address: &str,
        limits: Limits,
    ) -> Result<Self, ConfigError> {
        let invalid = |error| ConfigError::new("no address of GitHub's keys").with_source(error);
        Ok(Self {
            fetch,
            clock,
            address: Uri::try_from(address).map_err(invalid)?,
            limits,
            fetched: RwLock::default(),
            tried: Mutex::default(),
        })
    }

    pub(super) fn with_clock(&self, clock: Arc<dyn Clock>) -> Self {
        Self {
            fetch: Arc::clone(&self.fetch),
            clock,
            address: self.address.clone(),
            limits: self.limits.clone(),
            fetched: RwLock::default(),
            tried: Mutex::default(),
        }
    }

    /// The key of that name. One fetch at a time, and those who ask for unknown keys wait for it.
    pub(super) async fn find(&self, identifier: &str) -> Result<Option<Point>, AuthError> {
        if let Some(point) = self.known(identifier) {
            return Ok(Some(point));
        }
        let mut tried = self.tried.lock().await;
        if let Some(point) = self.known(identifier) {
            return Ok(Some(point));
        }
        let unavailable = || AuthError::unavailable("scanning_keys_unavailable").with_retry_after(PAUSE);
        let now = self.clock.monotonic();
        match *tried {
            Some((at, true)) if now.saturating_sub(at) < PAUSE => return Err(unavailable()),
            Some((at, false)) if now.saturating_sub(at) < PAUSE => return Ok(None),
            _ => {}
        }
        // Should this be dropped meanwhile, it counts as failed.
        *tried = Some((now, true));
        let points = self
            .fetch()
            .await
            .map_err(|error| unavailable().with_source(error))?;
        let found = points.get(identifier).cloned();
        let mut fetched = self.fetched.write().unwrap_or_else(PoisonError::into_inner);
        *fetched = Some(Fetched { points, at: now });
        *tried = Some((now, false));
        Ok(found)
    }

    fn known(&self, identifier: &str) -> Option<Point> {
        let fetched = self.fetched.read().unwrap_or_else(PoisonError::into_inner);
        let fresh = |fetched: &&Fetched| self.clock.monotonic().saturating_sub(fetched.at) < FRESH;
        fetched.as_ref().filter(fresh)?.points.get(identifier).cloned()
    }

    async fn fetch(&self) -> Result<HashMap<String, Point>, FetchError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.address.clone();
        let answer = fetch_within(&*self.fetch, request, &self.limits).await?;
        if !answer.status().is_success() {
            return Err(FetchError::new(
                FetchErrorKind::Other,
                "GitHub answered with an error",
            ));
        }
        let unreadable = |_| FetchError::new(FetchErrorKind::Other, "GitHub's keys cannot be read");
        let document: Document = serde_json::from_slice(answer.body()).map_err(unreadable)?;
        // One bad key spoils nothing.
        let keys = document.public_keys.into_iter().take(MOST);
        let points = keys.filter_map(|key| Some((key.key_identifier, point_of_pem(&key.key)?)));
        Ok(points.collect())
    }
}

/// What stands before the point of a `SubjectPublicKeyInfo` of P-256 (RFC 5480 §2): the same bytes in every key.
const HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The point of a public key in PEM (RFC 7468 §13).
fn point_of_pem(pem: &str) -> Option<Point> {
    let body = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?;
    let body = body.strip_suffix("-----END PUBLIC KEY-----")?;
    let body: String = body.split_ascii_whitespace().collect();
    let der = STANDARD.decode(body).ok()?;
    let point = der.strip_prefix(&HEAD)?;
    (point.len() == 65 && point.first() == Some(&4)).then(|| point.into())
}
