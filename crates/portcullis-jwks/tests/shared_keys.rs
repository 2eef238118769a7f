//! Several instances, one ring.

// Helpers of tests panic as tests do.
#![allow(clippy::expect_used)]

mod support;

use std::time::Duration;

use portcullis_jwks::{SharedKeysError, SharedSigningKeys};
use portcullis_jwt::{
    Algorithm, JwtError, JwtSigner, KeyRingError, KeySet, LocalKeySet, Profile, RotationSchedule,
    SigningKeys, SigningKeysUnavailable, StaticKeySet, TrustedIssuer, Verifier,
};
use portcullis_test::ManualClock;
use support::ring_store::{DAY, HOUR, MINUTE, MemoryStore, current, instance, open, published, signing};
use support::{ISSUER, s};

const API: &str = "https://api.test";

/// When the second key is due, with the defaults.
const DUE: Duration = Duration::from_secs(30 * 86_400 - 7_200);

fn sign(keys: &SharedSigningKeys, clock: &ManualClock) -> String {
    let signer = JwtSigner::builder(ISSUER, keys.clone())
        .clock(clock.clone())
        .build();
    let request = signer
        .expect("a sound configuration")
        .access_token("alice", API, "web");
    request.sign().expect("a key").token().expose().clone()
}

fn verify(keys: impl KeySet, clock: &ManualClock, token: &str) -> Result<(), JwtError> {
    let verifier = Verifier::builder()
        .issuer(TrustedIssuer::new(ISSUER, keys).algorithms([Algorithm::EdDsa]))
        .audience(API)
        .profile(Profile::AccessToken)
        .clock(clock.clone())
        .build()
        .expect("a sound configuration");
    verifier.verify_now(token).map(drop)
}

fn jwks(keys: &SharedSigningKeys) -> StaticKeySet {
    StaticKeySet::from_jwks(current(keys).jwks().as_str().as_bytes()).expect("public keys")
}

/// Lets the round that is under way in the background end.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// T-SIGN-2
#[tokio::test]
async fn of_two_instances_that_start_at_once_one_creates_the_ring() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    store.meet(2);
    let (a, b) = tokio::join!(open(&store, &clock, "a"), open(&store, &clock, "b"));
    assert_eq!(store.replaces(), 2, "both tried");
    assert_eq!(published(&a).len(), 1);
    assert_eq!(published(&a), published(&b));
    assert_eq!(signing(&a), signing(&b));
    for (one, other) in [(&a, &b), (&b, &a)] {
        let token = sign(one, &clock);
        assert_eq!(verify(jwks(other), &clock, &token), Ok(()));
    }
}

/// T-SIGN-2
/// Both have seen that a key is due before either adds one.
#[tokio::test]
async fn of_two_instances_that_rotate_at_once_one_wins_and_both_publish_its_key() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let (a, b) = (open(&store, &clock, "a").await, open(&store, &clock, "b").await);
    clock.advance(DUE);
    store.meet(2);
    let (one, two) = tokio::join!(a.maintain(), b.maintain());
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(store.replaces(), 3, "the first key, and both tried");
    assert_eq!(published(&a).len(), 2);
    assert_eq!(published(&a), published(&b));
    assert_eq!(current(&a).jwks(), current(&b).jwks());
    let before = [sign(&a, &clock), sign(&b, &clock)];
    clock.advance(2 * HOUR - s(1));
    assert!(a.maintain().await.is_ok() && b.maintain().await.is_ok());
    assert_eq!(
        (signing(&a).as_deref(), signing(&b).as_deref()),
        (Some("a-1"), Some("a-1"))
    );
    clock.advance(s(1));
    let next = signing(&a);
    assert_ne!(next.as_deref(), Some("a-1"));
    assert_eq!(signing(&b), next, "without a look at the store");
    for (one, other) in [(&a, &b), (&b, &a)] {
        let token = sign(one, &clock);
        assert_eq!(verify(jwks(other), &clock, &token), Ok(()));
        assert_eq!(verify(LocalKeySet::new(other.clone()), &clock, &token), Ok(()));
    }
    drop(before);
}

/// T-SIGN-2
#[tokio::test]
async fn a_key_is_in_the_store_before_anybody_publishes_it() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let a = open(&store, &clock, "a").await;
    clock.advance(DUE);
    store.set_down(true);
    assert!(matches!(a.maintain().await, Err(SharedKeysError::Store(_))));
    store.set_down(false);
    assert!(a.maintain().await.is_ok());
    assert_eq!(
        published(&a),
        ["a-1", "a-2"],
        "nothing was generated while the store was down"
    );
    let stored = store.stored().expect("a ring");
    let text = String::from_utf8(stored.bytes().expose().clone()).expect("JSON");
    assert!(text.contains("a-2"));
}

#[tokio::test]
async fn of_two_instances_that_plan_a_change_at_once_one_adds_a_key_and_both_succeed() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let (a, b) = (open(&store, &clock, "a").await, open(&store, &clock, "b").await);
    store.meet(2);
    let (one, two) = tokio::join!(a.rotate(), b.rotate());
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(published(&a).len(), 2);
    assert_eq!(published(&a), published(&b));
    let again = a.rotate().await;
    assert!(matches!(
        again,
        Err(SharedKeysError::Ring(KeyRingError::TurnTaken))
    ));
}

#[tokio::test]
async fn a_change_that_was_overtaken_by_another_one_is_made_all_the_same() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let (a, b) = (open(&store, &clock, "a").await, open(&store, &clock, "b").await);
    store.meet(2);
    let (one, two) = tokio::join!(a.rotate(), b.withdraw("a-1"));
    assert!(one.is_ok() && two.is_ok());
    a.maintain().await.expect("the store answers");
    b.maintain().await.expect("the store answers");
    assert_eq!(published(&a), published(&b));
    assert!(!published(&a).contains(&"a-1".to_owned()));
    assert!(published(&a).contains(&"a-2".to_owned()), "{:?}", published(&a));
}

#[tokio::test]
async fn a_key_of_another_instance_is_published_after_a_round() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let (a, b) = (open(&store, &clock, "a").await, open(&store, &clock, "b").await);
    clock.advance(DUE);
    a.maintain().await.expect("the store answers");
    assert_eq!(published(&a), ["a-1", "a-2"]);
    b.maintain().await.expect("the store answers");
    assert_eq!(published(&b), ["a-1", "a-2"]);
    assert_eq!(store.replaces(), 2, "only one key was added");
}

#[tokio::test]
async fn a_round_is_started_in_the_background_once_a_minute_and_one_at_a_time() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let a = open(&store, &clock, "a").await;
    let ring = current(&a);
    clock.advance(s(59));
    let _ = current(&a);
    settle().await;
    assert_eq!(store.loads(), 1, "not due yet");
    clock.advance(s(1));
    store.hold();
    for _ in 0..100 {
        assert!(std::sync::Arc::ptr_eq(&ring, &current(&a)), "nobody waits");
    }
    settle().await;
    assert_eq!(store.loads(), 2, "one at a time");
    store.release();
    settle().await;
    for _ in 0..100 {
        assert!(std::sync::Arc::ptr_eq(&ring, &current(&a)), "nothing changed");
    }
    settle().await;
    assert_eq!(store.loads(), 2);
    clock.advance(s(60));
    let _ = current(&a);
    settle().await;
    assert_eq!(store.loads(), 3);
}

#[tokio::test]
async fn after_a_failed_round_the_next_one_starts_five_seconds_later() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let a = open(&store, &clock, "a").await;
    store.set_down(true);
    clock.advance(MINUTE);
    let ask = async |loads: usize| {
        assert_eq!(signing(&a).as_deref(), Some("a-1"), "the keys at hand go on");
        settle().await;
        assert_eq!(store.loads(), loads);
    };
    ask(2).await;
    clock.advance(s(4));
    ask(2).await;
    clock.advance(s(1));
    ask(3).await;
    store.set_down(false);
    clock.advance(s(5));
    ask(4).await;
    clock.advance(s(59));
    ask(4).await;
}

/// T-SIGN-5
#[tokio::test]
async fn an_instance_that_no_longer_knows_what_others_publish_does_not_sign() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let a = open(&store, &clock, "a").await;
    let token = sign(&a, &clock);
    store.set_down(true);
    clock.advance(HOUR - s(1));
    assert!(a.maintain().await.is_err());
    assert_eq!(
        verify(LocalKeySet::new(a.clone()), &clock, &sign(&a, &clock)),
        Ok(())
    );
    clock.advance(s(1));
    let unavailable = SigningKeysUnavailable::new(Some(s(5)));
    assert_eq!(a.current().err(), Some(unavailable));
    let retry_after = unavailable.retry_after();
    assert_eq!(
        verify(LocalKeySet::new(a.clone()), &clock, &token),
        Err(JwtError::KeysUnavailable { retry_after })
    );
    settle().await;
    assert_eq!(
        a.current().err(),
        Some(unavailable),
        "the round that was started failed"
    );
    let loads = store.loads();
    for _ in 0..5 {
        assert!(a.current().is_err());
        settle().await;
    }
    assert_eq!(store.loads(), loads, "not again at once");
    store.set_down(false);
    clock.advance(s(5));
    assert_eq!(a.current().err(), Some(unavailable), "and starts another");
    settle().await;
    assert_eq!(signing(&a).as_deref(), Some("a-1"));
}

/// T-SIGN-3, T-SIGN-5
/// While a machine is suspended its monotonic clock may stand still.
#[tokio::test]
async fn an_instance_that_was_suspended_looks_at_the_store_before_it_signs() {
    let (store, clock) = (MemoryStore::default(), ManualClock::at(1_800_000_000));
    let elsewhere = ManualClock::at(1_800_000_000);
    let (a, b) = (
        open(&store, &clock, "a").await,
        open(&store, &elsewhere, "b").await,
    );
    elsewhere.advance(DUE);
    b.maintain().await.expect("the store answers");
    elsewhere.advance(10 * DAY);
    b.maintain().await.expect("the store answers");
    assert_eq!(published(&b), ["b-1"], "the first key is long gone");
    clock.advance(s(10));
    clock.set_wall(1_800_000_000 + DUE.as_secs() + 10 * 86_400);
    assert!(
        a.current().is_err(),
        "by the wall clock it has not looked for days"
    );
    settle().await;
    for _ in 0..10 {
        assert!(
            a.current().is_err(),
            "it may have been suspended, or its clock be wrong"
        );
        clock.advance(MINUTE);
        let _ = a.current();
        settle().await;
    }
    assert_eq!(signing(&a).as_deref(), Some("b-1"));
    assert_eq!(verify(jwks(&b), &clock, &sign(&a, &clock)), Ok(()));
}

/// T-SIGN-3
#[tokio::test]
async fn a_wall_clock_that_jumps_changes_nothing_while_the_same_key_signs_either_way() {
    let (store, clock) = (MemoryStore::default(), ManualClock::at(1_800_000_000));
    let a = open(&store, &clock, "a").await;
    for wall in [0, 1_700_000_000, 1_800_003_000, 1_803_000_000, 1_900_000_000] {
        clock.set_wall(wall);
        a.maintain().await.expect("the store answers");
        assert_eq!(published(&a), ["a-1"], "{wall}: no key is added early");
    }
    clock.set_wall(1_800_000_000);
    a.maintain().await.expect("the store answers");
    a.rotate().await.expect("none waits");
    for wall in [0, 1_700_000_000, 1_800_007_199] {
        clock.set_wall(wall);
        a.maintain().await.expect("the store answers");
        assert_eq!(published(&a), ["a-1", "a-2"], "{wall}");
        assert_eq!(signing(&a).as_deref(), Some("a-1"), "{wall}");
    }
}

/// T-SIGN-3
#[tokio::test]
async fn a_wall_clock_that_jumps_past_a_turn_stops_signing_until_it_is_undone_or_has_lasted() {
    let (store, clock) = (MemoryStore::default(), ManualClock::at(1_800_000_000));
    let a = open(&store, &clock, "a").await;
    a.rotate().await.expect("none waits");
    clock.set_wall(1_800_007_199);
    a.maintain().await.expect("the store answers");
    assert_eq!(signing(&a).as_deref(), Some("a-1"));
    clock.set_wall(1_800_007_200);
    a.maintain().await.expect("the store answers");
    assert_eq!(a.current().err(), Some(SigningKeysUnavailable::new(Some(MINUTE))));
    clock.set_wall(1_800_000_000);
    a.maintain().await.expect("the store answers");
    assert_eq!(signing(&a).as_deref(), Some("a-1"), "it was undone");
    clock.set_wall(1_800_010_000);
    a.maintain().await.expect("the store answers");
    for _ in 0..10 {
        assert!(a.current().is_err());
        clock.advance(MINUTE);
        a.maintain().await.expect("the store answers");
    }
    assert_eq!(signing(&a).as_deref(), Some("a-2"), "it has lasted");
    assert_eq!(published(&a), ["a-1", "a-2"]);
}

#[tokio::test]
async fn a_clock_that_was_wrong_when_it_started_is_followed_when_it_is_set_right() {
    let (store, clock) = (MemoryStore::default(), ManualClock::at(1_800_000_000));
    let a = open(&store, &clock, "a").await;
    a.rotate().await.expect("none waits");
    let ahead = ManualClock::at(1_800_007_200 + 3_900);
    let b = open(&store, &ahead, "b").await;
    assert_eq!(published(&b), ["a-2"], "as its clock has it");
    ahead.set_wall(1_800_000_000);
    for minute in 0..11 {
        ahead.advance(MINUTE);
        // The round that believes the step fails: the next one still knows of it.
        store.set_down(minute == 10);
        assert_eq!(b.maintain().await.is_ok(), minute < 10);
    }
    store.set_down(false);
    b.maintain().await.expect("the store answers");
    assert_eq!(published(&b), ["a-1", "a-2"], "the ring is read anew");
    assert_eq!(signing(&b).as_deref(), Some("a-1"));
}

/// T-SIGN-4
#[tokio::test]
async fn a_withdrawn_key_is_gone_here_at_once_and_elsewhere_with_the_next_round() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let (a, b) = (open(&store, &clock, "a").await, open(&store, &clock, "b").await);
    let token = sign(&a, &clock);
    let local = LocalKeySet::new(a.clone());
    assert_eq!(verify(local.clone(), &clock, &token), Ok(()));
    a.withdraw("a-1").await.expect("it is there");
    assert_eq!(verify(local, &clock, &token), Err(JwtError::UnknownKey));
    assert_eq!(signing(&a).as_deref(), Some("a-2"));
    assert_eq!(signing(&b).as_deref(), Some("a-1"));
    b.maintain().await.expect("the store answers");
    assert_eq!((signing(&b).as_deref(), published(&b).len()), (Some("a-2"), 1));
    let again = a.withdraw("a-1").await;
    assert!(matches!(
        again,
        Err(SharedKeysError::Ring(KeyRingError::UnknownKid))
    ));
}

#[tokio::test]
async fn two_instances_that_withdraw_one_key_at_once_both_succeed_and_add_one_key() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let (a, b) = (open(&store, &clock, "a").await, open(&store, &clock, "b").await);
    store.meet(2);
    let (one, two) = tokio::join!(a.withdraw("a-1"), b.withdraw("a-1"));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(published(&a).len(), 1);
    assert_eq!(published(&a), published(&b));
    assert_ne!(signing(&a).as_deref(), Some("a-1"));
}

/// T-SIGN-4
#[tokio::test]
async fn a_round_that_began_before_a_key_was_withdrawn_does_not_bring_it_back() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let (a, b) = (open(&store, &clock, "a").await, open(&store, &clock, "b").await);
    let old = store.stored();
    b.withdraw("a-1").await.expect("it is there");
    a.maintain().await.expect("the store answers");
    let new = store.stored();
    // What the store said before arrives only now.
    store.set_stored(old.clone());
    a.maintain().await.expect("the store answers");
    assert_eq!(signing(&a).as_deref(), Some("b-1"));
    // An operator who brings a backup back is believed, with the next round.
    clock.advance(s(1));
    a.maintain().await.expect("the store answers");
    assert_eq!(signing(&a).as_deref(), Some("a-1"));
    assert_ne!(old.map(|old| old.version()), new.map(|new| new.version()));
}

#[tokio::test]
async fn a_round_that_nobody_drives_is_given_up() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let a = open(&store, &clock, "a").await;
    store.hold();
    clock.advance(MINUTE);
    let _ = current(&a);
    settle().await;
    clock.advance(s(30));
    let _ = current(&a);
    settle().await;
    assert_eq!(store.loads(), 2, "it may still end");
    clock.advance(s(1));
    let _ = current(&a);
    settle().await;
    assert_eq!(store.loads(), 3, "another one was started");
    store.release();
    settle().await;
    clock.advance(s(59));
    let _ = current(&a);
    settle().await;
    assert_eq!(store.loads(), 3, "and succeeded");
}

#[test]
fn a_runtime_that_ends_gives_way_to_the_next_and_without_one_the_keys_go_on() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime")
    };
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let first = runtime();
    let a = first.block_on(open(&store, &clock, "a"));
    clock.advance(MINUTE);
    assert_eq!(signing(&a).as_deref(), Some("a-1"), "no runtime, no round");
    store.hold();
    first.block_on(async {
        let _ = current(&a);
        settle().await;
    });
    assert_eq!(store.loads(), 2);
    drop(first);
    store.release();
    clock.advance(s(5));
    runtime().block_on(async {
        let _ = current(&a);
        settle().await;
    });
    assert_eq!(store.loads(), 3);
}

/// T-SIGN-10
#[tokio::test]
async fn longer_tokens_are_written_down_before_they_are_signed() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let a = open(&store, &clock, "a").await;
    let longer = RotationSchedule::new().with_longest_token(DAY);
    let b = instance(&store, &clock, "b").schedule(longer).open().await;
    let b = b.expect("the store answers");
    assert_eq!(store.replaces(), 2);
    assert_eq!(current(&a).longest_token(), HOUR);
    assert_eq!(current(&b).longest_token(), DAY);
    a.maintain().await.expect("the store answers");
    assert_eq!(current(&a).longest_token(), DAY);
    assert_eq!(store.replaces(), 2, "and nobody takes it back");
}

#[tokio::test]
async fn a_store_that_holds_something_else_or_nothing_readable_opens_no_instance() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    drop(open(&store, &clock, "a").await);
    assert!(instance(&store, &clock, "b").open().await.is_ok());
    let version = store.stored().expect("a ring").version();
    let broken = portcullis_jwks::StoredRing::new(version, b"{}".to_vec().into());
    store.set_stored(Some(broken));
    let refused = instance(&store, &clock, "b").open().await;
    assert!(matches!(
        refused,
        Err(SharedKeysError::Ring(KeyRingError::Malformed))
    ));
    store.set_down(true);
    let refused = instance(&store, &clock, "b").open().await;
    assert!(matches!(refused, Err(SharedKeysError::Store(_))));
    assert_eq!(store.replaces(), 1, "nothing was overwritten");
}

#[tokio::test]
async fn a_configuration_that_makes_no_sense_is_refused() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let every = |interval| instance(&store, &clock, "a").every(interval).open();
    assert!(every(15 * MINUTE).await.is_ok());
    for interval in [15 * MINUTE + s(1), Duration::from_millis(999)] {
        assert!(matches!(every(interval).await, Err(SharedKeysError::Config(_))));
    }
    let schedule = RotationSchedule::new().with_publish_ahead(HOUR);
    let refused = instance(&store, &clock, "a").schedule(schedule).open().await;
    assert!(matches!(refused, Err(SharedKeysError::Config(_))));
}

/// T-SIGN-6
#[tokio::test]
async fn debug_shows_no_key() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let a = open(&store, &clock, "a").await;
    let stored = store.stored().expect("a ring");
    let text = String::from_utf8(stored.bytes().expose().clone()).expect("JSON");
    let secret = text.split("\"secret\":\"").nth(1).and_then(|rest| rest.get(..40));
    let shown = format!("{a:?} {stored:?}");
    assert!(shown.contains("a-1"));
    assert!(!shown.contains(secret.expect("a key")));
}
