//! How many sessions a user has at a time.

use portcullis_core::{AuditKind, Principal};
use portcullis_store::{Record, RecordKey};

use super::{Settings, owner_of};
use crate::error::{SessionError, SessionErrorKind};
use crate::id::KIND;
use crate::payload::{HANDLE_LEN, View};

/// How many sessions a user has at a time, and what becomes of one too many.
///
/// It is looked at after a session was made, by everybody who makes one, and in one order: two who sign in at the same
/// time never end above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtMost {
    number: usize,
    oldest_out: bool,
}

impl AtMost {
    /// `number` at a time, one at least; the oldest ends when another begins.
    #[must_use]
    pub const fn oldest_out(number: usize) -> Self {
        Self {
            number,
            oldest_out: true,
        }
    }

    /// `number` at a time, one at least; another sign-in is refused. Whoever lost a device waits until that session has
    /// expired, unless the application revokes it.
    #[must_use]
    pub const fn refuse(number: usize) -> Self {
        Self {
            number,
            oldest_out: false,
        }
    }
}

type Place = (portcullis_core::Timestamp, [u8; HANDLE_LEN]);

fn place_of(record: &Record) -> Option<Place> {
    let view = View::of(record.payload()).ok()?;
    (!view.head.is_superseded()).then_some((view.head.started_at, view.head.handle))
}

impl Settings {
    /// Ends what is too much, and says whether `own` was.
    pub(crate) async fn enforce_limit(
        &self,
        principal: &Principal,
        own: &RecordKey,
    ) -> Result<(), SessionError> {
        let Some(limit) = self.at_most else {
            return Ok(());
        };
        let records = self.store.list_owned_by(KIND, &owner_of(principal)?).await?;
        let mut places: Vec<Place> = records.iter().filter_map(place_of).collect();
        places.sort_unstable();
        places.dedup();
        let surplus = places.len().saturating_sub(limit.number.max(1));
        let out: &[Place] = if limit.oldest_out {
            places.split_at(surplus).0
        } else {
            places.split_at(places.len().saturating_sub(surplus)).1
        };
        let mut is_own_out = false;
        for record in &records {
            let Some(place) = handle_place(record, &places) else {
                continue;
            };
            if out.contains(&place) {
                self.end(record.key()).await?;
                is_own_out |= record.key() == own;
            }
        }
        if !out.is_empty() {
            self.tell(AuditKind::Revoked, principal, Some("too_many_sessions"));
        }
        if is_own_out {
            return Err(SessionErrorKind::TooMany.into());
        }
        Ok(())
    }
}

/// The place of a record; that of its successor where it has one.
fn handle_place(record: &Record, places: &[Place]) -> Option<Place> {
    let handle = View::of(record.payload()).ok()?.head.handle;
    places.iter().find(|(_, named)| *named == handle).copied()
}
