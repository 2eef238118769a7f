//! When keys were used.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // In a test.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portcullis_apikey::{ApiKeyService, Flushed};
use portcullis_core::Clock;
use portcullis_store::{Payload, RecordStore, Replacement};

use self::support::*;

const MINUTE: Duration = Duration::from_secs(60);

fn written(flushed: Flushed) -> (usize, usize) {
    (flushed.written, flushed.kept)
}

#[tokio::test]
async fn a_use_is_written_by_a_flush_and_not_by_the_request() {
    let app = App::new();
    let (id, key) = app.key().await;
    assert!(passes(&app.keys(), &key).await);
    assert_eq!(app.store.replaced(), 0);
    assert_eq!(
        app.service.find(&alice(), &id).await.unwrap().last_used_at(),
        None
    );
    assert_eq!(written(app.service.last_used().flush().await), (1, 0));
    assert_eq!(
        app.service.find(&alice(), &id).await.unwrap().last_used_at(),
        Some(app.clock.now())
    );
    assert_eq!(written(app.service.last_used().flush().await), (0, 0));
}

#[tokio::test]
async fn a_refused_key_was_not_used() {
    let app = App::new();
    let (id, key) = app.key().await;
    let keys = app.keys();
    assert!(!passes(&keys, &with_another_secret(&key)).await);
    app.service.disable(&alice(), &id).await.unwrap();
    assert!(!passes(&keys, &key).await);
    assert_eq!(written(app.service.last_used().flush().await), (0, 0));
}

#[tokio::test]
async fn a_key_in_constant_use_is_written_once_a_minute_at_most() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys();
    let before = app.store.replaced();
    for _ in 0..600 {
        assert!(passes(&keys, &key).await);
        app.service.last_used().flush().await;
        app.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(app.store.replaced() - before, 10);
}

#[tokio::test]
async fn two_instances_together_write_once_a_minute() {
    let app = App::new();
    let (_, key) = app.key().await;
    let other = ApiKeyService::builder(format(), app.store.clone())
        .clock(app.clock.clone())
        .build()
        .unwrap();
    let there = other.method().dangerous_without_owners().build().unwrap();
    let here = app.keys();
    for _ in 0..2 {
        assert!(passes(&here, &key).await && passes(&there, &key).await);
        let both = app.service.last_used().flush().await.written + other.last_used().flush().await.written;
        assert_eq!(both, 1);
        app.clock.advance(MINUTE);
    }
}

#[tokio::test]
async fn what_was_not_written_for_an_outage_is_written_later() {
    let app = App::new();
    let (id, key) = app.key().await;
    assert!(passes(&app.keys(), &key).await);
    app.store.set_down(true);
    assert_eq!(written(app.service.last_used().flush().await), (0, 1));
    app.store.set_down(false);
    assert_eq!(written(app.service.last_used().flush().await), (1, 0));
    assert!(
        app.service
            .find(&alice(), &id)
            .await
            .unwrap()
            .last_used_at()
            .is_some()
    );
}

#[tokio::test]
async fn a_flush_that_is_dropped_half_way_loses_nothing() {
    let app = App::new();
    let (_, key) = app.key().await;
    assert!(passes(&app.keys(), &key).await);
    let last_used = app.service.last_used();
    app.store.interrupt(When::AfterLoad, std::future::pending());
    let dropped = tokio::time::timeout(Duration::ZERO, last_used.flush()).await;
    assert!(dropped.is_err());
    assert_eq!(written(last_used.flush().await), (1, 0));
}

#[tokio::test]
async fn the_task_flushes_after_each_sleep() {
    let app = App::new();
    let (_, key) = app.key().await;
    assert!(passes(&app.keys(), &key).await);
    let last_used = app.service.last_used();
    let slept = Arc::new(AtomicUsize::new(0));
    let sleep = |duration| {
        assert_eq!(duration, MINUTE);
        let times = slept.fetch_add(1, Ordering::SeqCst);
        async move {
            if times > 0 {
                std::future::pending::<()>().await;
            }
        }
    };
    let task = tokio::time::timeout(Duration::ZERO, last_used.run(sleep)).await;
    assert!(task.is_err());
    assert_eq!((slept.load(Ordering::SeqCst), app.store.replaced()), (2, 1));
}

/// A note that an outage kept back is older than what others wrote since.
#[tokio::test]
async fn a_late_note_does_not_hide_a_newer_use() {
    let app = App::new();
    let (id, key) = app.key().await;
    let other = ApiKeyService::builder(format(), app.store.clone())
        .clock(app.clock.clone())
        .build()
        .unwrap();
    let there = other.method().dangerous_without_owners().build().unwrap();
    assert!(passes(&app.keys(), &key).await);
    app.store.set_down(true);
    assert_eq!(written(app.service.last_used().flush().await), (0, 1));
    app.store.set_down(false);
    app.clock.advance(MINUTE * 10);
    let newest = app.clock.now();
    assert!(passes(&there, &key).await);
    assert_eq!(written(other.last_used().flush().await), (1, 0));
    app.clock.advance(MINUTE * 2);
    assert_eq!(written(app.service.last_used().flush().await), (0, 0));
    let found = app.service.find(&alice(), &id).await.unwrap();
    assert_eq!(found.last_used_at(), Some(newest));
}

/// A record from a clock that was wrong is corrected by the next use.
#[tokio::test]
async fn a_use_noted_in_the_future_is_corrected() {
    let app = App::new();
    let (id, key) = app.key().await;
    let clock = portcullis_test::ManualClock::default();
    clock.advance(DAY);
    let wrong = ApiKeyService::builder(format(), app.store.clone())
        .clock(clock)
        .build()
        .unwrap();
    let there = wrong.method().dangerous_without_owners().build().unwrap();
    assert!(passes(&there, &key).await);
    assert_eq!(written(wrong.last_used().flush().await), (1, 0));
    assert!(passes(&app.keys(), &key).await);
    assert_eq!(written(app.service.last_used().flush().await), (1, 0));
    let found = app.service.find(&alice(), &id).await.unwrap();
    assert_eq!(found.last_used_at(), Some(app.clock.now()));
}

/// Otherwise an outage costs a timeout and a line in the log for each key, over and over.
#[tokio::test]
async fn during_an_outage_a_flush_asks_once_and_keeps_everything() {
    let app = App::new();
    let keys = app.keys();
    for _ in 0..10 {
        let (_, key) = app.key().await;
        assert!(passes(&keys, &key).await);
    }
    app.store.set_down(true);
    let before = app.store.calls();
    assert_eq!(written(app.service.last_used().flush().await), (0, 10));
    assert_eq!(app.store.calls() - before, 1);
    app.store.set_down(false);
    assert_eq!(written(app.service.last_used().flush().await), (10, 0));
}

/// A record that another version wrote is left alone, and does not stand in the way of others.
#[tokio::test]
async fn a_record_that_cannot_be_read_holds_nothing_up() {
    let app = App::new();
    let keys = app.keys();
    let mut ids = Vec::new();
    for _ in 0..10 {
        let (id, key) = app.key().await;
        assert!(passes(&keys, &key).await);
        ids.push(id);
    }
    let record = app
        .store
        .load(&ids[0].record_key().unwrap())
        .await
        .unwrap()
        .unwrap();
    let of_later = Replacement::new(Payload::new(b"{}".to_vec()).unwrap());
    app.store
        .replace(record.key(), record.version(), of_later)
        .await
        .unwrap();
    assert_eq!(written(app.service.last_used().flush().await), (9, 0));
    assert_eq!(written(app.service.last_used().flush().await), (0, 0));
    assert!(
        app.service
            .find(&alice(), &ids[1])
            .await
            .unwrap()
            .last_used_at()
            .is_some()
    );
}
