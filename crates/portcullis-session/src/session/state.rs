//! What is known of a session in the course of a request.

use portcullis_core::Timestamp;
use portcullis_store::{Record, RecordKey};

use super::answer::Verdict;
use crate::error::{SessionError, SessionErrorKind};
use crate::id::SessionId;
use crate::payload::{Account, Entries, EntryKind, Head, View};
use crate::sessions::SessionHandle;

/// What the cookie said.
pub(crate) enum Presented {
    /// There is none.
    Nothing,
    /// One that we never set, or two of them.
    Malformed,
    /// One.
    Id(SessionId),
}

#[derive(Default)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) changes: Vec<Change>,
    pub(super) verdict: Verdict,
    /// Somebody asked: the answer may depend on the cookie.
    pub(super) was_read: bool,
    pub(super) signed_out: bool,
    /// The answer has gone: the browser is told no other id.
    pub(super) is_answered: bool,
}

impl State {
    pub(super) const fn live(&self) -> Option<&Live> {
        match &self.phase {
            Phase::Live(live) => Some(live),
            Phase::Unknown | Phase::Absent | Phase::Exchanged | Phase::Ended => None,
        }
    }

    /// Whether the browser can still be told another id.
    pub(super) fn can_tell(&self) -> Result<(), SessionError> {
        match self.is_answered {
            true => Err(SessionErrorKind::Answered.into()),
            false => Ok(()),
        }
    }

    /// The session is over. Nothing that was to be written is.
    pub(super) fn end(&mut self) {
        self.phase = Phase::Ended;
        self.changes.clear();
        self.verdict = Verdict::Delete;
    }

    /// The id is another one now, and the browser may have it already: nothing is said about its cookie.
    pub(super) fn leave(&mut self) {
        self.phase = Phase::Exchanged;
        self.changes.clear();
        self.verdict = Verdict::Keep;
    }
}

#[derive(Default)]
#[allow(clippy::large_enum_variant)] // The large one is the common one, and costs no allocation so.
pub(crate) enum Phase {
    /// Nobody asked yet.
    #[default]
    Unknown,
    /// There is none.
    Absent,
    Live(Live),
    /// There was one, and another request gave it another id a moment ago.
    Exchanged,
    /// There was one, and it ended in the course of this request.
    Ended,
}

/// What a record leads to.
pub(super) enum Found {
    Nothing,
    /// An id that was exchanged a moment ago.
    Exchanged,
    /// The record itself, or the last of its successors; then also the one that led there.
    Record(Record, Option<RecordKey>),
}

/// A session that was found, or made.
pub(crate) struct Live {
    /// What the cookie holds; nothing where it holds the id of a predecessor in its grace.
    pub(super) id: Option<SessionId>,
    pub(super) record: Record,
    pub(super) head: Head,
    /// When it was last seen to hold.
    pub(super) seen_at: Timestamp,
    /// The record of the predecessor that led here.
    pub(super) via: Option<RecordKey>,
}

impl Live {
    pub(super) fn of(
        id: Option<SessionId>,
        record: Record,
        seen_at: Timestamp,
        via: Option<RecordKey>,
    ) -> Result<Self, SessionError> {
        let head = View::of(record.payload())?.head;
        Ok(Self {
            id,
            record,
            head,
            seen_at,
            via,
        })
    }

    pub(crate) const fn handle(&self) -> SessionHandle {
        SessionHandle::new(self.head.handle)
    }

    pub(crate) fn account(&self) -> Result<Option<Account>, SessionError> {
        View::of(self.record.payload())?.account()
    }

    pub(crate) const fn record(&self) -> &Record {
        &self.record
    }
}

/// What is to become of a value. Kept in order, so that it can be done again to what somebody else wrote meanwhile.
pub(super) enum Change {
    Set(EntryKind, String, Vec<u8>),
    Remove(EntryKind, String),
    Clear,
}

impl Change {
    pub(super) fn apply<'e>(&'e self, entries: &mut Entries<'e>) {
        match self {
            Self::Set(kind, name, value) => entries.set(*kind, name, value),
            Self::Remove(kind, name) => entries.remove(*kind, name),
            Self::Clear => entries.clear(),
        }
    }

    /// What it says about one value: nothing, or what it is now.
    pub(super) fn about(&self, of: EntryKind, name: &str) -> Option<Option<&[u8]>> {
        match self {
            Self::Set(kind, named, value) if *kind == of && named == name => Some(Some(value)),
            Self::Remove(kind, named) if *kind == of && named == name => Some(None),
            Self::Clear => Some(None),
            Self::Set(..) | Self::Remove(..) => None,
        }
    }
}
