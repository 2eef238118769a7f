//! What may be used once.

use std::fmt;
use std::sync::Arc;

use portcullis_core::Timestamp;

use crate::{Kind, NewRecord, Payload, RecordKey, RecordStore, StoreError, StoreErrorKind};

/// Notices what is presented for the second time: the `jti` of a DPoP proof (RFC 9449 §11.1), of a logout token
/// or of a client assertion.
///
/// A mark is a record of the [store](RecordStore) that is nobody's. Instances that share a store notice what was
/// presented to another one.
///
/// ```
/// use portcullis_core::{Clock, SystemClock};
/// use portcullis_store::{Kind, MemoryStore, ReplayGuard, Use};
/// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// # fn wait<T>(f: impl Future<Output = T>) -> T {
/// #     match pin!(f).poll(&mut Context::from_waker(Waker::noop())) {
/// #         Poll::Ready(done) => done,
/// #         Poll::Pending => panic!("memory never waits"),
/// #     }
/// # }
/// # wait(async {
/// let guard = ReplayGuard::new(MemoryStore::new(), Kind::new("dpop-proof"));
/// let until = SystemClock::new().now().saturating_add(std::time::Duration::from_secs(300));
/// assert_eq!(guard.mark("https://issuer.example", "proof-1", until).await?, Use::First);
/// assert_eq!(guard.mark("https://issuer.example", "proof-1", until).await?, Use::Again);
/// # Ok::<(), portcullis_store::StoreError>(())
/// # }).unwrap();
/// ```
///
/// # What this trusts
///
/// That the store outlives what it marks: marks in memory are gone after a restart.
///
/// # What this does not check
///
/// What is marked. Verify it first: strangers must not be able to fill the store.
#[derive(Clone)]
pub struct ReplayGuard {
    store: Arc<dyn RecordStore>,
    kind: Kind,
}

/// Whether something was presented before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums)] // There is no third answer; whoever cannot tell says so with an error.
pub enum Use {
    /// Never before, and nobody else is told so.
    First,
    /// It was. Refuse it.
    Again,
}

impl ReplayGuard {
    /// Marks in `store`, as records of `kind`. Two guards of one kind know each other's marks.
    #[must_use]
    pub fn new(store: impl RecordStore, kind: Kind) -> Self {
        Self {
            store: Arc::new(store),
            kind,
        }
    }

    /// Marks `id` as used, among the ids of `scope`: its issuer or client. `until` is the last time at which it
    /// would be accepted, tolerance for clocks included; from then on it must be refused by its date.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](StoreErrorKind::Unavailable) and [`Full`](StoreErrorKind::Full) when nobody can tell: it
    /// cannot be accepted. [`Expired`](StoreErrorKind::Expired) when `until` has passed.
    /// [`Malformed`](StoreErrorKind::Malformed) when `scope` and `id` together are longer than a
    /// [key](RecordKey::MAX_LEN) less 8 bytes, or `id` is empty.
    pub async fn mark(&self, scope: &str, id: &str, until: Timestamp) -> Result<Use, StoreError> {
        let key = self.key(scope, id)?;
        // A life ends at its expiry, in whole milliseconds; a mark holds at `until` still.
        let expires_at = until.saturating_add(std::time::Duration::from_millis(1));
        let mark = NewRecord::new(key, Payload::default(), expires_at);
        match self.store.create(mark).await {
            Ok(_) => Ok(Use::First),
            Err(error) if error.kind() == StoreErrorKind::Present => Ok(Use::Again),
            Err(error) => Err(error),
        }
    }

    /// Both parts and the length of the first: no two pairs have one key.
    fn key(&self, scope: &str, id: &str) -> Result<RecordKey, StoreError> {
        if id.is_empty() {
            return Err(StoreError::new(
                StoreErrorKind::Malformed,
                "an id to mark is empty",
            ));
        }
        let length = (scope.len() as u64).to_be_bytes();
        let bytes = [&length, scope.as_bytes(), id.as_bytes()].concat();
        RecordKey::new(self.kind, bytes)
    }
}

impl fmt::Debug for ReplayGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayGuard")
            .field("kind", &self.kind)
            .field("store", &self.store)
            .finish()
    }
}
