//! A cache in front of a store, with changes in every gap.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::Clock;
use portcullis_store::{
    CachingStore, Kind, MemoryStore, NewRecord, Owner, Payload, RecordKey, RecordStore, Replacement,
    StoreErrorKind, Version,
};
use portcullis_test::ManualClock;

use crate::gated::Gated;

#[path = "support/gated.rs"]
mod gated;

const KIND: Kind = Kind::new("session");
const HOUR: Duration = Duration::from_secs(3_600);

struct Scene {
    clock: ManualClock,
    gated: Gated,
    cache: Arc<CachingStore<Gated>>,
}

fn key(name: &str) -> RecordKey {
    RecordKey::new(KIND, name).expect("a key")
}

fn alice() -> Owner {
    Owner::new("alice").expect("an owner")
}

fn text(text: &str) -> Replacement {
    Replacement::new(payload(text.as_bytes()))
}

fn payload(bytes: &[u8]) -> Payload {
    Payload::new(bytes).expect("a payload")
}

impl Scene {
    fn with(configure: impl FnOnce(CachingStore<Gated>) -> CachingStore<Gated>) -> Self {
        let clock = ManualClock::at(1_000);
        let gated = Gated::new(MemoryStore::builder().clock(clock.clone()).build());
        let cache = CachingStore::new(gated.clone()).clock(clock.clone());
        Self {
            clock,
            gated,
            cache: Arc::new(configure(cache)),
        }
    }

    fn new() -> Self {
        Self::with(|cache| cache)
    }

    async fn create(&self, name: &str, bytes: &[u8]) -> Version {
        let expires_at = self.clock.now().saturating_add(HOUR);
        let record =
            NewRecord::new(key(name), payload(bytes), expires_at).limit(expires_at.saturating_add(HOUR));
        self.cache.create(record.owned_by(alice())).await.expect("room")
    }

    /// What is found, and after how many loads of the store.
    async fn find(&self, name: &str) -> (Option<Vec<u8>>, usize) {
        let found = self.cache.load(&key(name)).await.expect("it answers");
        let bytes = found.map(|record| record.payload().as_bytes().to_vec());
        (bytes, self.gated.loads())
    }

    /// A load that has its answer and has not delivered it, until the other half has happened.
    async fn load_around<F: Future>(&self, meanwhile: impl FnOnce() -> F) -> Option<Vec<u8>> {
        let mut gate = self.gated.gate();
        let cache = Arc::clone(&self.cache);
        let load = tokio::spawn(async move { cache.load(&key("a")).await });
        gate.reached().await;
        meanwhile().await;
        gate.open();
        let found = load.await.expect("it does not panic").expect("it answers");
        found.map(|record| record.payload().as_bytes().to_vec())
    }
}

fn found(bytes: &str) -> Option<Vec<u8>> {
    Some(bytes.as_bytes().to_vec())
}

#[tokio::test]
async fn a_record_is_loaded_once_and_again_when_it_is_too_old() {
    let scene = Scene::new();
    scene.create("a", b"one").await;
    for _ in 0..3 {
        assert_eq!(scene.find("a").await, (found("one"), 1));
    }
    scene.clock.advance(Duration::from_millis(9_999));
    assert_eq!(scene.find("a").await, (found("one"), 1));
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(scene.find("a").await, (found("one"), 2));
}

#[tokio::test]
async fn the_age_of_a_record_counts_from_the_question() {
    let scene = Scene::new();
    scene.create("a", b"one").await;
    let clock = scene.clock.clone();
    let slow = scene
        .load_around(|| async move { clock.advance(Duration::from_secs(10)) })
        .await;
    assert_eq!(slow, found("one"));
    assert_eq!(
        scene.find("a").await,
        (found("one"), 2),
        "it was too old when it came"
    );
}

#[tokio::test]
async fn a_remembered_record_expires_on_time() {
    let scene = Scene::with(|cache| cache.max_age(HOUR * 9));
    scene.create("a", b"one").await;
    assert_eq!(scene.find("a").await, (found("one"), 1));
    scene.clock.advance(HOUR - Duration::from_millis(1));
    assert_eq!(scene.find("a").await, (found("one"), 1));
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(scene.find("a").await, (None, 2));
}

#[tokio::test]
async fn absence_is_not_remembered_nor_is_what_is_large() {
    let scene = Scene::new();
    assert_eq!(scene.find("a").await, (None, 1));
    scene.create("a", &[1; 8 * 1024]).await;
    assert_eq!(scene.find("a").await.1, 2);
    assert_eq!(scene.find("a").await.1, 2, "it is remembered");
    scene.create("b", &[1; 8 * 1024 + 1]).await;
    assert_eq!(scene.find("b").await.1, 3);
    assert_eq!(scene.find("b").await.1, 4, "it is too large");
}

#[tokio::test]
async fn an_age_of_zero_remembers_nothing() {
    let scene = Scene::with(|cache| cache.max_age(Duration::ZERO));
    scene.create("a", b"one").await;
    assert_eq!(scene.find("a").await, (found("one"), 1));
    assert_eq!(scene.find("a").await, (found("one"), 2));
}

#[tokio::test]
async fn every_change_is_seen_at_once() {
    let scene = Scene::new();
    let mut version = scene.create("a", b"one").await;
    assert_eq!(scene.find("a").await, (found("one"), 1));
    version = scene
        .cache
        .replace(&key("a"), version, text("two"))
        .await
        .expect("it lives");
    assert_eq!(scene.find("a").await, (found("two"), 2));
    let later = scene.clock.now().saturating_add(HOUR * 2);
    let told = scene.cache.touch(&key("a"), later).await.expect("it lives");
    let record = scene
        .cache
        .load(&key("a"))
        .await
        .expect("it answers")
        .expect("it lives");
    assert_eq!(
        (record.lifetime().expires_at(), record.version()),
        (told, version)
    );
    assert!(scene.cache.take(&key("a")).await.expect("it answers").is_some());
    assert_eq!(scene.find("a").await.0, None);
    for verb in 0..3 {
        scene.create("a", b"one").await;
        assert_eq!(scene.find("a").await.0, found("one"));
        match verb {
            0 => assert!(scene.cache.delete(&key("a")).await.expect("it answers")),
            1 => assert_eq!(
                scene
                    .cache
                    .delete_owned_by(KIND, &alice())
                    .await
                    .expect("it answers"),
                1
            ),
            _ => {
                let now = scene.clock.now();
                assert_eq!(
                    scene
                        .cache
                        .revoke_before(KIND, &alice(), now)
                        .await
                        .expect("it answers"),
                    1
                );
            }
        }
        assert_eq!(scene.find("a").await.0, None);
    }
}

/// T-SESS-1: the load began before the deletion and ends after it
#[tokio::test]
async fn a_load_that_a_change_overtakes_is_not_remembered() {
    for verb in 0..6 {
        let scene = Scene::new();
        let version = scene.create("a", b"one").await;
        let (cache, now) = (Arc::clone(&scene.cache), scene.clock.now());
        let loaded = scene
            .load_around(|| async move {
                match verb {
                    0 => assert!(cache.delete(&key("a")).await.expect("it answers")),
                    1 => assert!(cache.take(&key("a")).await.expect("it answers").is_some()),
                    2 => drop(cache.delete_owned_by(KIND, &alice()).await.expect("it answers")),
                    3 => drop(
                        cache
                            .revoke_before(KIND, &alice(), now)
                            .await
                            .expect("it answers"),
                    ),
                    4 => drop(
                        cache
                            .replace(&key("a"), version, text("two"))
                            .await
                            .expect("it lives"),
                    ),
                    _ => {}
                }
            })
            .await;
        assert_eq!(loaded, found("one"), "what was true when the store was asked");
        let (now, loads) = scene.find("a").await;
        match verb {
            4 => assert_eq!((now, loads), (found("two"), 2)),
            5 => assert_eq!(
                (now, loads),
                (found("one"), 1),
                "nothing happened: it is remembered"
            ),
            _ => assert_eq!((now, loads), (None, 2), "verb {verb}"),
        }
    }
}

/// T-SESS-1: the deletion is done in the store, its answer is on the way, and meanwhile somebody loads
#[tokio::test]
async fn a_load_in_the_middle_of_a_deletion_leaves_nothing_behind() {
    let scene = Scene::new();
    scene.create("a", b"one").await;
    assert_eq!(scene.find("a").await, (found("one"), 1));
    let mut gate = scene.gated.gate();
    let cache = Arc::clone(&scene.cache);
    let deletion = tokio::spawn(async move { cache.delete(&key("a")).await });
    gate.reached().await;
    let _either = scene.find("a").await;
    gate.open();
    assert!(deletion.await.expect("it does not panic").expect("it answers"));
    assert_eq!(scene.find("a").await.0, None);
}

#[tokio::test]
async fn a_change_that_is_given_up_or_whose_answer_is_lost_is_seen_as_well() {
    let scene = Scene::new();
    scene.create("a", b"one").await;
    assert_eq!(scene.find("a").await, (found("one"), 1));
    let mut gate = scene.gated.gate();
    let cache = Arc::clone(&scene.cache);
    let deletion = tokio::spawn(async move { cache.delete(&key("a")).await });
    gate.reached().await;
    deletion.abort();
    assert!(deletion.await.expect_err("it was given up").is_cancelled());
    assert_eq!(scene.find("a").await, (None, 2));

    scene.create("a", b"two").await;
    assert_eq!(scene.find("a").await, (found("two"), 3));
    scene.gated.lose_an_answer();
    let lost = scene.cache.delete(&key("a")).await.expect_err("nobody knows");
    assert_eq!(lost.kind(), StoreErrorKind::Unavailable);
    assert_eq!(scene.find("a").await, (None, 4));
}

#[tokio::test]
async fn a_slow_load_brings_no_older_version_back() {
    let scene = Scene::new();
    let version = scene.create("a", b"one").await;
    // Changed elsewhere while the load is under way, and loaded anew by somebody faster.
    let (gated, cache) = (scene.gated.clone(), Arc::clone(&scene.cache));
    scene
        .load_around(|| async move {
            gated
                .memory()
                .replace(&key("a"), version, text("two"))
                .await
                .expect("it lives");
            cache.load(&key("a")).await.expect("it answers");
        })
        .await;
    assert_eq!(scene.find("a").await, (found("two"), 2));

    let scene = Scene::new();
    scene.create("a", b"one").await;
    let (gated, cache) = (scene.gated.clone(), Arc::clone(&scene.cache));
    scene
        .load_around(|| async move {
            assert!(gated.memory().delete(&key("a")).await.expect("it answers"));
            assert!(cache.load(&key("a")).await.expect("it answers").is_none());
        })
        .await;
    assert_eq!(scene.find("a").await, (None, 3), "somebody saw that it was gone");
}

#[tokio::test]
async fn what_changes_elsewhere_is_forgotten_when_somebody_says_so() {
    for way in 0..3 {
        let scene = Scene::new();
        scene.create("a", b"one").await;
        assert_eq!(scene.find("a").await, (found("one"), 1));
        assert!(scene.gated.memory().delete(&key("a")).await.expect("it answers"));
        assert_eq!(scene.find("a").await, (found("one"), 1), "nobody has said so yet");
        match way {
            0 => scene.cache.forget(&key("a")),
            1 => scene.cache.forget_owned_by(KIND, &alice()),
            _ => scene.cache.forget_all(),
        }
        assert_eq!(scene.find("a").await, (None, 2));
    }
}

#[tokio::test]
async fn another_owners_and_another_kinds_records_stay_remembered() {
    let scene = Scene::new();
    scene.create("a", b"one").await;
    assert_eq!(scene.find("a").await, (found("one"), 1));
    scene
        .cache
        .forget_owned_by(KIND, &Owner::new("bob").expect("an owner"));
    scene.cache.forget_owned_by(Kind::new("api-key"), &alice());
    scene.cache.forget(&key("b"));
    assert_eq!(scene.find("a").await, (found("one"), 1));
}

#[tokio::test]
async fn a_full_cache_forgets_what_it_has_remembered_longest_and_never_grows() {
    let scene = Scene::with(|cache| cache.capacity(16));
    for number in 0..200 {
        let name = format!("{number}");
        scene.create(&name, b"one").await;
        scene.find(&name).await;
        let loads = scene.gated.loads();
        assert_eq!(scene.find(&name).await.1, loads, "the newest is remembered");
    }
    let before = scene.gated.loads();
    let mut remembered = 0;
    for number in (0..200).rev() {
        let loads = scene.gated.loads();
        remembered += usize::from(scene.find(&format!("{number}")).await.1 == loads);
    }
    assert!(remembered <= 16, "{remembered} of {before}");
    let none = Scene::with(|cache| cache.capacity(0));
    none.create("a", b"one").await;
    assert_eq!(none.find("a").await, (found("one"), 1));
    assert_eq!(none.find("a").await, (found("one"), 2));
}

#[tokio::test]
async fn an_outage_is_told_and_not_remembered() {
    let scene = Scene::new();
    let version = scene.create("a", b"one").await;
    scene.gated.lose_an_answer();
    let lost = scene.cache.replace(&key("a"), version, text("two")).await;
    assert_eq!(
        lost.expect_err("nobody knows").kind(),
        StoreErrorKind::Unavailable
    );
    assert_eq!(scene.find("a").await, (found("two"), 1), "it was done");
}
