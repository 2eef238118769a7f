//! Writing what was changed, without losing what others wrote meanwhile.

use portcullis_core::Timestamp;
use portcullis_store::{NewRecord, Payload, Replacement, StoreErrorKind};

use super::answer::Verdict;
use super::state::{Change, Found, Live, Phase, State};
use super::{Session, SessionError, SessionErrorKind, ended};
use crate::payload::{Account, Entries, Head, View};
use crate::sessions::owner_of;

/// How often a save is tried again when others are faster.
pub(super) const ATTEMPTS: usize = 16;

impl Session {
    /// Writes what was changed so far, now: for handlers that want to know that it was, and for work that goes on after the
    /// answer. What is not saved so is saved when the handler has answered.
    ///
    /// # Errors
    ///
    /// [`Ended`](SessionErrorKind::Ended) when the session ended meanwhile: nothing was written, and nothing will be.
    /// [`TooLarge`](SessionErrorKind::TooLarge) when it would be longer than 64 KiB: the changes are dropped. When the store
    /// does not answer: they are tried again after the handler.
    pub async fn save(&self) -> Result<(), SessionError> {
        let mut state = self.0.state.lock().await;
        self.commit(&mut state).await
    }

    pub(super) async fn commit(&self, state: &mut State) -> Result<(), SessionError> {
        if state.changes.is_empty() {
            return Ok(());
        }
        self.load(state).await?;
        let written = match &state.phase {
            Phase::Live(_) => self.merge(state).await,
            Phase::Ended | Phase::Exchanged => Err(ended()),
            Phase::Absent | Phase::Unknown => self.begin(state).await,
        };
        match written.as_ref().map_err(SessionError::kind) {
            Ok(()) | Err(SessionErrorKind::TooLarge | SessionErrorKind::Answered) => state.changes.clear(),
            Err(SessionErrorKind::Ended) if matches!(state.phase, Phase::Exchanged) => state.leave(),
            Err(SessionErrorKind::Ended) => state.end(),
            Err(_) => {}
        }
        written
    }

    /// Does the changes to what is there now, until nobody else is faster.
    async fn merge(&self, state: &mut State) -> Result<(), SessionError> {
        for _ in 0..ATTEMPTS {
            let Phase::Live(live) = &mut state.phase else {
                return Err(ended());
            };
            let payload = live.with(&state.changes)?;
            if payload == *live.record.payload() {
                return Ok(());
            }
            let now = self.settings().now();
            let until = now.saturating_add(live.head.idle);
            let with = Replacement::new(payload).extend_to(until);
            let (key, version) = (live.record.key().clone(), live.record.version());
            match self.settings().store.replace(&key, version, with.clone()).await {
                Ok(version) => {
                    live.record = live.record.clone().replaced(version, with);
                    return Ok(());
                }
                Err(error) if error.kind() == StoreErrorKind::Conflict => {
                    state.phase = self.reload(live).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(outrun())
    }

    /// The session as somebody else left it.
    pub(super) async fn reload(&self, live: &Live) -> Result<Phase, SessionError> {
        let now = self.settings().now();
        let record = self.settings().find(live.record.key()).await?.ok_or_else(ended)?;
        let (record, via) = match self.follow(record).await? {
            Found::Record(record, via) => (record, via),
            Found::Exchanged => return Ok(Phase::Exchanged),
            Found::Nothing => return Err(ended()),
        };
        let id = if via.is_some() { None } else { live.id.clone() };
        Live::of(id, record, now, via.or_else(|| live.via.clone())).map(Phase::Live)
    }

    /// The first value of nobody's session. The id is new, whatever the browser sent.
    async fn begin(&self, state: &mut State) -> Result<(), SessionError> {
        let mut entries = Entries::default();
        state.changes.iter().for_each(|change| change.apply(&mut entries));
        if entries.is_empty() {
            return Ok(());
        }
        state.can_tell()?;
        let live = self.anonymous(&entries).await?;
        state.phase = Phase::Live(live);
        state.verdict = Verdict::Set;
        Ok(())
    }

    /// Makes sure that there is a session, for what is bound to its id.
    pub(super) async fn ensure(&self, state: &mut State) -> Result<(), SessionError> {
        self.load(state).await?;
        if matches!(state.phase, Phase::Absent) {
            state.can_tell()?;
            state.phase = Phase::Live(self.anonymous(&Entries::default()).await?);
            state.verdict = Verdict::Set;
        }
        Ok(())
    }

    async fn anonymous(&self, entries: &Entries<'_>) -> Result<Live, SessionError> {
        let (settings, now) = (self.settings(), self.settings().now());
        let head = Head::new(now, settings.anonymous.idle(), settings.new_handle()?);
        let payload = head.payload(&[], entries)?;
        let limit = now.saturating_add(settings.anonymous.absolute());
        self.create(payload, None, now, limit).await
    }

    /// A record under a new id. `seen_at` is when what it rests on was seen to hold.
    pub(super) async fn create(
        &self,
        payload: Payload,
        account: Option<&Account>,
        seen_at: Timestamp,
        limit: Timestamp,
    ) -> Result<Live, SessionError> {
        let settings = self.settings();
        let idle = View::of(&payload)?.head.idle;
        let id = settings.new_id()?;
        let expires_at = settings.now().saturating_add(idle);
        let mut new = NewRecord::new(id.key(&settings.peppers)?, payload, expires_at)
            .created_at(seen_at)
            .limit(limit);
        if let Some(account) = account {
            new = new.owned_by(owner_of(&account.principal)?);
        }
        let version = settings.store.create(new.clone()).await?;
        let record = new.into_record(version, settings.now())?;
        Live::of(Some(id), record, seen_at, None)
    }
}

pub(super) fn outrun() -> SessionError {
    SessionError::caused(SessionErrorKind::Unavailable, "others were faster every time")
}

impl Live {
    /// Its payload with the changes done.
    pub(super) fn with(&self, changes: &[Change]) -> Result<Payload, SessionError> {
        let view = View::of(self.record.payload())?;
        let mut entries = view.entries()?;
        changes.iter().for_each(|change| change.apply(&mut entries));
        self.head.payload(view.raw_account(), &entries)
    }
}
