//! The list in memory: what it promises under clocks that jump, when it is full, and in a crowd.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use portcullis_core::{
    Clock, MemoryRevocations, RevocationList, RevocationsFull, Timestamp, TokenId, Unavailable,
};
use portcullis_jwt::JwtError;
use portcullis_test::ManualClock;

use crate::doubles::{House, SteppedClock};
use crate::support::{ISSUER, NOW, accepted, assert_refused, built};

const DAY: u64 = 86_400;

const fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn token(id: &str) -> TokenId<'_> {
    TokenId::new(ISSUER, id, Some("alice"), at(NOW))
}

fn full_after(entries: usize, clock: impl Clock) -> MemoryRevocations {
    MemoryRevocations::builder()
        .capacity(entries)
        .clock(clock)
        .build()
}

/// T-REV-1: a clock that is a day ahead, room that is needed, and the clock set right. What was dropped by
/// the wrong time is unknown then, and unknown is not "good".
#[test]
fn a_clock_that_jumps_ahead_and_back_brings_no_token_back() {
    let house = House::new();
    let list = full_after(1, house.clock.clone());
    let verifier = built(house.builder().revocations(list.clone()).cache_tokens(10));
    let revoked = house.issuer.token().claim("jti", "a").build();
    let _ = accepted(&verifier, &revoked);
    list.revoke(ISSUER, "a", at(NOW + 300)).unwrap();
    assert_refused(&verifier, &revoked, JwtError::Revoked, "revoked");

    house.clock.set_wall(NOW + DAY);
    list.revoke(ISSUER, "b", at(NOW + DAY + 300))
        .expect("`a` has expired, by this clock");
    house.clock.set_wall(NOW + 10);
    let unknown = JwtError::RevocationUnavailable { retry_after: None };
    assert_refused(&verifier, &revoked, unknown, "forgotten, not forgiven");
    house.clock.set_wall(NOW + 329);
    assert_refused(
        &verifier,
        &revoked,
        unknown,
        "the last second in which it might pass",
    );

    // From when it has expired for every verifier, all is as before.
    house.clock.set_wall(NOW + 600);
    assert_refused(&verifier, &revoked, JwtError::Expired, "expired");
    assert_eq!(list.is_revoked(&token("c")), Ok(false));
    assert_eq!(list.is_revoked(&token("b")), Ok(true));
}

/// The same for a subject, whose entry goes when the longest token has gone.
#[test]
fn a_clock_that_jumps_ahead_and_back_brings_no_subject_back() {
    let clock = ManualClock::at(NOW);
    let list = MemoryRevocations::builder()
        .capacity(1)
        .longest_token(Duration::from_secs(3_600))
        .clock(clock.clone())
        .build();
    list.revoke_before(ISSUER, "alice", at(NOW)).unwrap();
    clock.set_wall(NOW + DAY);
    list.revoke_before(ISSUER, "bob", at(NOW)).unwrap();
    for (now, answer) in [
        (NOW, Err(Unavailable::new(None))),
        (NOW + 3_600 + 300, Err(Unavailable::new(None))),
        (NOW + 3_600 + 301, Ok(false)),
    ] {
        clock.set_wall(now);
        assert_eq!(list.is_revoked(&token("x")), answer, "{now}");
    }
}

/// A clock that jumps while there is room costs nothing.
#[test]
fn a_clock_that_jumps_while_there_is_room_makes_nothing_unknown() {
    let clock = ManualClock::at(NOW);
    let list = full_after(3, clock.clone());
    list.revoke(ISSUER, "a", at(NOW + 300)).unwrap();
    clock.set_wall(NOW + DAY);
    list.revoke(ISSUER, "b", at(NOW + 300)).unwrap();
    clock.set_wall(NOW);
    for (id, revoked) in [("a", true), ("b", true), ("c", false)] {
        assert_eq!(list.is_revoked(&token(id)), Ok(revoked), "{id}");
    }
}

/// Room that is needed in good time makes nothing unknown either: what is dropped has expired for good.
#[test]
fn room_that_is_needed_in_good_time_makes_nothing_unknown() {
    let clock = ManualClock::at(NOW);
    let list = full_after(1, clock.clone());
    for number in 0..5 {
        let id = number.to_string();
        list.revoke(ISSUER, &id, clock.now().saturating_add(Duration::from_secs(10)))
            .unwrap();
        assert_eq!(list.is_revoked(&token("other")), Ok(false));
        clock.advance(Duration::from_secs(309));
        assert!(list.revoke(ISSUER, "x", at(NOW)).is_err(), "{number}");
        clock.advance(Duration::from_secs(1));
    }
}

/// T-REV-1: the likely mistake, a reading of the wall clock, or any from the future, confirms no more than
/// what has passed.
#[test]
fn a_confirmation_from_the_future_confirms_the_present() {
    for reading in [
        Duration::from_secs(NOW),
        Duration::from_secs(3_600),
        Duration::MAX,
    ] {
        let clock = ManualClock::at(NOW);
        let list = MemoryRevocations::builder()
            .max_lag(Duration::from_secs(5))
            .clock(clock.clone())
            .build();
        list.confirm(reading);
        assert_eq!(list.is_revoked(&token("a")), Ok(false));
        clock.advance(Duration::from_secs(6));
        assert_eq!(
            list.is_revoked(&token("a")),
            Err(Unavailable::new(None)),
            "{reading:?}"
        );
        list.confirm(clock.monotonic());
        assert_eq!(list.is_revoked(&token("a")), Ok(false));
    }
}

/// Somebody else is making room: that is no reason to refuse.
#[test]
fn a_revocation_in_the_middle_of_another_one_that_makes_room_is_not_refused() {
    let hand = ManualClock::at(NOW);
    let clock = SteppedClock::new(&hand);
    let list = full_after(2, clock.clone());
    for id in ["a", "b"] {
        list.revoke(ISSUER, id, at(NOW)).unwrap();
    }
    hand.advance(Duration::from_secs(300));
    let other = list.clone();
    clock.steps.then(move || {
        other
            .revoke(ISSUER, "c", at(NOW + 900))
            .expect("there is room for two");
    });
    list.revoke(ISSUER, "d", at(NOW + 900))
        .expect("there is room for two");
    assert!(clock.steps.is_done());
    assert_eq!(list.len(), 2);
    for id in ["c", "d"] {
        assert_eq!(list.is_revoked(&token(id)), Ok(true), "{id}");
    }
}

/// Many who revoke what all have expired but for a few: exactly as many are taken as there is room for, and
/// what was taken is found.
#[test]
fn a_crowd_fills_a_list_of_expired_entries_exactly() {
    const CROWD: usize = 8;
    let clock = ManualClock::at(NOW);
    let list = full_after(100, clock.clone());
    for number in 0..100 {
        let end = if number < 40 { at(NOW + DAY) } else { at(NOW) };
        list.revoke(ISSUER, &format!("old-{number}"), end).unwrap();
    }
    clock.advance(Duration::from_secs(300));
    let barrier = Barrier::new(CROWD);
    let taken: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..CROWD)
            .map(|thread| {
                let (list, barrier) = (&list, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let ids = (0..20).map(|number| format!("{thread}-{number}"));
                    ids.filter(|id| list.revoke(ISSUER, id, at(NOW + DAY)).is_ok())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    assert_eq!((taken.len(), list.len()), (60, 100));
    for id in taken {
        assert_eq!(list.is_revoked(&token(&id)), Ok(true), "{id}");
    }
    for number in 0..40 {
        assert_eq!(list.is_revoked(&token(&format!("old-{number}"))), Ok(true));
    }
}

/// What was refused room revokes nothing, and a list without any revokes nothing at all.
#[test]
fn a_full_list_says_so_and_nothing_is_half_done() {
    let clock = ManualClock::at(NOW);
    for (capacity, list) in [0, 2].map(|capacity| (capacity, full_after(capacity, clock.clone()))) {
        for number in 0..capacity {
            list.revoke(ISSUER, &number.to_string(), at(NOW + 300)).unwrap();
        }
        let mut changed = list.changed();
        let _: RevocationsFull = list.revoke(ISSUER, "more", at(NOW + 300)).expect_err("full");
        assert!(list.revoke_before(ISSUER, "alice", at(NOW)).is_err());
        assert_eq!(list.is_revoked(&token("more")), Ok(false));
        assert!(is_pending(&mut changed), "nothing was announced");
        assert_eq!((list.len(), list.is_empty()), (capacity, capacity == 0));
    }
}

/// Names are compared whole, of any length and in any bytes.
#[test]
fn long_and_odd_names_are_names() {
    let list = MemoryRevocations::new();
    let long = "x".repeat(12_000);
    let names = ["", " ", "\0", "\u{1f511}", &long, &long[1..]];
    for name in &names {
        assert_eq!(
            list.is_revoked(&TokenId::new(name, name, Some(name), at(1))),
            Ok(false)
        );
    }
    for name in &names {
        list.revoke(name, name, at(NOW)).unwrap();
        assert_eq!(list.is_revoked(&TokenId::new(name, name, None, at(1))), Ok(true));
        assert_eq!(
            list.is_revoked(&TokenId::new(name, "other", Some(name), at(1))),
            Ok(false)
        );
    }
    assert_eq!(list.len(), names.len());
}

fn is_pending(future: &mut Pin<Box<dyn Future<Output = ()> + Send>>) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    matches!(future.as_mut().poll(&mut cx), Poll::Pending)
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// T-REV-1: every kind of change wakes who waits, once; who left is held on to by nobody.
#[test]
fn whoever_waits_for_a_change_is_woken_and_whoever_left_is_forgotten() {
    let list = MemoryRevocations::new();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    let before = Arc::strong_count(&woken);
    let mut left: Vec<_> = (0..1_000).map(|_| list.changed()).collect();
    for waiting in &mut left {
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(Arc::strong_count(&woken), before + 1_000);
    drop(left);
    assert_eq!(Arc::strong_count(&woken), before);

    for number in 1..=3 {
        let mut waiting = list.changed();
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        let revoked = match number {
            1 => list.revoke(ISSUER, "a", at(NOW)),
            2 => list.revoke(ISSUER, "a", at(NOW + 1)),
            _ => list.revoke_before(ISSUER, "alice", at(NOW)),
        };
        revoked.unwrap();
        assert_eq!(woken.0.load(Ordering::SeqCst), number);
        assert!(waiting.as_mut().poll(&mut cx).is_ready());
    }
    assert_eq!(Arc::strong_count(&woken), before);
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker that panics");
    }
}

/// A waiter's panic comes after the revocation, poisons nothing, and is his who revoked.
#[test]
fn a_waker_that_panics_takes_no_revocation_back() {
    let list = MemoryRevocations::new();
    let waker = Waker::from(Arc::new(Panics));
    let mut waiting = list.changed();
    assert!(
        waiting
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    let panicked = catch_unwind(AssertUnwindSafe(|| list.revoke(ISSUER, "a", at(NOW))));
    assert!(panicked.is_err());
    assert_eq!(list.is_revoked(&token("a")), Ok(true));
    list.revoke(ISSUER, "b", at(NOW)).unwrap();
    assert_eq!(list.is_revoked(&token("b")), Ok(true));
    assert!(!is_pending(&mut waiting));
}

/// The claims of a token that nobody revoked hold up against a list that is asked from many sides while it is
/// written: no answer is ever wrong in between.
#[test]
fn a_list_that_is_written_while_it_is_asked_forgets_nothing() {
    let list = full_after(50, ManualClock::at(NOW));
    list.revoke(ISSUER, "always", at(NOW + DAY)).unwrap();
    let barrier = Barrier::new(3);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            barrier.wait();
            (0..200)
                .filter(|number| list.revoke(ISSUER, &number.to_string(), at(NOW + DAY)).is_ok())
                .count()
        });
        for _ in 0..2 {
            scope.spawn(|| {
                barrier.wait();
                for _ in 0..2_000 {
                    assert_eq!(list.is_revoked(&token("always")), Ok(true));
                    assert_eq!(list.is_revoked(&token("never")), Ok(false));
                }
            });
        }
        assert_eq!(writer.join().expect("no panic"), 49);
    });
}
