//! What the store keeps of a session, as bytes.
//!
//! ```text
//! format (1) | flags (1) | started at, ms (8) | idle, ms (8) | handle (12) | length (4) | account | entries
//! ```
//!
//! Numbers are little-endian. The account is read when somebody asks who it is, an entry when somebody asks for it. Of a
//! record that was succeeded, the account is the key of its successor: a digest, as every key. One that was exchanged names
//! it as well, for whoever ends the session, and leads nobody else there.

mod account;
mod bytes;
mod entries;

use std::time::Duration;

use portcullis_core::Timestamp;
use portcullis_store::{Kind, Payload, RecordKey};

pub(crate) use self::account::Account;
pub(crate) use self::bytes::{Reader, Writer, millis};
pub(crate) use self::entries::{Entries, EntryKind, fits};
use crate::error::{SessionError, SessionErrorKind};

const FORMAT: u8 = 1;
const PERSISTENT: u8 = 1;
const SIGNED_IN: u8 = 2;
const SUPERSEDED: u8 = 4;
const EXCHANGED: u8 = 8;

pub(crate) const HANDLE_LEN: usize = 12;

/// The part that every request reads.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    flags: u8,
    pub(crate) started_at: Timestamp,
    pub(crate) idle: Duration,
    pub(crate) handle: [u8; HANDLE_LEN],
}

/// A payload, taken apart.
pub(crate) struct View<'p> {
    pub(crate) head: Head,
    account: &'p [u8],
    entries: &'p [u8],
}

impl Head {
    pub(crate) const fn new(started_at: Timestamp, idle: Duration, handle: [u8; HANDLE_LEN]) -> Self {
        Self {
            flags: 0,
            started_at,
            idle,
            handle,
        }
    }

    pub(crate) const fn persistent(mut self, is_persistent: bool) -> Self {
        if is_persistent {
            self.flags |= PERSISTENT;
        }
        self
    }

    pub(crate) const fn is_persistent(&self) -> bool {
        self.flags & PERSISTENT != 0
    }

    pub(crate) const fn is_signed_in(&self) -> bool {
        self.flags & SIGNED_IN != 0
    }

    pub(crate) const fn is_superseded(&self) -> bool {
        self.flags & SUPERSEDED != 0
    }

    pub(crate) const fn is_exchanged(&self) -> bool {
        self.flags & EXCHANGED != 0
    }

    fn write(&self, flags: u8, account: &[u8], room: usize) -> Result<Writer, SessionError> {
        let mut to = Writer::with_capacity(34 + account.len() + room);
        to.u8(FORMAT);
        to.u8(flags);
        to.u64(millis(self.started_at.since_epoch()));
        to.u64(millis(self.idle));
        to.bytes(&self.handle);
        to.u32(u32::try_from(account.len()).map_err(|_| SessionErrorKind::TooLarge)?);
        to.bytes(account);
        Ok(to)
    }

    /// A payload; the account is that of [`Account::encode`], or nothing.
    pub(crate) fn payload(&self, account: &[u8], entries: &Entries<'_>) -> Result<Payload, SessionError> {
        let signed_in = if account.is_empty() { 0 } else { SIGNED_IN };
        let flags = self.flags & PERSISTENT | signed_in;
        let mut to = self.write(flags, account, entries.len())?;
        entries.write(&mut to)?;
        Ok(Payload::new(to.into_bytes())?)
    }

    /// The payload of a record that lives on for the grace beside its successor.
    pub(crate) fn superseded_by(&self, successor: &RecordKey) -> Result<Payload, SessionError> {
        let to = self.write(self.flags | SUPERSEDED, successor.id(), 0)?;
        Ok(Payload::new(to.into_bytes())?)
    }

    /// The payload of a record whose id is dead, and which says for the grace where the session went.
    pub(crate) fn exchanged_for(&self, successor: &RecordKey) -> Result<Payload, SessionError> {
        let to = self.write(self.flags | SUPERSEDED | EXCHANGED, successor.id(), 0)?;
        Ok(Payload::new(to.into_bytes())?)
    }
}

impl<'p> View<'p> {
    /// Takes a payload apart.
    ///
    /// # Errors
    ///
    /// `Unreadable`, when this was written by somebody else, or by a later version.
    pub(crate) fn of(payload: &'p Payload) -> Result<Self, SessionError> {
        Self::read(payload.as_bytes()).ok_or_else(|| SessionErrorKind::Unreadable.into())
    }

    fn read(bytes: &'p [u8]) -> Option<Self> {
        let mut from = Reader::new(bytes);
        if from.u8()? != FORMAT {
            return None;
        }
        let head = Head {
            flags: from.u8()?,
            started_at: Timestamp::from_unix(Duration::from_millis(from.u64()?)),
            idle: Duration::from_millis(from.u64()?),
            handle: from.bytes(HANDLE_LEN)?.try_into().ok()?,
        };
        let length = usize::try_from(from.u32()?).ok()?;
        let account = from.bytes(length)?;
        Some(Self {
            head,
            account,
            entries: from.rest(),
        })
    }

    /// The key of the successor, where there is one.
    pub(crate) fn successor(&self, kind: Kind) -> Option<RecordKey> {
        let key = self.head.is_superseded().then_some(self.account)?;
        RecordKey::new(kind, key).ok()
    }

    /// The account, as it was encoded; nothing where nobody is signed in.
    pub(crate) const fn raw_account(&self) -> &'p [u8] {
        if self.head.is_signed_in() && !self.head.is_superseded() {
            self.account
        } else {
            &[]
        }
    }

    /// Who is signed in.
    pub(crate) fn account(&self) -> Result<Option<Account>, SessionError> {
        match self.raw_account() {
            [] => Ok(None),
            raw => Account::decode(raw)
                .map(Some)
                .ok_or_else(|| SessionErrorKind::Unreadable.into()),
        }
    }

    pub(crate) const fn raw_entries(&self) -> &'p [u8] {
        self.entries
    }

    pub(crate) fn entries(&self) -> Result<Entries<'p>, SessionError> {
        Entries::read(self.entries)
    }
}

#[cfg(test)]
mod tests;
