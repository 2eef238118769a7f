//! What one instance does to the others: by a clock that is wrong, a sleep, or an answer that comes late.

// Helpers of tests panic as tests do.
#![allow(clippy::expect_used)]

mod support;

use portcullis_jwks::SharedKeysError;
use portcullis_jwt::{KeyRingError, SigningKeys, SigningKeysUnavailable};
use portcullis_test::ManualClock;
use support::ring_store::{DAY, HOUR, MINUTE, MemoryStore, open, published, signing};

const START: u64 = 1_800_000_000;

/// T-SIGN-3, T-SIGN-10
/// A sleep too short to be out of touch, and long enough for somebody's turn: what the old key would sign
/// now lives longer than anybody publishes that key.
#[tokio::test]
async fn an_instance_that_slept_through_a_turn_signs_nothing_before_it_has_looked() {
    let (store, clock) = (MemoryStore::default(), ManualClock::at(START));
    let a = open(&store, &clock, "a").await;
    a.rotate().await.expect("none waits");
    clock.advance(2 * HOUR - 10 * MINUTE);
    a.maintain().await.expect("the store answers");
    assert_eq!(signing(&a).as_deref(), Some("a-1"));
    let asleep = |time: u64| clock.set_wall(START + 7_200 - 600 + time);
    asleep(599);
    assert_eq!(signing(&a).as_deref(), Some("a-1"), "the turn has not come");
    asleep(3_000);
    assert_eq!(a.current().err(), Some(SigningKeysUnavailable::new(Some(MINUTE))));
    asleep(0);
    assert_eq!(
        signing(&a).as_deref(),
        Some("a-1"),
        "the clock was wrong, and is right again"
    );
}

/// T-SIGN-4
#[tokio::test]
async fn a_key_that_another_instance_withdrew_is_withdrawn_here_too_when_asked_for() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let (a, b) = (open(&store, &clock, "a").await, open(&store, &clock, "b").await);
    a.withdraw("a-1").await.expect("it is there");
    assert_eq!(signing(&b).as_deref(), Some("a-1"), "no round yet");
    b.withdraw("a-1").await.expect("it is gone, as wished");
    assert_eq!(published(&b), ["a-2"]);
    for instance in [&a, &b] {
        let again = instance.withdraw("a-1").await;
        let unknown = SharedKeysError::Ring(KeyRingError::UnknownKid);
        assert_eq!(
            again.err().map(|e| format!("{e:?}")),
            Some(format!("{unknown:?}"))
        );
    }
}

/// T-SIGN-4
/// The store wrote, and said that it had not.
#[tokio::test]
async fn a_withdrawal_whose_answer_was_lost_can_be_repeated() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let a = open(&store, &clock, "a").await;
    store.lose_next_answer();
    assert!(matches!(a.withdraw("a-1").await, Err(SharedKeysError::Store(_))));
    a.withdraw("a-1").await.expect("it is gone, as wished");
    assert_eq!(published(&a), ["a-2"]);
}

/// T-SIGN-1, T-SIGN-3
/// What a clock far ahead takes for dead, others still need.
#[tokio::test]
async fn an_instance_whose_clock_is_far_ahead_takes_no_key_from_the_others() {
    for ahead in [DAY, 31 * DAY, 400 * DAY] {
        let (store, clock) = (MemoryStore::default(), ManualClock::at(START));
        let a = open(&store, &clock, "a").await;
        a.rotate().await.expect("none waits");
        clock.advance(2 * HOUR + MINUTE);
        a.maintain().await.expect("the store answers");
        assert_eq!(published(&a), ["a-1", "a-2"], "tokens of the first one live");
        let wrong = ManualClock::at(START + 7_260 + ahead.as_secs());
        let b = open(&store, &wrong, "b").await;
        assert!(
            !published(&b).contains(&"a-1".to_owned()),
            "dead, as its clock has it"
        );
        // None waits, or one is due already.
        let _ = b.rotate().await;
        a.maintain().await.expect("the store answers");
        assert!(
            published(&a).starts_with(&["a-1".to_owned(), "a-2".to_owned()]),
            "{ahead:?}"
        );
        assert_eq!(signing(&a).as_deref(), Some("a-2"));
        clock.advance(HOUR + 4 * MINUTE);
        a.maintain().await.expect("the store answers");
        assert!(
            !published(&a).contains(&"a-1".to_owned()),
            "dead by the right clock"
        );
    }
}

/// T-SIGN-4
/// A key that only a late clock still publishes is taken out all the same.
#[tokio::test]
async fn a_key_that_is_retired_here_and_not_elsewhere_is_withdrawn_everywhere() {
    let (store, clock) = (MemoryStore::default(), ManualClock::at(START));
    let a = open(&store, &clock, "a").await;
    a.rotate().await.expect("none waits");
    clock.advance(2 * HOUR + MINUTE);
    a.maintain().await.expect("the store answers");
    let wrong = ManualClock::at(START + 7_260 + DAY.as_secs());
    let b = open(&store, &wrong, "b").await;
    assert_eq!(published(&b), ["a-2"]);
    b.withdraw("a-1").await.expect("it is in the store");
    a.maintain().await.expect("the store answers");
    assert_eq!(published(&a), ["a-2"]);
}
