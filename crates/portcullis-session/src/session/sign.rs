//! Signing in and out: the old record is taken first, and only then a new one is made.
//!
//! A store may keep the two in different places, so that nothing can do both in one step. This order needs no such step:
//! whatever fails in between, no id that was planted before is good, and the user is signed out.

use std::mem;

use portcullis_core::AuditKind;
use portcullis_store::{Payload, Record, RecordKey};

use super::answer::Verdict;
use super::state::{Change, Phase, Presented, State};
use super::{Session, SessionError, SessionErrorKind};
use crate::payload::{Account, Entries, Head, View};
use crate::sessions::owner_of;
use crate::sign_in::SignIn;

impl Session {
    /// Begins a session for whoever was authenticated, under a new id. Checks nothing: [`SignIn::assertion`] says that it was.
    ///
    /// The session that was here before is over, whoever's it was, and its id good for nothing. Of its values, those
    /// [kept](SignIn::keep) are taken along, unless it was another user's.
    ///
    /// # Errors
    ///
    /// The user is signed out then, whoever they were before: [`TooMany`](SessionErrorKind::TooMany);
    /// [`Revoked`](SessionErrorKind::Revoked); [`TooLarge`](SessionErrorKind::TooLarge), also for a principal whose names are
    /// longer than 500 bytes, which is refused before anything is ended; when the store does not answer.
    pub async fn sign_in(&self, sign_in: SignIn) -> Result<(), SessionError> {
        let settings = self.settings();
        let now = settings.now();
        let account = sign_in.account_at(now);
        let (owner, encoded) = (owner_of(&account.principal)?, account.encode()?);
        let mut state = self.0.state.lock().await;
        state.can_tell()?;
        state.was_read = true;
        let changes = mem::take(&mut state.changes);
        match self.load(&mut state).await {
            // What cannot be read can be ended.
            Err(error) if error.kind() != SessionErrorKind::Unreadable => {
                state.end();
                return Err(error);
            }
            _ => {}
        }
        let was_live = state.live().is_some();
        let old = self.take(&mut state).await?;
        // What was written into a session that has ended is dropped, whoever's it was.
        let changes = if was_live && old.is_none() {
            Vec::new()
        } else {
            changes
        };
        let timeouts = match sign_in.is_remembered {
            true => settings.remembered,
            false => settings.timeouts,
        };
        let head = Head::new(now, timeouts.idle(), settings.new_handle()?).persistent(sign_in.is_remembered);
        let payload = match old
            .as_ref()
            .filter(|old| old.owner().is_some_and(|of| *of != owner))
        {
            // Nothing of one user is ever another's.
            Some(strangers) => {
                self.tell_signed_out(strangers, Some("replaced"));
                head.payload(&encoded, &Entries::default())?
            }
            None => carried(old.as_ref(), &changes, Some(&sign_in.kept[..]), &encoded, head)?,
        };
        let checked_at = sign_in.checked_at.unwrap_or(now);
        let limit = now.saturating_add(timeouts.absolute());
        let live = self.create(payload, Some(&account), checked_at, limit).await?;
        self.admit(&account, live.record.key()).await?;
        state.phase = Phase::Live(live);
        state.verdict = Verdict::Set;
        settings.tell(AuditKind::SignedIn, &account.principal, None);
        Ok(())
    }

    /// Keeps the number of sessions, and takes the new one back where it is one too many, or nobody can say.
    async fn admit(&self, account: &Account, own: &RecordKey) -> Result<(), SessionError> {
        let settings = self.settings();
        let admitted = settings.enforce_limit(&account.principal, own).await;
        if admitted.is_err() {
            // Nobody was told its id.
            let _ = settings.store.delete(own).await;
        }
        admitted
    }

    /// Ends the session at once, for every copy of its id, and has the browser forget what it
    /// [may](crate::SessionsBuilder::clear_site_data). Where there is none, nothing happens.
    ///
    /// # Errors
    ///
    /// When nobody knows whether it was ended. The cookie stays then, so that signing out can be tried again.
    pub async fn sign_out(&self) -> Result<(), SessionError> {
        let mut state = self.0.state.lock().await;
        state.was_read = true;
        let keys = self.keys(&state)?;
        // Until it is done nobody knows, also where nobody waits for it.
        state.leave();
        state.phase = Phase::Unknown;
        let old = self.end_all(&keys).await?;
        state.end();
        state.signed_out = true;
        if let Some(old) = &old {
            self.tell_signed_out(old, None);
        }
        Ok(())
    }

    fn tell_signed_out(&self, old: &Record, reason: Option<&'static str>) {
        let account = View::of(old.payload()).and_then(|view| view.account());
        if let Ok(Some(account)) = account {
            self.settings()
                .tell(AuditKind::SignedOut, &account.principal, reason);
        }
    }

    /// The records that the session may be. An id that was exchanged a moment ago still ends the session, and does nothing else.
    fn keys(&self, state: &State) -> Result<Vec<RecordKey>, SessionError> {
        Ok(match (&state.phase, &self.0.presented) {
            (Phase::Live(live), _) => live.via.iter().chain([live.record.key()]).cloned().collect(),
            (Phase::Unknown | Phase::Exchanged, Presented::Id(id)) => {
                id.keys(&self.settings().peppers).collect::<Result<_, _>>()?
            }
            _ => Vec::new(),
        })
    }

    /// Takes the record that the session is now, and leaves the request without one. To one caller.
    async fn take(&self, state: &mut State) -> Result<Option<Record>, SessionError> {
        let keys = match state.phase {
            Phase::Exchanged => Vec::new(),
            _ => self.keys(state)?,
        };
        state.end();
        self.end_all(&keys).await
    }

    async fn end_all(&self, keys: &[RecordKey]) -> Result<Option<Record>, SessionError> {
        let mut ended = None;
        for key in keys {
            let found = self.settings().end(key).await?;
            ended = ended.or(found);
        }
        Ok(ended)
    }
}

/// What a successor takes along: everything, or what is kept.
pub(super) fn carried(
    old: Option<&Record>,
    changes: &[Change],
    kept: Option<&[String]>,
    account: &[u8],
    head: Head,
) -> Result<Payload, SessionError> {
    let mut entries = match old {
        Some(record) => View::of(record.payload())?.entries()?,
        None => Entries::default(),
    };
    changes.iter().for_each(|change| change.apply(&mut entries));
    if let Some(kept) = kept {
        entries.keep(kept);
    }
    head.payload(account, &entries)
}
