use std::pin::pin;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use portcullis_core::Clock;

use super::*;
use crate::{Payload, REMEMBERED};

const KIND: Kind = Kind::new("session");

/// A clock by hand. The kit has one, and depends on nothing that may depend on this crate's tests.
#[derive(Clone, Debug, Default)]
struct Hand(Arc<AtomicU64>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

impl Hand {
    fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

/// Memory never waits.
fn done<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("memory waits"),
    }
}

const fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn key(name: &str) -> RecordKey {
    RecordKey::new(KIND, name).expect("a key")
}

fn alice() -> Owner {
    Owner::new("alice").expect("an owner")
}

fn of_length(bytes: usize) -> Payload {
    Payload::new(vec![0; bytes]).expect("a payload")
}

fn nobodys(name: &str, until: u64) -> NewRecord {
    NewRecord::new(key(name), Payload::default(), at(until))
}

fn alices(name: &str, until: u64) -> NewRecord {
    nobodys(name, until).owned_by(alice())
}

fn kind<T>(answer: Result<T, StoreError>) -> Option<StoreErrorKind> {
    answer.err().map(|error| error.kind())
}

fn store(capacity: usize) -> (MemoryStore, Hand) {
    let clock = Hand::default();
    let store = MemoryStore::builder().capacity(capacity).clock(clock.clone());
    (store.build(), clock)
}

#[test]
fn a_full_store_refuses_and_gives_up_nothing_that_lives() {
    let (store, _) = store(10);
    for number in 0..10 {
        done(store.create(alices(&format!("{number}"), 100))).expect("room");
    }
    let full = kind(done(store.create(alices("one more", 100))));
    assert_eq!(full, Some(StoreErrorKind::Full));
    assert_eq!(
        done(store.list_owned_by(KIND, &alice())).expect("a list").len(),
        10
    );
    assert!(done(store.delete(&key("3"))).expect("an answer"));
    done(store.create(alices("one more", 100))).expect("a place was given back");
}

#[test]
fn what_has_expired_makes_room_and_what_lives_does_not() {
    let (store, clock) = store(2);
    done(store.create(alices("long", 100))).expect("room");
    done(store.create(alices("short", 10))).expect("room");
    clock.set(9);
    assert_eq!(
        kind(done(store.create(alices("new", 100)))),
        Some(StoreErrorKind::Full)
    );
    clock.set(10);
    done(store.create(alices("new", 100))).expect("the short one has expired");
    assert!(done(store.load(&key("long"))).expect("an answer").is_some());
    assert_eq!(store.len(), 2);
}

#[test]
fn the_last_tenth_is_for_records_that_have_an_owner() {
    let (store, _) = store(20);
    for number in 0..18 {
        done(store.create(nobodys(&format!("{number}"), 100))).expect("room");
    }
    let refused = kind(done(store.create(nobodys("stranger", 100))));
    assert_eq!(refused, Some(StoreErrorKind::Full));
    for name in ["one", "two"] {
        done(store.create(alices(name, 100))).expect("the reserve");
    }
    let refused = kind(done(store.create(alices("three", 100))));
    assert_eq!(refused, Some(StoreErrorKind::Full));
}

#[test]
fn bytes_are_bounded_as_records_are() {
    let clock = Hand::default();
    let settings = MemoryStore::builder()
        .max_bytes(4_000)
        .reserve_for_owned(0)
        .clock(clock);
    let store = settings.build();
    let large = |name, bytes| NewRecord::new(key(name), of_length(bytes), at(100));
    assert_eq!(
        kind(done(store.create(large("a", 4_000)))),
        Some(StoreErrorKind::Full)
    );
    let version = done(store.create(large("a", 2_000))).expect("room");
    assert_eq!(
        kind(done(store.create(large("b", 2_000)))),
        Some(StoreErrorKind::Full)
    );
    let grown = done(store.replace(&key("a"), version, Replacement::new(of_length(4_000))));
    assert_eq!(kind(grown), Some(StoreErrorKind::Full));
    let same = done(store.load(&key("a"))).expect("an answer").expect("it lives");
    assert_eq!((same.version(), same.payload()), (version, &of_length(2_000)));
    done(store.replace(&key("a"), version, Replacement::new(of_length(10)))).expect("smaller");
    done(store.create(large("b", 2_000))).expect("room again");
}

#[test]
fn what_comes_and_goes_leaves_nothing_behind() {
    let (store, clock) = store(4);
    for round in 0..100 {
        clock.set(round * 10);
        let until = round * 10 + 5;
        let version = done(store.create(alices("a", until).limit(at(until + 1)))).expect("room");
        done(store.create(alices("b", until))).expect("room");
        done(store.create(nobodys("c", until))).expect("room");
        done(store.touch(&key("a"), at(until + 1))).expect("it lives");
        done(store.replace(&key("a"), version, Replacement::new(of_length(9)))).expect("it lives");
        done(store.take(&key("b"))).expect("an answer").expect("it lives");
        if round % 2 == 0 {
            done(store.delete_owned_by(KIND, &alice())).expect("an answer");
        }
    }
    clock.set(10_000);
    done(store.sweep()).expect("an answer");
    assert!(store.is_empty());
    assert!(
        store
            .0
            .owners
            .iter()
            .all(|owners| owners.lock().expect("sound").is_empty())
    );
    let room = store.0.room();
    assert_eq!((room.records(), room.bytes()), (0, 0));
}

#[test]
fn a_full_store_still_revokes() {
    let (store, clock) = store(2);
    clock.set(50);
    for name in ["one", "two"] {
        done(store.create(alices(name, 100))).expect("room");
    }
    assert_eq!(
        done(store.revoke_before(KIND, &alice(), at(50))).expect("room of its own"),
        2
    );
    let late = alices("late", 100).created_at(at(50));
    assert_eq!(kind(done(store.create(late))), Some(StoreErrorKind::Revoked));
}

#[test]
fn a_revocation_is_remembered_for_as_long_as_something_so_dated_could_be_created() {
    let (store, clock) = store(10);
    let last = 50 + REMEMBERED.as_secs();
    clock.set(50);
    done(store.revoke_before(KIND, &alice(), at(50))).expect("room");
    let late = |until| alices("late", until).created_at(at(50));
    clock.set(last);
    done(store.sweep()).expect("an answer");
    assert_eq!(
        kind(done(store.create(late(last + 9)))),
        Some(StoreErrorKind::Revoked)
    );
    clock.set(last + 1);
    done(store.sweep()).expect("an answer");
    assert_eq!(
        kind(done(store.create(late(last + 9)))),
        Some(StoreErrorKind::TooOld)
    );
    assert!(
        store
            .0
            .owners
            .iter()
            .all(|owners| owners.lock().expect("sound").is_empty())
    );
}

#[test]
fn as_many_owners_are_revoked_as_there_may_be_records() {
    let (store, clock) = store(2);
    let owner = |number: u8| Owner::new([number]).expect("an owner");
    for number in [0, 1, 0, 1] {
        done(store.revoke_before(KIND, &owner(number), at(0))).expect("room");
    }
    let full = kind(done(store.revoke_before(KIND, &owner(2), at(0))));
    assert_eq!(full, Some(StoreErrorKind::Full));
    clock.set(REMEMBERED.as_secs() + 1);
    done(store.revoke_before(KIND, &owner(2), at(0))).expect("the others are forgotten");
}

#[test]
fn a_share_is_rounded_up_and_all_of_it_leaves_nothing_to_strangers() {
    for (percent, strangers) in [(0, 5), (10, 4), (100, 0), (255, 0)] {
        let settings = MemoryStore::builder().capacity(5).reserve_for_owned(percent);
        let store = settings.clock(Hand::default()).build();
        let kept = (0..5).filter(|number| done(store.create(nobodys(&format!("{number}"), 9))).is_ok());
        assert_eq!(kept.count(), strangers, "{percent} %");
    }
}

#[test]
fn nothing_of_a_record_is_shown() {
    let (store, _) = store(10);
    let secret = NewRecord::new(key("hunter2"), Payload::new(*b"hunter2").expect("short"), at(9));
    let shown = format!("{secret:?}");
    done(store.create(secret.owned_by(Owner::new("hunter2").expect("an owner")))).expect("room");
    let record = done(store.load(&key("hunter2")))
        .expect("an answer")
        .expect("it lives");
    for shown in [shown, format!("{record:?}"), format!("{store:?}")] {
        assert!(
            !shown.contains("hunter2") && !shown.contains("104, 117"),
            "{shown}"
        );
    }
}
