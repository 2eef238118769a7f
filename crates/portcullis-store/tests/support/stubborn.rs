//! A store that does nothing, for one reason.

use async_trait::async_trait;
use portcullis_core::Timestamp;
use portcullis_store::{
    Kind, NewRecord, Owner, Record, RecordKey, RecordStore, Replacement, StoreError, StoreErrorKind, Version,
};

#[derive(Debug)]
pub(crate) struct Stubborn(pub(crate) StoreErrorKind);

impl Stubborn {
    fn refuse<T>(&self) -> Result<T, StoreError> {
        Err(self.0.into())
    }
}

#[async_trait]
impl RecordStore for Stubborn {
    async fn create(&self, _: NewRecord) -> Result<Version, StoreError> {
        self.refuse()
    }

    async fn load(&self, _: &RecordKey) -> Result<Option<Record>, StoreError> {
        // Where something is in the way of creating, nobody sees it.
        if self.0 == StoreErrorKind::Present {
            return Ok(None);
        }
        self.refuse()
    }

    async fn replace(&self, _: &RecordKey, _: Version, _: Replacement) -> Result<Version, StoreError> {
        self.refuse()
    }

    async fn touch(&self, _: &RecordKey, _: Timestamp) -> Result<Timestamp, StoreError> {
        self.refuse()
    }

    async fn take(&self, _: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.refuse()
    }

    async fn delete(&self, _: &RecordKey) -> Result<bool, StoreError> {
        self.refuse()
    }

    async fn list_owned_by(&self, _: Kind, _: &Owner) -> Result<Vec<Record>, StoreError> {
        self.refuse()
    }

    async fn delete_owned_by(&self, _: Kind, _: &Owner) -> Result<u64, StoreError> {
        self.refuse()
    }

    async fn revoke_before(&self, _: Kind, _: &Owner, _: Timestamp) -> Result<u64, StoreError> {
        self.refuse()
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        self.refuse()
    }
}
