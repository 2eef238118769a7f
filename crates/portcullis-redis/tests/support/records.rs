//! What the tests keep.

use std::time::Duration;

use portcullis_core::Timestamp;
use portcullis_redis::RedisStore;
use portcullis_store::{
    Kind, NewRecord, Owner, Payload, RecordKey, RecordStore, Replacement, StoreError, Version,
};

pub(crate) const KIND: Kind = Kind::new("session");

pub(crate) fn key(name: &str) -> RecordKey {
    RecordKey::new(KIND, name).expect("a key")
}

pub(crate) fn alice() -> Owner {
    Owner::new("alice-hunter2").expect("an owner")
}

pub(crate) fn payload() -> Payload {
    Payload::new(*b"payload-hunter2").expect("a payload")
}

pub(crate) fn record(name: &str, now: Timestamp) -> NewRecord {
    let later = now.saturating_add(Duration::from_secs(3_600));
    NewRecord::new(key(name), payload(), later).owned_by(alice())
}

/// Each verb once, by its name.
pub(crate) async fn verbs(store: &RedisStore, name: &str) -> Vec<(&'static str, Result<(), StoreError>)> {
    let (key, now) = (key(name), Timestamp::from_unix_seconds(4_000_000_000));
    let with = Replacement::new(payload());
    vec![
        ("create", store.create(record(name, now)).await.map(drop)),
        ("load", store.load(&key).await.map(drop)),
        (
            "replace",
            store.replace(&key, Version::new(7), with).await.map(drop),
        ),
        ("touch", store.touch(&key, now).await.map(drop)),
        ("take", store.take(&key).await.map(drop)),
        ("delete", store.delete(&key).await.map(drop)),
        (
            "list_owned_by",
            store.list_owned_by(KIND, &alice()).await.map(drop),
        ),
        (
            "delete_owned_by",
            store.delete_owned_by(KIND, &alice()).await.map(drop),
        ),
        (
            "revoke_before",
            store.revoke_before(KIND, &alice(), now).await.map(drop),
        ),
        ("sweep", store.sweep().await.map(drop)),
    ]
}
