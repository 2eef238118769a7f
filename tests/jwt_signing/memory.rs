//! Keys of one process: turns, single flight, clocks that jump.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_jwt::{
    Algorithm, KeyError, KeyRing, KeyRingError, MemorySigningKeys, RotationSchedule, SigningKey, SigningKeys,
};
use portcullis_test::ManualClock;

use crate::support::{DAY, HOUR, MINUTE, NOW, at, key, memory, published, ring_with_a, s, signing};

fn current(keys: &MemorySigningKeys) -> Arc<KeyRing> {
    keys.current().expect("memory is always there")
}

#[test]
fn keys_take_turns_by_themselves() {
    let clock = ManualClock::at(NOW);
    let keys = memory(&clock, RotationSchedule::new());
    let first = current(&keys);
    assert!(Arc::ptr_eq(&first, &current(&keys)), "nothing is due");
    clock.advance(30 * DAY - 2 * HOUR - s(1));
    assert!(Arc::ptr_eq(&first, &current(&keys)), "a second before it is due");
    clock.advance(s(1));
    assert_eq!(published(&current(&keys)), ["key-1", "key-2"]);
    clock.advance(2 * HOUR - s(1));
    assert_eq!(signing(&current(&keys)).as_deref(), Some("key-1"));
    clock.advance(s(1));
    assert_eq!(signing(&current(&keys)).as_deref(), Some("key-2"));
    clock.advance(HOUR + 5 * MINUTE - s(1));
    assert_eq!(published(&current(&keys)), ["key-1", "key-2"]);
    clock.advance(s(1));
    assert_eq!(published(&current(&keys)), ["key-2"]);
}

#[test]
fn after_a_quiet_year_the_old_key_signs_until_its_successor_was_announced() {
    let clock = ManualClock::at(NOW);
    let keys = memory(&clock, RotationSchedule::new());
    clock.advance(365 * DAY);
    assert_eq!(signing(&current(&keys)).as_deref(), Some("key-1"));
    assert_eq!(published(&current(&keys)), ["key-1", "key-2"]);
    clock.advance(2 * HOUR);
    assert_eq!(signing(&current(&keys)).as_deref(), Some("key-2"));
}

/// T-SIGN-3
#[test]
fn a_wall_clock_that_jumps_changes_nothing() {
    let clock = ManualClock::at(NOW);
    let keys = memory(&clock, RotationSchedule::new());
    keys.rotate().expect("none waits");
    for jump in [NOW + 3_000_000, 0, NOW + 10_000, u64::MAX / 4, NOW - 3_000_000] {
        clock.set_wall(jump);
        let ring = current(&keys);
        assert_eq!(signing(&ring).as_deref(), Some("key-1"), "{jump}");
        assert_eq!(published(&ring), ["key-1", "key-2"], "{jump}");
    }
    clock.advance(2 * HOUR);
    clock.set_wall(0);
    let ring = current(&keys);
    assert_eq!(signing(&ring).as_deref(), Some("key-2"));
    assert_eq!(published(&ring), ["key-1", "key-2"]);
}

#[test]
fn a_planned_change_has_the_usual_notice() {
    let clock = ManualClock::at(NOW);
    let keys = memory(&clock, RotationSchedule::new());
    keys.rotate().expect("none waits");
    assert_eq!(keys.rotate().err(), Some(KeyRingError::TurnTaken));
    assert_eq!(signing(&current(&keys)).as_deref(), Some("key-1"));
    clock.advance(2 * HOUR);
    assert_eq!(signing(&current(&keys)).as_deref(), Some("key-2"));
}

#[test]
fn a_withdrawn_key_is_gone_and_a_new_one_signs_at_once() {
    let clock = ManualClock::at(NOW);
    let keys = memory(&clock, RotationSchedule::new());
    keys.withdraw("key-1").expect("it is there");
    assert_eq!(published(&current(&keys)), ["key-2"]);
    assert_eq!(signing(&current(&keys)).as_deref(), Some("key-2"));
    assert_eq!(keys.withdraw("key-1"), Err(KeyRingError::UnknownKid));
}

/// A generator that stops in the middle until it is told to go on.
struct Gate {
    entered: Receiver<()>,
    go_on: Sender<()>,
    calls: Arc<AtomicUsize>,
    keys: MemorySigningKeys,
}

fn gated(clock: &ManualClock) -> Gate {
    let (enter, entered) = channel();
    let (go_on, wait) = channel::<()>();
    let calls = Arc::new(AtomicUsize::new(0));
    let (counter, wait) = (Arc::clone(&calls), Mutex::new(wait));
    let keys = MemorySigningKeys::builder(Algorithm::EdDsa)
        .clock(clock.clone())
        .generate(move || {
            let number = counter.fetch_add(1, Ordering::SeqCst);
            if number > 0 {
                enter.send(()).expect("the test waits");
                wait.lock()
                    .expect("not poisoned")
                    .recv()
                    .expect("the test goes on");
            }
            Ok(SigningKey::generate(Algorithm::EdDsa)?.with_kid(format!("key-{}", number + 1)))
        })
        .build()
        .expect("a sound configuration");
    Gate {
        entered,
        go_on,
        calls,
        keys,
    }
}

#[test]
fn one_caller_generates_and_the_others_go_on_meanwhile() {
    let clock = ManualClock::at(NOW);
    let gate = gated(&clock);
    clock.advance(30 * DAY);
    std::thread::scope(|scope| {
        let generating = scope.spawn(|| published(&current(&gate.keys)));
        gate.entered.recv().expect("somebody generates");
        for _ in 0..100 {
            let ring = current(&gate.keys);
            assert_eq!(published(&ring), ["key-1"], "nobody waits");
            assert_eq!(signing(&ring).as_deref(), Some("key-1"));
        }
        gate.go_on.send(()).expect("it waits");
        assert_eq!(generating.join().expect("no panic"), ["key-1", "key-2"]);
    });
    assert_eq!(gate.calls.load(Ordering::SeqCst), 2);
    assert_eq!(published(&current(&gate.keys)), ["key-1", "key-2"]);
}

/// T-SIGN-4
#[test]
fn a_withdrawn_key_is_gone_before_its_successor_is_there() {
    let clock = ManualClock::at(NOW);
    let gate = gated(&clock);
    std::thread::scope(|scope| {
        let withdrawing = scope.spawn(|| gate.keys.withdraw("key-1"));
        gate.entered.recv().expect("a new key is needed");
        let ring = current(&gate.keys);
        assert_eq!((published(&ring).len(), signing(&ring)), (0, None));
        gate.go_on.send(()).expect("it waits");
        assert_eq!(withdrawing.join().expect("no panic"), Ok(()));
    });
    assert_eq!(signing(&current(&gate.keys)).as_deref(), Some("key-2"));
}

#[test]
fn when_no_key_can_be_generated_the_old_one_goes_on_and_it_is_tried_again_a_minute_later() {
    let clock = ManualClock::at(NOW);
    let fails = Arc::new(AtomicUsize::new(0));
    let tries = Arc::new(AtomicUsize::new(0));
    let (failing, counter) = (Arc::clone(&fails), Arc::clone(&tries));
    let keys = MemorySigningKeys::builder(Algorithm::EdDsa)
        .clock(clock.clone())
        .generate(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            if failing.load(Ordering::SeqCst) > 0 {
                return Err(KeyError::Weak);
            }
            SigningKey::generate(Algorithm::EdDsa)
        })
        .build()
        .expect("a sound configuration");
    fails.store(1, Ordering::SeqCst);
    clock.advance(31 * DAY);
    let tried = |expected: usize| assert_eq!(tries.load(Ordering::SeqCst), expected);
    for _ in 0..10 {
        assert!(current(&keys).signing_key().is_some());
    }
    tried(2);
    clock.advance(s(59));
    let _ = current(&keys);
    tried(2);
    clock.advance(s(1));
    let _ = current(&keys);
    tried(3);
    fails.store(0, Ordering::SeqCst);
    clock.advance(s(60));
    assert_eq!(published(&current(&keys)).len(), 2);
    tried(4);
}

#[test]
fn a_ring_that_was_written_down_is_taken_up_again() {
    let mut ring = ring_with_a();
    ring.rotate(at(0), key("b")).expect("none waits");
    let bytes = ring.to_secret_bytes().expect("a ring");
    let start = |after: Duration| {
        let clock = ManualClock::at(NOW + after.as_secs());
        let read = KeyRing::from_secret_bytes(bytes.expose(), RotationSchedule::new(), at(after.as_secs()));
        let keys = MemorySigningKeys::builder(Algorithm::EdDsa)
            .clock(clock)
            .ring(read.expect("a ring"))
            .build()
            .expect("a sound configuration");
        signing(&current(&keys))
    };
    assert_eq!(start(HOUR).as_deref(), Some("a"));
    assert_eq!(start(2 * HOUR).as_deref(), Some("b"));
}

#[test]
fn without_a_first_key_or_with_a_bad_schedule_nothing_is_built() {
    let builder = || MemorySigningKeys::builder(Algorithm::EdDsa).clock(ManualClock::at(NOW));
    assert!(builder().build().is_ok());
    assert!(builder().generate(|| Err(KeyError::Weak)).build().is_err());
    let schedule = RotationSchedule::new().with_publish_ahead(HOUR);
    assert!(builder().schedule(schedule).build().is_err());
}

/// T-SIGN-10
/// Somebody plans a change after a quiet time, and generating takes long: whose turn it is meanwhile says
/// the time, not what was known when everything was quiet.
#[test]
fn who_signs_while_a_key_is_generated_does_it_with_the_key_whose_turn_it_is() {
    let clock = ManualClock::at(NOW);
    let gate = gated(&clock);
    std::thread::scope(|scope| {
        let planned = scope.spawn(|| gate.keys.rotate());
        gate.entered.recv().expect("somebody generates");
        gate.go_on.send(()).expect("it waits");
        assert_eq!(planned.join().expect("no panic"), Ok(()));
        clock.advance(3 * HOUR + 5 * MINUTE);
        let planned = scope.spawn(|| gate.keys.rotate());
        gate.entered.recv().expect("somebody generates");
        let (ring, again) = (current(&gate.keys), current(&gate.keys));
        gate.go_on.send(()).expect("it waits");
        assert_eq!(planned.join().expect("no panic"), Ok(()));
        let signs = signing(&ring);
        assert_eq!(signs.as_deref(), Some("key-2"), "the first has had its turn");
        assert_eq!(published(&ring), ["key-2"], "and its tokens are dead");
        assert!(Arc::ptr_eq(&ring, &again), "once is enough");
    });
    assert_eq!(published(&current(&gate.keys)), ["key-2", "key-3"]);
}
