//! Another id from time to time, for whoever is not asked to sign in again for long.
//!
//! The successor is made first, and the old record then ends by the grace in one step, if nobody touched it meanwhile. Of
//! several who renew at the same time one wins; the others delete what they made and go on with the old id. Whoever comes
//! with the old id within the grace is led to the successor: reads, writes and a sign-out mean that one.

use portcullis_core::AuditKind;
use portcullis_store::{Replacement, StoreErrorKind};

use super::answer::Verdict;
use super::state::{Live, Phase, State};
use super::{Session, SessionError, SessionErrorKind};
use crate::timeouts::Renewal;

impl Session {
    pub(super) fn renewal_due(&self, state: &State) -> Option<Renewal> {
        let settings = self.settings();
        let live = state.live()?;
        let renewal = settings
            .renewal
            .filter(|_| self.0.has_answer && live.id.is_some())?;
        let since = live.record.lifetime().created_at();
        // As of when it was looked for, so that one request is told one thing; the next one is not far.
        (state.verdict == Verdict::Keep
            && !state.is_answered
            && since.saturating_add(renewal.every) <= live.seen_at)
            .then_some(renewal)
    }

    /// Renews the id where it is time. That it could not be is no reason to refuse a request.
    pub(super) async fn renew(&self, state: &mut State) {
        let Some(renewal) = self.renewal_due(state) else {
            return;
        };
        let Phase::Live(old) = &state.phase else {
            return;
        };
        match self.succeed(old, renewal).await {
            Ok(Some(successor)) => {
                if let Ok(Some(account)) = successor.account() {
                    self.settings()
                        .tell(AuditKind::Rotated, &account.principal, Some("renewed"));
                }
                state.phase = Phase::Live(successor);
                state.verdict = Verdict::Set;
            }
            Ok(None) => {}
            Err(error) if matches!(error.kind(), SessionErrorKind::Ended | SessionErrorKind::Revoked) => {
                state.end();
            }
            Err(error) => tracing::warn!(reason = error.kind().as_str(), "a session could not be renewed"),
        }
    }

    async fn succeed(&self, old: &Live, renewal: Renewal) -> Result<Option<Live>, SessionError> {
        let store = &self.settings().store;
        let account = old.account()?;
        let payload = old.record.payload().clone();
        let limit = old.record.lifetime().limit();
        // Dated as the old one was seen: a revocation since concerns the successor too.
        let successor = self.create(payload, account.as_ref(), old.seen_at, limit).await?;
        let end = self.settings().now().saturating_add(renewal.grace);
        let with = Replacement::new(old.head.superseded_by(successor.record.key())?).end_by(end);
        let replaced = store.replace(old.record.key(), old.record.version(), with).await;
        let Err(error) = replaced else {
            return Ok(Some(successor));
        };
        match error.kind() {
            StoreErrorKind::Conflict => {
                store.delete(successor.record.key()).await?;
                Ok(None)
            }
            StoreErrorKind::NotFound => {
                store.delete(successor.record.key()).await?;
                Err(error.into())
            }
            // It may have been done: then the old id leads to the successor, which has to stay. If not, nobody knows its id.
            _ => Err(error.into()),
        }
    }
}
