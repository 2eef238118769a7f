use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::StoreError;

/// A numbered log of what was changed in a store, kept by the store itself.
///
/// # What an implementation has to hold
///
/// 1. A change and its entry are one step: whoever finds the change can read the entry, and the other way round.
/// 2. [`read`](Self::read) hands out entries in an order that never changes, and none is ever added before one that
///    was handed out.
/// 3. There is an entry for each [`replace`](crate::RecordStore::replace), [`take`](crate::RecordStore::take) and
///    [`delete`](crate::RecordStore::delete) that changed something, each
///    [`create`](crate::RecordStore::create) of a record that has an owner, each
///    [`delete_owned_by`](crate::RecordStore::delete_owned_by) and [`revoke_before`](crate::RecordStore::revoke_before).
///    None for touches, for records that are nobody's, and for what expires by itself.
/// 4. A log that was trimmed, emptied or replaced since a position was read says so.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no log of changes",
    note = "use the store of `portcullis-redis` or `portcullis-sqlx`, or implement `ChangeLog`"
)]
pub trait ChangeLog: fmt::Debug + Send + Sync + 'static {
    /// Where the log ends now.
    ///
    /// # Errors
    ///
    /// When the store cannot say.
    async fn end(&self) -> Result<LogPosition, StoreError>;

    /// What was changed after `after`, in order, as much as is good to read at once. `None`: the log does not reach
    /// back so far, or is another one now, and anything may have changed.
    ///
    /// # Errors
    ///
    /// When the store cannot say. Nothing was skipped then.
    async fn read(&self, after: &LogPosition) -> Result<Option<LogBatch>, StoreError>;

    /// Waits until there may be something to read, at most so long. May return early. A wake-up that is broken waits
    /// the time out.
    async fn wait(&self, at_most: Duration);
}

#[async_trait]
impl<L: ChangeLog + ?Sized> ChangeLog for Arc<L> {
    async fn end(&self) -> Result<LogPosition, StoreError> {
        (**self).end().await
    }

    async fn read(&self, after: &LogPosition) -> Result<Option<LogBatch>, StoreError> {
        (**self).read(after).await
    }

    async fn wait(&self, at_most: Duration) {
        (**self).wait(at_most).await;
    }
}

/// A place in a log. Only the log that made it understands it. A clone is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogPosition(Arc<[u8]>);

impl LogPosition {
    /// The place that these bytes stand for.
    #[must_use]
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Entries of a log, in order.
#[derive(Clone, Debug)]
pub struct LogBatch {
    changes: Vec<Change>,
    position: LogPosition,
    more: bool,
}

impl LogBatch {
    /// Some entries, and the place after the last of them; `more` when the log goes on after it already.
    #[must_use]
    pub const fn new(changes: Vec<Change>, position: LogPosition, more: bool) -> Self {
        Self {
            changes,
            position,
            more,
        }
    }

    /// What was changed.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Where to read on.
    #[must_use]
    pub const fn position(&self) -> &LogPosition {
        &self.position
    }

    /// Whether there is more to read at once.
    #[must_use]
    pub const fn more(&self) -> bool {
        self.more
    }
}

/// One entry of a log. `Debug` shows the kind alone.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// One record was created, replaced, taken or deleted.
    Record {
        /// The name of its [`Kind`](crate::Kind).
        kind: Box<str>,
        /// The id in its [`RecordKey`](crate::RecordKey).
        id: Box<[u8]>,
    },
    /// Records of an owner were deleted or revoked.
    Owner {
        /// The name of their [`Kind`](crate::Kind).
        kind: Box<str>,
        /// The name of the [`Owner`](crate::Owner).
        owner: Box<[u8]>,
    },
}

impl Change {
    /// The name of the kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Record { kind, .. } | Self::Owner { kind, .. } => kind,
        }
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record { kind, .. } => write!(f, "Record({kind}, ..)"),
            Self::Owner { kind, .. } => write!(f, "Owner({kind}, ..)"),
        }
    }
}
