//! Looking for the session that the cookie names, once.

use portcullis_core::Timestamp;
use portcullis_store::{Record, RecordKey, StoreError, StoreErrorKind};

use super::Session;
use super::state::{Found, Live, Phase, Presented, State};
use crate::error::SessionError;
use crate::id::{KIND, SessionId};
use crate::payload::{Head, View};
use crate::sessions::LONGEST_CHAIN;
use crate::timeouts::touch_interval;

/// What came of a look without waiting.
pub(super) enum Now {
    /// The store has to be waited for.
    Wait,
    Loaded,
}

impl Session {
    pub(super) async fn load(&self, state: &mut State) -> Result<(), SessionError> {
        match self.load_now(state)? {
            Now::Loaded => Ok(()),
            // Boxed, and only here: 2 kB that every handler would carry which asks its session for something.
            Now::Wait => Box::pin(self.load_waiting(state)).await,
        }
    }

    async fn load_waiting(&self, state: &mut State) -> Result<(), SessionError> {
        let Presented::Id(id) = &self.0.presented else {
            return Ok(());
        };
        let now = self.settings().now();
        state.phase = match self.search(id).await? {
            Found::Record(record, via) => self.judge(id, record, via, now).await?,
            Found::Exchanged => Phase::Exchanged,
            Found::Nothing => Phase::Absent,
        };
        Ok(())
    }

    /// The same, as far as it needs no waiting.
    pub(super) fn load_now(&self, state: &mut State) -> Result<Now, SessionError> {
        state.was_read = true;
        if !matches!(state.phase, Phase::Unknown) {
            return Ok(Now::Loaded);
        }
        let Presented::Id(id) = &self.0.presented else {
            state.phase = Phase::Absent;
            return Ok(Now::Loaded);
        };
        let settings = self.settings();
        let now = settings.now();
        for key in id.keys(&settings.peppers) {
            let Some(answer) = settings.store.load_now(&key?) else {
                return Ok(Now::Wait);
            };
            let Some(record) = answer? else {
                continue;
            };
            let head = View::of(record.payload())?.head;
            if head.is_superseded() || touch_is_due(&record, &head, now) {
                return Ok(Now::Wait);
            }
            state.phase = Phase::Absent;
            if record.lifetime().lasts_at(now) {
                // Made in its place: it is long.
                state.phase = Phase::Live(Live {
                    id: Some(id.clone()),
                    record,
                    head,
                    seen_at: now,
                    via: None,
                });
            }
            return Ok(Now::Loaded);
        }
        state.phase = Phase::Absent;
        Ok(Now::Loaded)
    }

    /// The record of an id, under whatever pepper; that of its successor, while the id is in its grace.
    async fn search(&self, id: &SessionId) -> Result<Found, SessionError> {
        let settings = self.settings();
        for key in id.keys(&settings.peppers) {
            let key = key?;
            if let Some(record) = settings.find(&key).await? {
                return self.follow(record).await;
            }
        }
        Ok(Found::Nothing)
    }

    /// The record itself, or the last of its successors. One whose successor was ended has ended.
    pub(super) async fn follow(&self, record: Record) -> Result<Found, SessionError> {
        let (mut record, mut via) = (record, None);
        for _ in 0..LONGEST_CHAIN {
            let view = View::of(record.payload())?;
            if view.head.is_exchanged() {
                return Ok(Found::Exchanged);
            }
            let Some(next) = view.successor(KIND) else {
                return Ok(Found::Record(record, via));
            };
            let Some(successor) = self.settings().find(&next).await? else {
                return Ok(Found::Nothing);
            };
            via = Some(record.key().clone());
            record = successor;
        }
        Ok(Found::Nothing)
    }

    async fn judge(
        &self,
        id: &SessionId,
        record: Record,
        via: Option<RecordKey>,
        now: Timestamp,
    ) -> Result<Phase, SessionError> {
        // The store has looked at its own clock; this one decides as well.
        if !record.lifetime().lasts_at(now) {
            return Ok(Phase::Absent);
        }
        let own = via.is_none().then(|| id.clone());
        let live = Live::of(own, record, now, via)?;
        match touch_is_due(&live.record, &live.head, now) {
            true => self.touch(live, now).await,
            false => Ok(Phase::Live(live)),
        }
    }

    /// Notes that the session is in use. That this could not be written is no reason to refuse a request.
    async fn touch(&self, mut live: Live, now: Timestamp) -> Result<Phase, SessionError> {
        let until = now.saturating_add(live.head.idle);
        let touched = self.settings().store.touch(live.record.key(), until).await;
        match touched.as_ref().map_err(StoreError::kind) {
            Ok(_) => live.record = live.record.touched(until),
            Err(StoreErrorKind::NotFound) => return Ok(Phase::Absent),
            Err(kind) => tracing::warn!(reason = kind.as_str(), "a session could not be extended"),
        }
        Ok(Phase::Live(live))
    }
}

/// Whether its use was noted long enough ago, and there is anything left to extend.
fn touch_is_due(record: &Record, head: &Head, now: Timestamp) -> bool {
    let lifetime = record.lifetime();
    let noted = lifetime.expires_at().saturating_sub(head.idle);
    lifetime.expires_at() < lifetime.limit() && noted.saturating_add(touch_interval(head.idle)) <= now
}
