//! Counting in a store, so that nobody races past a limit.

use std::time::Duration;

use portcullis_core::{AuthError, Timestamp};

use crate::{NewRecord, Payload, RecordKey, RecordStore, Replacement, StoreError, StoreErrorKind};

/// How far a count can be extended. One that was needed for ten years begins anew.
const LIMIT: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What a count becomes, and when it is of no more use.
pub(super) struct Next {
    pub(super) payload: Vec<u8>,
    pub(super) expires_at: Timestamp,
}

/// Why nothing was counted.
#[derive(Debug)]
pub(super) enum Stop {
    /// A limit is reached, for so long.
    Throttled(Duration, &'static str),
    /// A count was not written by this version of the program, or by none.
    Unreadable,
    /// The count was changed by somebody else each time.
    Contended,
    Store(StoreError),
}

impl Stop {
    /// Whether the store did not answer.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, Self::Store(error) if error.kind() == StoreErrorKind::Unavailable)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Stop> for AuthError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Throttled(wait, why) => Self::throttled(wait).with_source(why),
            Stop::Unreadable => Self::unavailable("throttle_unreadable"),
            Stop::Contended => Self::unavailable("throttle_contended"),
            Stop::Store(error) if error.kind() == StoreErrorKind::Full => {
                Self::unavailable("throttle_full").with_source(error)
            }
            Stop::Store(error) => Self::unavailable("throttle_unavailable").with_source(error),
        }
    }
}

/// Makes of the record of `key` what `step` says, in one step: where somebody else was faster, `step` is asked
/// again about what is there now. Nothing there is no bytes.
pub(super) async fn change<T: Send>(
    store: &dyn RecordStore,
    key: &RecordKey,
    tries: u32,
    now: Timestamp,
    step: impl Fn(&[u8]) -> Result<(Next, T), Stop> + Send + Sync,
) -> Result<T, Stop> {
    for _ in 0..tries {
        let found = store.load(key).await?;
        let bytes = found
            .as_ref()
            .map_or(&[][..], |record| record.payload().as_bytes());
        let (next, answer) = step(bytes)?;
        let payload = Payload::new(next.payload)?;
        let written = match &found {
            None => {
                let limit = now.saturating_add(LIMIT);
                let new = NewRecord::new(key.clone(), payload, next.expires_at).limit(limit);
                store.create(new).await
            }
            Some(record) => {
                let replacement = Replacement::new(payload).extend_to(next.expires_at);
                store.replace(key, record.version(), replacement).await
            }
        };
        match written.map_err(|error| (error.kind(), error)) {
            Ok(_) => return Ok(answer),
            Err((StoreErrorKind::Present | StoreErrorKind::Conflict | StoreErrorKind::NotFound, _)) => {}
            Err((_, error)) => return Err(error.into()),
        }
    }
    Err(Stop::Contended)
}

/// Whole milliseconds since the epoch, rounded down.
pub(super) fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.since_epoch().as_millis()).unwrap_or(u64::MAX)
}

pub(super) const fn timestamp(millis: u64) -> Timestamp {
    Timestamp::from_unix(Duration::from_millis(millis))
}
