//! When keys were used, written down now and then.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portcullis_core::{Clock, Timestamp};
use portcullis_store::{RecordStore, Replacement, StoreError, StoreErrorKind};

use crate::{KeyId, record};

/// How often the use of one key is written at most.
const EVERY: Duration = Duration::from_secs(60);
const CAPACITY: usize = 100_000;
/// More often than that a record is not changed by others within one flush.
const ATTEMPTS: usize = 8;

/// Remembers which keys were used, and [writes it down](Self::flush) when told: not on the way of a request, and for
/// each key once a minute at most, whatever other instances write.
///
/// What is not written yet is lost with the process: good enough to find keys that nobody uses.
///
/// ```
/// # async fn example(service: portcullis_apikey::ApiKeyService) {
/// let last_used = service.last_used();
/// tokio::spawn(async move { last_used.run(tokio::time::sleep).await });
/// # }
/// ```
#[derive(Clone)]
pub struct LastUsed(Arc<Inner>);

struct Inner {
    store: Arc<dyn RecordStore>,
    clock: Arc<dyn Clock>,
    pending: Mutex<HashMap<KeyId, Timestamp>>,
}

/// What a [flush](LastUsed::flush) came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flushed {
    /// Keys whose use was written.
    pub written: usize,
    /// Keys that are to be written by a later flush: the store did not answer, or others changed the record all the time.
    pub kept: usize,
}

impl LastUsed {
    pub(crate) fn new(store: Arc<dyn RecordStore>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            store,
            clock,
            pending: Mutex::default(),
        }))
    }

    /// Whether a use at `now` is worth writing when the last one known is `known`.
    pub(crate) fn is_due(known: Timestamp, now: Timestamp) -> bool {
        // A clock that was set back must not stop it for good.
        now.saturating_since(known) >= EVERY || known.saturating_since(now) >= EVERY
    }

    /// Remembers a use. When there is no room, it is not remembered.
    pub(crate) fn note(&self, id: KeyId, at: Timestamp) {
        let mut pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() < CAPACITY || pending.contains_key(&id) {
            pending.insert(id, at);
        }
    }

    /// Writes down what was used, one record after the other, until the store does not answer. A change that others
    /// make meanwhile is not lost, and a key that was revoked stays so.
    pub async fn flush(&self) -> Flushed {
        let batch = {
            let mut pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *pending)
        };
        // Not lost when this future is dropped half-way.
        let mut rest = Rest { uses: self, batch };
        let mut flushed = Flushed::default();
        let mut kept = HashMap::new();
        while let Some((id, at)) = rest.batch.iter().next().map(|(id, at)| (*id, *at)) {
            match self.write(id, at).await {
                Ok(written) => flushed.written += usize::from(written),
                Err(error) => {
                    tracing::warn!(
                        reason = error.kind().as_str(),
                        "the last use of an API key was not written"
                    );
                    // Those after it would not be answered either.
                    if error.kind() == StoreErrorKind::Unavailable {
                        break;
                    }
                    kept.insert(id, at);
                }
            }
            rest.batch.remove(&id);
        }
        rest.batch.extend(kept);
        flushed.kept = rest.batch.len();
        flushed
    }

    /// Flushes once a minute for ever: `run(tokio::time::sleep)`. Abort the task to end it, and
    /// [flush](Self::flush) once more before the process ends.
    pub async fn run<S, W>(&self, sleep: S)
    where
        S: Fn(Duration) -> W,
        W: Future,
    {
        loop {
            sleep(EVERY).await;
            self.flush().await;
        }
    }

    /// Whether what is written need not give way to `at`: it is as new, or newer, and not from a clock that was wrong.
    fn is_as_good(&self, known: Timestamp, at: Timestamp) -> bool {
        let ahead = known.saturating_since(self.0.clock.now());
        at.saturating_since(known) < EVERY && ahead < EVERY
    }

    /// Whether it was written. Not when it need not be, or the key is gone, or none that this version can read.
    async fn write(&self, id: KeyId, at: Timestamp) -> Result<bool, StoreError> {
        let store = &self.0.store;
        let key = id.record_key()?;
        for _ in 0..ATTEMPTS {
            let Some(found) = store.load(&key).await? else {
                return Ok(false);
            };
            let Ok(stored) = record::read(&found) else {
                tracing::warn!(
                    reason = "unreadable",
                    "the last use of an API key was not written"
                );
                return Ok(false);
            };
            let known = stored.key().last_used_at();
            if known.is_some_and(|known| self.is_as_good(known, at)) {
                return Ok(false);
            }
            let used = stored.with(|key| key.last_used_at = Some(at));
            let with = Replacement::new(record::payload(&used)?);
            match store.replace(&key, found.version(), with).await {
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == StoreErrorKind::NotFound => return Ok(false),
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreErrorKind::Conflict.into())
    }
}

/// What is still to be written goes back when it is over.
struct Rest<'u> {
    uses: &'u LastUsed,
    batch: HashMap<KeyId, Timestamp>,
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        let mut pending = self.uses.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, at) in self.batch.drain() {
            // A newer use was noted meanwhile.
            if pending.len() < CAPACITY {
                pending.entry(id).or_insert(at);
            }
        }
    }
}

impl fmt::Debug for LastUsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastUsed")
            .field("store", &self.0.store)
            .finish_non_exhaustive()
    }
}
