//! What tests put into stores.

#![allow(dead_code)] // Each test file takes what it needs.

use std::task::Poll;
use std::time::Duration;

use portcullis_core::{Clock, SystemClock, Timestamp};
use portcullis_store::changes::{Change, ChangeLog, LogPosition};
use portcullis_store::{Kind, NewRecord, Owner, Payload, RecordKey, Replacement};

pub(crate) const KIND: Kind = Kind::new("session");
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) fn key(name: &str) -> RecordKey {
    RecordKey::new(KIND, name).expect("a key")
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner::new(name).expect("an owner")
}

pub(crate) fn payload(text: &str) -> Payload {
    Payload::new(text.as_bytes()).expect("a payload")
}

pub(crate) fn now() -> Timestamp {
    SystemClock::new().now()
}

/// Nobody's, and lives for an hour from `now` on.
pub(crate) fn record(name: &str, now: Timestamp) -> NewRecord {
    NewRecord::new(key(name), payload("hunter2"), now.saturating_add(HOUR))
}

pub(crate) fn replacement(text: &str) -> Replacement {
    Replacement::new(payload(text))
}

pub(crate) fn record_change(name: &str) -> Change {
    Change::Record {
        kind: KIND.as_str().into(),
        id: name.as_bytes().into(),
    }
}

pub(crate) fn owner_change(name: &str) -> Change {
    Change::Owner {
        kind: KIND.as_str().into(),
        owner: name.as_bytes().into(),
    }
}

/// Everything after `position`, which moves on.
pub(crate) async fn read_all(log: &impl ChangeLog, position: &mut LogPosition) -> Vec<Change> {
    let mut changes = Vec::new();
    loop {
        let batch = log
            .read(position)
            .await
            .expect("it answers")
            .expect("the same log");
        changes.extend_from_slice(batch.changes());
        *position = batch.position().clone();
        if !batch.more() {
            return changes;
        }
    }
}

/// Lets a call get on by so many steps, and drops it.
pub(crate) async fn poll_and_drop<T>(call: impl Future<Output = T>, polls: usize) {
    let mut call = std::pin::pin!(call);
    for _ in 0..polls {
        let step = std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready()));
        if step.await {
            return;
        }
        // A turn for the driver, and some time for the database.
        std::thread::yield_now();
        tokio::task::yield_now().await;
    }
}
