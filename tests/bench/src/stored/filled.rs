//! A store in memory with records of strangers in it.

use std::time::Duration;

use portcullis_core::{Clock, SystemClock};
use portcullis_store::{Kind, MemoryStore, NewRecord, Owner, Payload, RecordKey, RecordStore};

use super::at_once;
use super::uncounted::uncounted;

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// As long as sessions and keys are, more or less.
const PAYLOAD: usize = 200;
const ROOM: usize = 8 << 30;

/// So many records of a kind, each somebody else's, with ids of so many bytes. The store does not look into them, so that they
/// are nothing but records.
pub(super) fn filled(kind: Kind, records: usize, id_length: usize) -> MemoryStore {
    let store = MemoryStore::builder()
        .capacity(records + 20_000)
        .max_bytes(ROOM)
        .build();
    let until = SystemClock::new().now().saturating_add(YEAR);
    let payload = Payload::new(vec![0; PAYLOAD]).expect("a payload");
    uncounted(|| {
        for number in 0..records {
            let key = RecordKey::new(kind, format!("{number:0id_length$}")).expect("a key");
            let owner = Owner::new(format!("stranger {number}")).expect("an owner");
            let record = NewRecord::new(key, payload.clone(), until).owned_by(owner);
            at_once(store.create(record)).expect("a record");
        }
    });
    store
}
