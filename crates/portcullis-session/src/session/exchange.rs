//! Another id for who stays signed in: for another privilege, there has to be another id.
//!
//! The successor is made first, and its id told to nobody. Then the old record becomes, in one step and if nobody changed it
//! meanwhile, one that lets nobody in: it only names the successor for the grace. So whoever revokes or signs out finds the
//! session at every moment, and a slow request with the old id is told from one with an id that nobody knows.

use portcullis_core::{AuditKind, Factor, SharedStr, Timestamp};
use portcullis_store::{Replacement, StoreErrorKind};

use super::answer::Verdict;
use super::save::{ATTEMPTS, outrun};
use super::sign::carried;
use super::state::{Change, Live, Phase, State};
use super::{Session, SessionError, SessionErrorKind, ended};
use crate::payload::{Account, Head};
use crate::timeouts::Renewal;

impl Session {
    /// Notes a further proof of whoever is signed in, under a new id. The times start anew, as with every re-authentication.
    ///
    /// # Errors
    ///
    /// [`Nobody`](SessionErrorKind::Nobody) when nobody is signed in; [`Ended`](SessionErrorKind::Ended) when the session ended
    /// meanwhile, or another request gave it another id. When the store does not answer, the proof is not noted, and the user
    /// may be signed out.
    pub async fn step_up(&self, factor: impl Into<SharedStr>) -> Result<(), SessionError> {
        self.exchange(Some(factor.into())).await
    }

    /// Exchanges the id: after a change of roles, or of the password, beside
    /// [`revoke_others`](crate::Sessions::revoke_others). The old one lets nobody in from then on.
    ///
    /// # Errors
    ///
    /// [`Ended`](SessionErrorKind::Ended) when there is no session, it ended meanwhile, or another request gave it another id.
    /// When the store does not answer, the old id may be good still, or the user signed out.
    pub async fn rotate(&self) -> Result<(), SessionError> {
        self.exchange(None).await
    }

    async fn exchange(&self, factor: Option<SharedStr>) -> Result<(), SessionError> {
        let mut state = self.loaded().await?;
        state.can_tell()?;
        let somebody = state.live().map(Live::account).transpose()?.flatten();
        if factor.is_some() && somebody.is_none() {
            return Err(SessionErrorKind::Nobody.into());
        }
        for _ in 0..ATTEMPTS {
            let Phase::Live(old) = &state.phase else {
                return Err(ended());
            };
            let made = self.successor(old, &state.changes, factor.as_ref()).await;
            match made.as_ref().map_err(SessionError::kind) {
                Err(SessionErrorKind::Revoked) => state.end(),
                Err(SessionErrorKind::TooLarge) => state.changes.clear(),
                _ => {}
            }
            if self.hand_over(&mut state, made?).await? {
                return Ok(());
            }
        }
        Err(outrun())
    }

    /// What the session is to become, under an id that nobody is told yet.
    async fn successor(
        &self,
        old: &Live,
        changes: &[Change],
        factor: Option<&SharedStr>,
    ) -> Result<Live, SessionError> {
        let now = self.settings().now();
        let mut account = old.account()?;
        let mut limit = old.record.lifetime().limit();
        if let (Some(account), Some(factor)) = (&mut account, factor) {
            limit = now.saturating_add(self.absolute_of(&old.head));
            account.prove(factor.clone(), now);
        }
        let encoded = account.as_ref().map(Account::encode).transpose()?;
        let encoded = encoded.unwrap_or_default();
        let payload = carried(Some(&old.record), changes, None, &encoded, old.head)?;
        // Dated as the old one was seen: a revocation since concerns the successor too.
        self.create(payload, account.as_ref(), old.seen_at, limit).await
    }

    /// Whether the session is the successor now. If not, somebody else was faster.
    async fn hand_over(&self, state: &mut State, successor: Live) -> Result<bool, SessionError> {
        let Phase::Live(old) = &state.phase else {
            return Err(ended());
        };
        let store = &self.settings().store;
        let key = successor.record.key();
        let end = self.settings().now().saturating_add(Renewal::STANDARD.grace);
        let with = Replacement::new(old.head.exchanged_for(key)?).end_by(end);
        let replaced = store.replace(old.record.key(), old.record.version(), with).await;
        let Err(error) = replaced else {
            self.settle(state, successor);
            return Ok(true);
        };
        match error.kind() {
            StoreErrorKind::Conflict => {
                store.delete(key).await?;
                match self.reload(old).await {
                    Ok(Phase::Exchanged) => state.leave(),
                    Ok(phase) => state.phase = phase,
                    Err(error) => {
                        if error.kind() == SessionErrorKind::Ended {
                            state.end();
                        }
                        return Err(error);
                    }
                }
                Ok(false)
            }
            StoreErrorKind::NotFound => {
                state.end();
                store.delete(key).await?;
                Err(error.into())
            }
            // It may have been done. Whoever asks next looks.
            _ => {
                state.phase = Phase::Unknown;
                state.verdict = Verdict::Keep;
                Err(error.into())
            }
        }
    }

    fn settle(&self, state: &mut State, successor: Live) {
        if let Ok(Some(account)) = successor.account() {
            self.settings().tell(AuditKind::Rotated, &account.principal, None);
        }
        state.phase = Phase::Live(successor);
        state.verdict = Verdict::Set;
        state.changes.clear();
    }

    fn absolute_of(&self, head: &Head) -> std::time::Duration {
        let settings = self.settings();
        match head.is_persistent() {
            true => settings.remembered.absolute(),
            false => settings.timeouts.absolute(),
        }
    }
}

impl Account {
    fn prove(&mut self, factor: SharedStr, at: Timestamp) {
        self.factors.retain(|given| given.name() != factor.as_str());
        self.factors.push(Factor::new(factor, Some(at)));
        self.authenticated_at = at;
    }
}
