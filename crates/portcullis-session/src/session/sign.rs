//! Signing in and out, and exchanging the id: always by taking the old record first, and only then making the new one.
//!
//! A store may keep the two in different places, so that nothing can do both in one step. This order needs no such step:
//! of several who exchange one id, one gets the record; at no moment two ids are good; and whatever fails in between, the
//! user is signed out.

use std::mem;

use portcullis_core::{AuditKind, Factor, SharedStr, Timestamp};
use portcullis_store::{Payload, Record, RecordKey};

use super::answer::Verdict;
use super::state::{Change, Live, Phase, Presented, State};
use super::{Session, SessionError, SessionErrorKind, ended};
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
        state.was_read = true;
        let changes = mem::take(&mut state.changes);
        let old = self.take(&mut state).await?;
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

    /// Notes a further proof of whoever is signed in, under a new id. The times start anew, as with every re-authentication.
    ///
    /// # Errors
    ///
    /// [`Nobody`](SessionErrorKind::Nobody) when nobody is signed in; [`Ended`](SessionErrorKind::Ended) when the session ended
    /// meanwhile. When the store does not answer, the user is signed out.
    pub async fn step_up(&self, factor: impl Into<SharedStr>) -> Result<(), SessionError> {
        self.exchange(Some(factor.into())).await
    }

    /// Exchanges the id: after a change of roles, or of the password, beside
    /// [`revoke_others`](crate::Sessions::revoke_others). The old one is good for nothing from then on.
    ///
    /// # Errors
    ///
    /// [`Ended`](SessionErrorKind::Ended) when there is no session, or it ended meanwhile. When the store does not answer, the
    /// user is signed out.
    pub async fn rotate(&self) -> Result<(), SessionError> {
        self.exchange(None).await
    }

    async fn exchange(&self, factor: Option<SharedStr>) -> Result<(), SessionError> {
        let settings = self.settings();
        let mut state = self.loaded().await?;
        let somebody = state.live().map(Live::account).transpose()?.flatten();
        if factor.is_some() && somebody.is_none() {
            return Err(SessionErrorKind::Nobody.into());
        }
        let now = settings.now();
        let changes = mem::take(&mut state.changes);
        let old = self.take(&mut state).await?.ok_or_else(ended)?;
        let (head, mut account) = {
            let view = View::of(old.payload())?;
            (view.head, view.account()?)
        };
        let mut limit = old.lifetime().limit();
        if let (Some(account), Some(factor)) = (&mut account, factor) {
            limit = now.saturating_add(self.absolute_of(&head));
            account.prove(factor, now);
        }
        let encoded = account
            .as_ref()
            .map(Account::encode)
            .transpose()?
            .unwrap_or_default();
        let payload = carried(Some(&old), &changes, None, &encoded, head)?;
        let live = self.create(payload, account.as_ref(), now, limit).await?;
        state.phase = Phase::Live(live);
        state.verdict = Verdict::Set;
        if let Some(account) = &account {
            settings.tell(AuditKind::Rotated, &account.principal, None);
        }
        Ok(())
    }

    fn absolute_of(&self, head: &Head) -> std::time::Duration {
        let settings = self.settings();
        match head.is_persistent() {
            true => settings.remembered.absolute(),
            false => settings.timeouts.absolute(),
        }
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
        match self.take(&mut state).await {
            Ok(old) => {
                state.signed_out = true;
                if let Some(old) = &old {
                    self.tell_signed_out(old, None);
                }
                Ok(())
            }
            Err(error) => {
                state.phase = Phase::Unknown;
                state.verdict = Verdict::Keep;
                Err(error)
            }
        }
    }

    fn tell_signed_out(&self, old: &Record, reason: Option<&'static str>) {
        let account = View::of(old.payload()).and_then(|view| view.account());
        if let Ok(Some(account)) = account {
            self.settings()
                .tell(AuditKind::SignedOut, &account.principal, reason);
        }
    }

    /// Takes the record that the session is now, and leaves the request without one. To one caller.
    async fn take(&self, state: &mut State) -> Result<Option<Record>, SessionError> {
        let settings = self.settings();
        let keys: Vec<RecordKey> = match (&state.phase, &self.0.presented) {
            (Phase::Live(live), _) => live.via.iter().chain([live.record.key()]).cloned().collect(),
            (Phase::Unknown, Presented::Id(id)) => id.keys(&settings.peppers).collect::<Result<_, _>>()?,
            _ => Vec::new(),
        };
        state.end();
        let mut taken = None;
        for key in &keys {
            let found = settings.end(key).await?;
            taken = taken.or(found);
        }
        Ok(taken)
    }
}

impl Account {
    fn prove(&mut self, factor: SharedStr, at: Timestamp) {
        self.factors.retain(|given| given.name() != factor.as_str());
        self.factors.push(Factor::new(factor, Some(at)));
        self.authenticated_at = at;
    }
}

/// What a successor takes along: everything, or what is kept.
fn carried(
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
