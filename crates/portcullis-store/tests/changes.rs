//! Two instances on one store: what one changes, the other learns from the log.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // Helpers of tests panic as tests do.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Clock, MemoryRevocations, RevocationList, Timestamp, TokenId};
use portcullis_store::changes::Follower;
use portcullis_store::{
    CachingStore, Kind, MemoryStore, NewRecord, Owner, Payload, RecordKey, RecordStore, Replacement,
    StoreErrorKind, StoredRevocations,
};
use portcullis_test::ManualClock;

use crate::log::Logged;

#[path = "support/log.rs"]
mod log;

const KIND: Kind = Kind::new("session");
const ISSUER: &str = "https://issuer.example";
const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

struct Scene {
    clock: ManualClock,
    store: Logged,
}

impl Scene {
    fn new() -> Self {
        let clock = ManualClock::at(1_000);
        let store = Logged::new(MemoryStore::builder().clock(clock.clone()).build());
        Self { clock, store }
    }

    /// An instance with a cache, and what tells it of changes.
    fn cache(&self) -> (Arc<CachingStore<Logged>>, Follower) {
        let cache = CachingStore::new(self.store.clone()).clock(self.clock.clone());
        let cache = Arc::new(cache.max_age(HOUR).followed_within(SECOND));
        (Arc::clone(&cache), Follower::new(self.store.clone()).tell(cache))
    }

    fn revocations(&self) -> (StoredRevocations, Follower) {
        let copy = MemoryRevocations::builder()
            .max_lag(SECOND)
            .clock(self.clock.clone());
        let list = StoredRevocations::new(self.store.clone(), copy.build(), HOUR).expect("a list");
        (
            list.clone(),
            Follower::new(self.store.clone()).tell(Arc::new(list)),
        )
    }

    async fn create(&self, name: &str) {
        let end = self.clock.now().saturating_add(HOUR * 24);
        let record = NewRecord::new(key(name), payload("one"), end).owned_by(alice());
        self.store.create(record).await.expect("room");
    }
}

fn key(name: &str) -> RecordKey {
    RecordKey::new(KIND, name).expect("a key")
}

fn alice() -> Owner {
    Owner::new("alice").expect("an owner")
}

fn payload(text: &str) -> Payload {
    Payload::new(text.as_bytes()).expect("a payload")
}

async fn found(store: &impl RecordStore, name: &str) -> Option<Vec<u8>> {
    let record = store.load(&key(name)).await.expect("it answers");
    record.map(|record| record.payload().as_bytes().to_vec())
}

async fn catch_up(follower: &mut Follower) {
    while follower.step().await.expect("it can be read") {}
}

fn token(id: &str) -> TokenId<'_> {
    TokenId::new(ISSUER, id, Some("alice"), Timestamp::from_unix_seconds(900))
}

/// T-REV-1
#[tokio::test]
async fn what_another_instance_changed_is_forgotten_and_the_rest_is_still_remembered() {
    let scene = Scene::new();
    let (cache, mut follower) = scene.cache();
    for name in ["kept", "replaced", "taken", "deleted"] {
        scene.create(name).await;
    }
    catch_up(&mut follower).await;
    for name in ["kept", "replaced", "taken", "deleted"] {
        assert_eq!(found(&*cache, name).await.as_deref(), Some(&b"one"[..]));
    }
    let version = scene
        .store
        .load(&key("replaced"))
        .await
        .expect("up")
        .expect("it lives")
        .version();
    let with = Replacement::new(payload("two"));
    scene
        .store
        .replace(&key("replaced"), version, with)
        .await
        .expect("its version");
    scene.store.take(&key("taken")).await.expect("up");
    scene.store.delete(&key("deleted")).await.expect("up");
    assert_eq!(
        found(&*cache, "deleted").await.as_deref(),
        Some(&b"one"[..]),
        "nobody told it"
    );
    catch_up(&mut follower).await;
    assert_eq!(found(&*cache, "deleted").await, None);
    assert_eq!(found(&*cache, "taken").await, None);
    assert_eq!(found(&*cache, "replaced").await.as_deref(), Some(&b"two"[..]));
    scene.store.set_down(true);
    assert_eq!(
        found(&*cache, "kept").await.as_deref(),
        Some(&b"one"[..]),
        "from memory"
    );
}

#[tokio::test]
async fn an_owner_who_was_revoked_elsewhere_is_forgotten_and_another_is_not() {
    let scene = Scene::new();
    let (cache, mut follower) = scene.cache();
    scene.create("hers").await;
    let end = scene.clock.now().saturating_add(HOUR);
    let bob = Owner::new("bob").expect("an owner");
    let his = NewRecord::new(key("his"), payload("one"), end).owned_by(bob);
    scene.store.create(his).await.expect("room");
    catch_up(&mut follower).await;
    assert!(found(&*cache, "hers").await.is_some() && found(&*cache, "his").await.is_some());
    let now = scene.clock.now();
    scene.store.revoke_before(KIND, &alice(), now).await.expect("up");
    catch_up(&mut follower).await;
    assert_eq!(found(&*cache, "hers").await, None);
    scene.store.set_down(true);
    assert!(found(&*cache, "his").await.is_some(), "from memory");
}

/// T-REV-1: a cache that is not told goes to the store, at exactly the lag that it allows.
#[tokio::test]
async fn a_cache_without_news_is_bypassed_until_they_come() {
    let scene = Scene::new();
    let (cache, mut follower) = scene.cache();
    scene.create("a").await;
    assert!(found(&*cache, "a").await.is_some());
    scene.store.delete(&key("a")).await.expect("up");
    assert_eq!(
        found(&*cache, "a").await,
        None,
        "nobody has ever told it anything"
    );

    scene.create("a").await;
    catch_up(&mut follower).await;
    assert!(found(&*cache, "a").await.is_some());
    scene.store.delete(&key("a")).await.expect("up");
    scene.clock.advance(SECOND);
    assert!(
        found(&*cache, "a").await.is_some(),
        "the news are as old as they may be"
    );
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(found(&*cache, "a").await, None);
    scene.store.set_down(true);
    assert!(follower.step().await.is_err());
    let refused = cache.load(&key("a")).await.expect_err("nobody can tell");
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    scene.store.set_down(false);
    scene.create("a").await;
    catch_up(&mut follower).await;
    assert!(found(&*cache, "a").await.is_some());
    scene.store.set_down(true);
    assert!(found(&*cache, "a").await.is_some(), "from memory again");
}

#[tokio::test]
async fn after_an_outage_the_follower_reads_on_and_misses_nothing() {
    let scene = Scene::new();
    let (cache, mut follower) = scene.cache();
    for name in ["a", "b", "c", "d", "e"] {
        scene.create(name).await;
    }
    catch_up(&mut follower).await;
    for name in ["a", "b", "c", "d", "e"] {
        assert!(found(&*cache, name).await.is_some());
    }
    scene.store.set_down(true);
    assert!(follower.step().await.is_err());
    scene.store.set_down(false);
    for name in ["a", "b", "c", "d"] {
        scene.store.delete(&key(name)).await.expect("up");
    }
    scene.clock.advance(SECOND + SECOND);
    assert!(follower.step().await.expect("up"), "more than is read at once");
    scene.store.set_down(true);
    let outdated = cache
        .load(&key("e"))
        .await
        .expect_err("not up to date in the middle of it");
    assert_eq!(outdated.kind(), StoreErrorKind::Unavailable);
    scene.store.set_down(false);
    catch_up(&mut follower).await;
    for name in ["a", "b", "c", "d"] {
        assert_eq!(found(&*cache, name).await, None, "{name}");
    }
}

#[tokio::test]
async fn after_a_gap_in_the_log_everything_counts_as_changed() {
    let scene = Scene::new();
    let (cache, mut follower) = scene.cache();
    scene.create("a").await;
    catch_up(&mut follower).await;
    assert!(found(&*cache, "a").await.is_some());
    scene.store.delete(&key("a")).await.expect("up");
    scene.store.trim();
    catch_up(&mut follower).await;
    assert_eq!(found(&*cache, "a").await, None);
}

/// T-REV-1
#[tokio::test]
async fn a_token_revoked_on_one_instance_is_revoked_on_the_other() {
    let scene = Scene::new();
    let (here, _) = scene.revocations();
    let (there, mut follower) = scene.revocations();
    assert!(there.is_revoked(&token("t")).is_err(), "it has heard nothing yet");
    catch_up(&mut follower).await;
    assert_eq!(there.is_revoked(&token("t")), Ok(false));
    let expires_at = scene.clock.now().saturating_add(HOUR);
    here.revoke(ISSUER, "t", expires_at).await.expect("kept");
    catch_up(&mut follower).await;
    assert_eq!(there.is_revoked(&token("t")), Ok(true));
    assert_eq!(there.is_revoked(&token("another")), Ok(false));

    here.revoke_before(ISSUER, "alice", Timestamp::from_unix_seconds(900))
        .await
        .expect("kept");
    catch_up(&mut follower).await;
    assert_eq!(there.is_revoked(&token("another")), Ok(true));
}

#[tokio::test]
async fn an_instance_that_starts_later_knows_what_was_revoked_before() {
    let scene = Scene::new();
    let (here, _) = scene.revocations();
    let expires_at = scene.clock.now().saturating_add(HOUR);
    here.revoke(ISSUER, "t", expires_at).await.expect("kept");
    here.revoke_before(ISSUER, "alice", Timestamp::from_unix_seconds(800))
        .await
        .expect("kept");
    scene.store.trim();
    let (late, mut follower) = scene.revocations();
    catch_up(&mut follower).await;
    assert_eq!(late.is_revoked(&token("t")), Ok(true));
    assert_eq!(late.is_revoked(&token("another")), Ok(false), "issued at 900");
}

#[tokio::test]
async fn a_later_revocation_of_a_subject_counts_and_an_earlier_one_takes_nothing_back() {
    let scene = Scene::new();
    let (here, _) = scene.revocations();
    let at = Timestamp::from_unix_seconds;
    for (instant, revoked) in [(800, false), (900, true), (850, true)] {
        here.revoke_before(ISSUER, "alice", at(instant))
            .await
            .expect("kept");
        let (late, mut follower) = scene.revocations();
        catch_up(&mut follower).await;
        assert_eq!(late.is_revoked(&token("t")), Ok(revoked), "{instant}");
    }
}

#[tokio::test]
async fn a_revocation_that_was_not_kept_is_an_error_and_one_of_an_expired_token_is_nothing() {
    let scene = Scene::new();
    let (here, mut follower) = scene.revocations();
    catch_up(&mut follower).await;
    let past = scene.clock.now().saturating_sub(HOUR);
    here.revoke(ISSUER, "old", past).await.expect("nothing to keep");
    scene.store.set_down(true);
    let future = scene.clock.now().saturating_add(HOUR);
    let refused = here.revoke(ISSUER, "t", future).await.expect_err("nobody knows");
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    assert_eq!(here.is_revoked(&token("t")), Ok(false));
    let refused = here
        .revoke(ISSUER, &"x".repeat(600), future)
        .await
        .expect_err("too long");
    assert_eq!(refused.kind(), StoreErrorKind::Malformed);
}

#[tokio::test]
async fn an_entry_outlives_its_token_by_the_skew_that_verifiers_tolerate() {
    let scene = Scene::new();
    let (here, _) = scene.revocations();
    let expires_at = scene.clock.now().saturating_add(HOUR);
    here.revoke(ISSUER, "t", expires_at).await.expect("kept");
    scene.clock.advance(HOUR + Duration::from_secs(299));
    let (late, mut follower) = scene.revocations();
    catch_up(&mut follower).await;
    assert_eq!(late.is_revoked(&token("t")), Ok(true));
    scene.clock.advance(SECOND);
    let (late, mut follower) = scene.revocations();
    catch_up(&mut follower).await;
    assert_eq!(late.is_revoked(&token("t")), Ok(false));
}

/// The list reads what changed from its store: one that remembers how it was before tells nothing new. T-REV-1
#[tokio::test]
async fn a_list_over_a_cache_learns_of_a_later_revocation() {
    let scene = Scene::new();
    let (a, _) = scene.revocations();
    let copy = MemoryRevocations::builder()
        .max_lag(SECOND)
        .clock(scene.clock.clone());
    let cache = CachingStore::new(scene.store.clone()).clock(scene.clock.clone());
    let b = StoredRevocations::new(cache, copy.build(), HOUR).expect("a list");
    let mut follower = Follower::new(scene.store.clone()).tell(Arc::new(b.clone()));
    catch_up(&mut follower).await;
    for second in [1_000, 1_005] {
        let issued = TokenId::new(ISSUER, "t", Some("alice"), Timestamp::from_unix_seconds(second));
        a.revoke_before(ISSUER, "alice", Timestamp::from_unix_seconds(second))
            .await
            .expect("kept");
        catch_up(&mut follower).await;
        assert_eq!(b.is_revoked(&issued), Ok(true), "{second}");
    }
}
