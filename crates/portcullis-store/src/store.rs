//! The port.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use portcullis_core::Timestamp;

use crate::{Kind, NewRecord, Owner, Record, RecordKey, Replacement, StoreError, Version};

/// Keeps records that expire: sessions, API keys, codes, marks.
///
/// [`MemoryStore`](crate::MemoryStore) for one process. For a store of your own, the feature `contract` has the
/// rules as a test.
///
/// # What an implementation has to hold
///
/// 1. Each method on one key is one step: no other call sees or makes a state in between.
/// 2. A record is dead from its expiry on, whether it was swept or not, and dead for every method alike.
/// 3. What is dead stays dead: only [`create`](Self::create) makes a live record. A late
///    [`replace`](Self::replace) or [`touch`](Self::touch) of what was deleted, taken or revoked finds nothing.
/// 4. Of any number of [`take`](Self::take)s of one record, exactly one gets it.
/// 5. A version is never used again for its key, and a later one is greater.
/// 6. What is done is seen by every later call, on whatever handle or instance.
/// 7. "There is none" is said only by a store that has looked. One that cannot says
///    [`Unavailable`](crate::StoreErrorKind::Unavailable).
///
/// # Errors
///
/// Every method may say [`Unavailable`](crate::StoreErrorKind::Unavailable): then nobody knows whether anything
/// was changed.
#[async_trait]
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no records",
    note = "use `MemoryStore`, or implement `RecordStore` and run `portcullis_store::contract` over it"
)]
pub trait RecordStore: fmt::Debug + Send + Sync + 'static {
    /// Creates a record and returns its first version.
    ///
    /// # Errors
    ///
    /// [`Present`](crate::StoreErrorKind::Present) when there is a live record of that key,
    /// [`Revoked`](crate::StoreErrorKind::Revoked), [`TooOld`](crate::StoreErrorKind::TooOld),
    /// [`Expired`](crate::StoreErrorKind::Expired), [`Full`](crate::StoreErrorKind::Full).
    async fn create(&self, record: NewRecord) -> Result<Version, StoreError>;

    /// The live record of `key`.
    ///
    /// # Errors
    ///
    /// When the store cannot say. Never `Ok(None)` then.
    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, StoreError>;

    /// The answer of [`load`](Self::load), when it is there without waiting: from memory. `None` says nothing; ask
    /// `load` then. By default it always does.
    fn load_now(&self, key: &RecordKey) -> Option<Result<Option<Record>, StoreError>> {
        let _ = key;
        None
    }

    /// Compares and swaps: replaces the record of `key` if it lives and its version is `expected`, and returns
    /// its new version. Never creates one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::StoreErrorKind::NotFound), [`Conflict`](crate::StoreErrorKind::Conflict),
    /// [`Full`](crate::StoreErrorKind::Full).
    async fn replace(
        &self,
        key: &RecordKey,
        expected: Version,
        with: Replacement,
    ) -> Result<Version, StoreError>;

    /// Extends the record of `key` to `expires_at`, up to its [limit](crate::Lifetime::limit), and returns when
    /// it expires now. Never shortens it, never brings one back, and leaves its version: a save that is under
    /// way is not disturbed.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::StoreErrorKind::NotFound).
    async fn touch(&self, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, StoreError>;

    /// Removes the record of `key` and hands it out, to one caller and never again.
    ///
    /// # Errors
    ///
    /// When the store cannot say. The record counts as used then: nobody may be let in with it.
    async fn take(&self, key: &RecordKey) -> Result<Option<Record>, StoreError>;

    /// Removes the record of `key`, and says whether a live one was there.
    ///
    /// # Errors
    ///
    /// When nobody knows whether it was removed.
    async fn delete(&self, key: &RecordKey) -> Result<bool, StoreError>;

    /// The live records of `owner`, in no particular order.
    ///
    /// # Errors
    ///
    /// When the store cannot say.
    async fn list_owned_by(&self, kind: Kind, owner: &Owner) -> Result<Vec<Record>, StoreError>;

    /// Removes the records of `owner`, and says how many live ones there were. What is being created meanwhile
    /// may stay: to keep that out as well, [revoke](Self::revoke_before).
    ///
    /// # Errors
    ///
    /// When nobody knows which were removed.
    async fn delete_owned_by(&self, kind: Kind, owner: &Owner) -> Result<u64, StoreError>;

    /// Removes every record of `owner` that is dated `instant` or earlier, says how many live ones there were,
    /// and for [`REMEMBERED`](crate::REMEMBERED) after `instant` refuses to create one so dated: a save that is
    /// under way brings nothing back. An earlier instant than one revoked before changes nothing. Times are
    /// compared in whole milliseconds, rounded down.
    ///
    /// Whoever revokes and then creates the one record that is to stay dates it later than `instant`. An instant in
    /// the future refuses everything until then.
    ///
    /// # Errors
    ///
    /// [`Full`](crate::StoreErrorKind::Full), and then nothing was revoked.
    async fn revoke_before(&self, kind: Kind, owner: &Owner, instant: Timestamp) -> Result<u64, StoreError>;

    /// Drops what has expired, and says how many records that were. A matter of room: nobody sees the
    /// difference.
    ///
    /// # Errors
    ///
    /// When the store does not answer.
    async fn sweep(&self) -> Result<u64, StoreError>;
}

#[async_trait]
impl<S: RecordStore + ?Sized> RecordStore for Arc<S> {
    async fn create(&self, record: NewRecord) -> Result<Version, StoreError> {
        (**self).create(record).await
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        (**self).load(key).await
    }

    fn load_now(&self, key: &RecordKey) -> Option<Result<Option<Record>, StoreError>> {
        (**self).load_now(key)
    }

    async fn replace(
        &self,
        key: &RecordKey,
        expected: Version,
        with: Replacement,
    ) -> Result<Version, StoreError> {
        (**self).replace(key, expected, with).await
    }

    async fn touch(&self, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, StoreError> {
        (**self).touch(key, expires_at).await
    }

    async fn take(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        (**self).take(key).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, StoreError> {
        (**self).delete(key).await
    }

    async fn list_owned_by(&self, kind: Kind, owner: &Owner) -> Result<Vec<Record>, StoreError> {
        (**self).list_owned_by(kind, owner).await
    }

    async fn delete_owned_by(&self, kind: Kind, owner: &Owner) -> Result<u64, StoreError> {
        (**self).delete_owned_by(kind, owner).await
    }

    async fn revoke_before(&self, kind: Kind, owner: &Owner, instant: Timestamp) -> Result<u64, StoreError> {
        (**self).revoke_before(kind, owner, instant).await
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        (**self).sweep().await
    }
}
