//! Whose turn it is, the instant before each boundary and at it.

use portcullis_core::Timestamp;
use portcullis_jwt::{KeyRing, KeyRingError, RotationSchedule};

use crate::support::{DAY, HOUR, MINUTE, NOW, at, key, published, ring_with_a, s, signing};

/// When the second key is due, when it signs, and when the first is gone: with the defaults.
const DUE: u64 = 30 * 86_400 - 7_200;
const TURN: u64 = DUE + 7_200;
const GONE: u64 = TURN + 3_600 + 300;

#[test]
fn the_first_key_signs_at_once() {
    let mut ring = KeyRing::new(RotationSchedule::new(), at(0)).expect("a sound schedule");
    assert_eq!((signing(&ring), published(&ring).len()), (None, 0));
    assert!(ring.is_rotation_due());
    ring.rotate_if_due(at(0), key("a")).expect("a free id");
    assert_eq!(signing(&ring).as_deref(), Some("a"));
    assert_eq!(ring.next_change(), None);
    assert_eq!(ring.rotation_due_at(), at(DUE));
}

/// T-SIGN-1
#[test]
fn a_new_key_is_published_ahead_and_the_old_one_until_its_last_token_is_dead() {
    let mut ring = ring_with_a();
    assert_eq!(ring.rotate_if_due(at(DUE - 1), key("b")), Ok(false));
    assert_eq!(published(&ring), ["a"]);
    assert_eq!(ring.rotate_if_due(at(DUE), key("b")), Ok(true));
    for (time, signs, shown) in [
        (DUE, "a", &["a", "b"][..]),
        (TURN - 1, "a", &["a", "b"]),
        (TURN, "b", &["a", "b"]),
        (GONE - 1, "b", &["a", "b"]),
        (GONE, "b", &["b"]),
    ] {
        ring.advance_to(at(time));
        assert_eq!(signing(&ring).as_deref(), Some(signs), "{time}");
        assert_eq!(published(&ring), shown, "{time}");
    }
}

#[test]
fn the_times_of_change_are_foretold() {
    let mut ring = ring_with_a();
    ring.rotate_if_due(at(DUE), key("b")).expect("a free id");
    assert_eq!(ring.next_change(), Some(at(TURN)));
    assert!(!ring.advance_to(at(TURN - 1)));
    assert!(ring.advance_to(at(TURN)));
    assert_eq!(ring.next_change(), Some(at(GONE)));
    assert!(ring.advance_to(at(GONE)));
    assert_eq!(ring.next_change(), None);
    assert_eq!(ring.rotation_due_at(), at(TURN + DUE));
}

/// T-SIGN-1
#[test]
fn notice_is_given_from_when_a_key_was_added_and_not_from_when_it_was_due() {
    let mut ring = ring_with_a();
    let late = DUE + 20 * 86_400;
    ring.rotate_if_due(at(late), key("b")).expect("a free id");
    ring.advance_to(at(late + 7_199));
    assert_eq!(signing(&ring).as_deref(), Some("a"));
    ring.advance_to(at(late + 7_200));
    assert_eq!(signing(&ring).as_deref(), Some("b"));
}

/// T-SIGN-3
#[test]
fn an_earlier_time_changes_nothing() {
    let mut ring = ring_with_a();
    ring.rotate_if_due(at(DUE), key("b")).expect("a free id");
    ring.advance_to(at(TURN));
    for earlier in [at(TURN - 1), at(0), Timestamp::EPOCH] {
        assert!(!ring.advance_to(earlier));
        assert_eq!(signing(&ring).as_deref(), Some("b"));
        assert_eq!(published(&ring), ["a", "b"]);
        assert_eq!(ring.as_of(), at(TURN));
    }
    assert_eq!(ring.rotate_if_due(Timestamp::EPOCH, key("c")), Ok(false));
}

#[test]
fn a_second_successor_waits_until_the_first_has_its_turn() {
    let mut ring = ring_with_a();
    ring.rotate(at(100), key("b")).expect("none waits");
    assert_eq!(ring.rotate(at(200), key("c")), Err(KeyRingError::TurnTaken));
    assert_eq!(ring.rotate(at(7_299), key("c")), Err(KeyRingError::TurnTaken));
    assert_eq!(ring.rotate(at(7_300), key("c")), Ok(()));
}

#[test]
fn an_id_that_is_empty_or_taken_is_refused() {
    let mut ring = ring_with_a();
    assert_eq!(ring.rotate(at(1), key("a")), Err(KeyRingError::KidTaken));
    assert_eq!(ring.rotate(at(1), key("")), Err(KeyRingError::KidTaken));
    assert_eq!(ring.rotate(at(1), key("b")), Ok(()));
}

/// T-SIGN-4
#[test]
fn a_withdrawn_key_is_gone_and_its_successor_signs_at_once() {
    let mut ring = ring_with_a();
    ring.rotate(at(100), key("b")).expect("none waits");
    ring.withdraw(at(200), "a").expect("it is there");
    assert_eq!(signing(&ring).as_deref(), Some("b"));
    assert_eq!(published(&ring), ["b"]);
    assert!(!ring.is_rotation_due());
    assert_eq!(ring.rotation_due_at(), at(200 + DUE));
    assert_eq!(ring.withdraw(at(200), "a"), Err(KeyRingError::UnknownKid));
}

#[test]
fn without_a_successor_nobody_signs_until_a_new_key_does_at_once() {
    let mut ring = ring_with_a();
    ring.withdraw(at(200), "a").expect("it is there");
    assert_eq!((signing(&ring), published(&ring).len()), (None, 0));
    assert!(ring.is_rotation_due());
    assert_eq!(ring.rotate_if_due(at(300), key("b")), Ok(true));
    assert_eq!(signing(&ring).as_deref(), Some("b"));
}

#[test]
fn the_old_key_does_not_come_back_when_the_new_one_is_withdrawn() {
    let mut ring = ring_with_a();
    ring.rotate(at(0), key("b")).expect("none waits");
    ring.advance_to(at(7_200 + 60));
    ring.withdraw(at(7_200 + 60), "b").expect("it is there");
    assert_eq!((signing(&ring), published(&ring)), (None, vec!["a".to_owned()]));
    ring.rotate_if_due(at(7_300), key("c")).expect("a free id");
    assert_eq!(signing(&ring).as_deref(), Some("c"));
    ring.advance_to(at(7_200 + 3_899));
    assert_eq!(published(&ring), ["a", "c"], "tokens of the old one still live");
    ring.advance_to(at(7_200 + 3_900));
    assert_eq!(published(&ring), ["c"]);
}

#[test]
fn when_the_successor_is_withdrawn_before_its_turn_the_old_key_goes_on() {
    let mut ring = ring_with_a();
    ring.rotate_if_due(at(DUE), key("b")).expect("a free id");
    ring.withdraw(at(DUE + 60), "b").expect("it is there");
    assert!(ring.is_rotation_due(), "a successor is due again");
    ring.advance_to(at(TURN + 60));
    assert_eq!(signing(&ring).as_deref(), Some("a"));
    ring.rotate_if_due(at(TURN + 60), key("c")).expect("a free id");
    assert_eq!(signing(&ring).as_deref(), Some("a"), "with the usual notice");
    ring.advance_to(at(TURN + 60 + 7_200));
    assert_eq!(signing(&ring).as_deref(), Some("c"));
}

#[test]
fn a_turn_ends_at_the_instant_at_which_the_next_begins() {
    for (time, signs) in [(TURN - 1, Some("a")), (TURN, None)] {
        let mut ring = ring_with_a();
        ring.rotate_if_due(at(DUE), key("b")).expect("a free id");
        ring.withdraw(at(time), "b").expect("it is there");
        assert_eq!(signing(&ring).as_deref(), signs, "{time}");
        assert_eq!(published(&ring), ["a"]);
    }
}

#[test]
fn a_key_that_was_added_by_a_clock_a_little_ahead_signs_nevertheless() {
    let ahead = ring_with_a();
    let bytes = ahead.to_secret_bytes().expect("a ring");
    let behind = Timestamp::from_unix_seconds(NOW - 3);
    let ring = KeyRing::from_secret_bytes(bytes.expose(), RotationSchedule::new(), behind).expect("a ring");
    assert_eq!(signing(&ring).as_deref(), Some("a"));
    assert!(!ring.is_rotation_due());
}

#[test]
fn longer_tokens_are_covered_from_when_they_are_allowed() {
    let mut ring = ring_with_a();
    assert_eq!(ring.longest_token(), HOUR);
    assert!(!ring.cover_longest_token());
    let bytes = ring.to_secret_bytes().expect("a ring");
    let longer = RotationSchedule::new().with_longest_token(DAY);
    ring = KeyRing::from_secret_bytes(bytes.expose(), longer, at(10)).expect("a ring");
    assert_eq!(ring.longest_token(), HOUR, "until it is written down");
    assert!(ring.cover_longest_token());
    assert_eq!(ring.longest_token(), DAY);
    ring.rotate(at(10), key("b")).expect("none waits");
    let retired = at(10).saturating_add(2 * HOUR + DAY + 5 * MINUTE);
    assert_eq!(ring.keys().next().and_then(|a| a.retired_at()), Some(retired));
}

#[test]
fn a_schedule_out_of_its_bounds_makes_no_ring() {
    let shortest = RotationSchedule::SHORTEST_PUBLISH_AHEAD;
    let schedule = |ahead| RotationSchedule::new().with_publish_ahead(ahead);
    assert!(KeyRing::new(schedule(shortest), at(0)).is_ok());
    assert!(KeyRing::new(schedule(shortest - s(1)), at(0)).is_err());
}

/// T-SIGN-3
/// Two clocks that differ by more than the notice take out, in turn, what the other one added.
#[test]
fn a_turn_that_was_to_end_goes_on_until_the_next_begins() {
    let mut ring = ring_with_a();
    ring.rotate(at(0), key("b")).expect("none waits");
    ring.withdraw(at(7_370), "b").expect("it is there");
    ring.rotate_if_due(at(7_370), key("c")).expect("a free id");
    assert_eq!(signing(&ring).as_deref(), Some("c"));
    let bytes = ring.to_secret_bytes().expect("a ring");
    let late = Timestamp::from_unix_seconds(NOW - 1);
    let read = |bytes: &[u8]| KeyRing::from_secret_bytes(bytes, RotationSchedule::new(), late);
    let mut ring = read(bytes.expose()).expect("a ring");
    ring.withdraw(late, "c").expect("it is there");
    ring.rotate_if_due(late, key("d")).expect("a free id");
    let bytes = ring.to_secret_bytes().expect("a ring");
    let ring = read(bytes.expose()).expect("what was written is read");
    assert_eq!(signing(&ring).as_deref(), Some("a"));
    let ends: Vec<_> = ring.keys().filter_map(|key| key.signs_until()).collect();
    let begins: Vec<_> = ring.keys().skip(1).map(|key| key.signs_from()).collect();
    assert_eq!(ends, begins, "and nobody's turn is left out");
}
