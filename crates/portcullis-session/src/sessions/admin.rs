//! What is done to sessions from outside a request.

use portcullis_core::{AuditKind, Principal};
use portcullis_store::Record;

use super::{SessionHandle, SessionInfo, Sessions, owner_of};
use crate::error::SessionError;
use crate::id::KIND;
use crate::payload::{HANDLE_LEN, View};

impl Sessions {
    /// The sessions of a user, the latest first. Compare with [`Session::handle`](crate::Session::handle) to know the one that
    /// asks.
    ///
    /// # Errors
    ///
    /// When the store cannot say.
    pub async fn list(&self, principal: &Principal) -> Result<Vec<SessionInfo>, SessionError> {
        let mut list: Vec<SessionInfo> = Vec::new();
        for record in self.records(principal).await? {
            let Some(info) = SessionInfo::of(&record)? else {
                continue;
            };
            // For a moment of a renewal there are two records of one session.
            if list.iter().all(|listed| listed.handle() != info.handle()) {
                list.push(info);
            }
        }
        list.sort_by_key(|info| std::cmp::Reverse((info.started_at(), info.handle())));
        Ok(list)
    }

    /// Ends one session of a user, and says whether it lived. The handle of somebody else's session finds nothing.
    ///
    /// # Errors
    ///
    /// When nobody knows whether it was ended.
    pub async fn revoke(&self, principal: &Principal, handle: SessionHandle) -> Result<bool, SessionError> {
        let ended = self.end_where(principal, |of| of == handle).await?;
        if ended > 0 {
            self.settings().tell(AuditKind::Revoked, principal, Some("one"));
        }
        Ok(ended > 0)
    }

    /// Ends every session of a user but one, and says how many: after a change of the password or of a factor, before
    /// [`rotate`](crate::Session::rotate).
    ///
    /// # Errors
    ///
    /// When nobody knows which were ended.
    pub async fn revoke_others(
        &self,
        principal: &Principal,
        current: SessionHandle,
    ) -> Result<u64, SessionError> {
        let ended = self.end_where(principal, |of| of != current).await?;
        self.settings()
            .tell(AuditKind::Revoked, principal, Some("others"));
        Ok(ended)
    }

    /// Ends every session of a user that began before now, and says how many. What is under way brings none back; a sign-in
    /// whose proof dates from before is refused, as is one in the very same millisecond.
    ///
    /// # Errors
    ///
    /// When nobody knows which were ended.
    pub async fn revoke_all(&self, principal: &Principal) -> Result<u64, SessionError> {
        let (settings, owner) = (self.settings(), owner_of(principal)?);
        let ended = settings.store.revoke_before(KIND, &owner, settings.now()).await?;
        settings.tell(AuditKind::Revoked, principal, Some("all"));
        Ok(ended)
    }

    async fn records(&self, principal: &Principal) -> Result<Vec<Record>, SessionError> {
        let owner = owner_of(principal)?;
        Ok(self.settings().store.list_owned_by(KIND, &owner).await?)
    }

    /// Ends the user's sessions that are concerned: every record of them, in its grace or not. Counts sessions.
    async fn end_where(
        &self,
        principal: &Principal,
        concerned: impl Fn(SessionHandle) -> bool,
    ) -> Result<u64, SessionError> {
        let mut ended: Vec<SessionHandle> = Vec::new();
        for record in self.records(principal).await? {
            // A record that cannot be read is no session that anybody knows; it has to go where all others go.
            let handle = match View::of(record.payload()) {
                Ok(view) => SessionHandle::new(view.head.handle),
                Err(_) => SessionHandle::new([0; HANDLE_LEN]),
            };
            if !concerned(handle) {
                continue;
            }
            let found = self.settings().end(record.key()).await?;
            if found.is_some() && !ended.contains(&handle) {
                ended.push(handle);
            }
        }
        Ok(u64::try_from(ended.len()).unwrap_or(u64::MAX))
    }
}
