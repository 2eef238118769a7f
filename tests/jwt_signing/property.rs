//! Whatever happens in whatever order: the signing key is published, and so is the key of every token
//! that lives.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use portcullis_core::Timestamp;
use portcullis_jwt::{KeyRing, MemorySigningKeys, RotationSchedule, SigningKeys};
use portcullis_test::ManualClock;
use proptest::prelude::*;

use crate::support::{DAY, HOUR, NOW, key, memory, published, signing};

#[derive(Clone, Debug)]
enum Event {
    Advance(u64),
    Rotate,
    /// The n-th of the published keys.
    Withdraw(usize),
    /// The wall clock is set.
    Jump(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..3 * 3_600u64).prop_map(Event::Advance),
        1 => (0..40 * 86_400u64).prop_map(Event::Advance),
        2 => Just(Event::Rotate),
        1 => (0..4usize).prop_map(Event::Withdraw),
        2 => (0..2 * NOW).prop_map(Event::Jump),
    ]
}

/// The world as it is, whatever its wall clock shows.
struct World {
    clock: ManualClock,
    keys: MemorySigningKeys,
    elapsed: Duration,
    first_seen: HashMap<String, Duration>,
    withdrawn: HashSet<String>,
    /// Keys that sign without notice, because another one was withdrawn.
    hurried: bool,
    /// Who signed, and when the token is dead.
    tokens: Vec<(String, Duration)>,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::at(NOW);
        Self {
            keys: memory(&clock, RotationSchedule::new()),
            clock,
            elapsed: Duration::ZERO,
            first_seen: HashMap::from([("key-1".to_owned(), Duration::ZERO)]),
            withdrawn: HashSet::new(),
            hurried: false,
            tokens: Vec::new(),
        }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Advance(seconds) => {
                let time = Duration::from_secs(*seconds);
                self.clock.advance(time);
                self.elapsed += time;
            }
            // A key may wait for its turn already.
            Event::Rotate => drop(self.keys.rotate()),
            Event::Withdraw(index) => {
                let ring = self.keys.current().expect("memory is always there");
                let Some(kid) = published(&ring).into_iter().nth(*index) else {
                    return;
                };
                self.hurried |= signing(&ring).as_deref() == Some(&kid);
                self.keys.withdraw(&kid).expect("it was just there");
                self.withdrawn.insert(kid);
            }
            Event::Jump(wall) => self.clock.set_wall(*wall),
        }
    }

    fn check(&mut self) -> Result<(), TestCaseError> {
        let ring = self.keys.current().expect("memory is always there");
        let published = published(&ring);
        let signing = signing(&ring);
        prop_assert!(signing.is_some(), "somebody signs");
        let signing = signing.unwrap_or_default();
        prop_assert!(published.contains(&signing), "the signing key is published");
        for kid in &published {
            prop_assert!(!self.withdrawn.contains(kid), "{kid} was withdrawn");
            self.first_seen.entry(kid.clone()).or_insert(self.elapsed);
        }
        let notice = self.elapsed - self.first_seen[&signing];
        let noticed = notice >= RotationSchedule::new().publish_ahead() || signing == "key-1";
        prop_assert!(noticed || self.hurried, "{signing} signs after {notice:?}");
        let signed_before = self.tokens.iter().any(|(kid, _)| *kid == signing);
        if noticed && !signed_before {
            self.hurried = false;
        }
        self.tokens.push((signing, self.elapsed + HOUR));
        for (kid, dead_at) in &self.tokens {
            let lives = *dead_at > self.elapsed && !self.withdrawn.contains(kid);
            prop_assert!(!lives || published.contains(kid), "{kid} has tokens that live");
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// T-SIGN-1, T-SIGN-3
    #[test]
    fn the_signing_key_and_the_key_of_every_live_token_are_published(
        events in prop::collection::vec(event(), 0..80)
    ) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
            world.check()?;
        }
    }
}

/// What an instance does with the ring of the store, how far its clock is off, and how long tokens live as
/// it was configured.
#[derive(Clone, Debug)]
struct Hand {
    passes: u64,
    off: i64,
    days: u32,
    event: Event,
}

fn hand() -> impl Strategy<Value = Hand> {
    let off = prop_oneof![4 => -300..=300i64, 1 => -(86_400 * 40)..=86_400 * 40i64];
    (0..3 * 86_400u64, off, 0..20u32, event()).prop_map(|(passes, off, days, event)| Hand {
        passes,
        off,
        days,
        event,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// T-SIGN-3, T-SIGN-7
    /// Whatever instances with wrong clocks and different configurations do to one ring: what one of them
    /// wrote, every other one reads, with somebody who signs; and a key that was withdrawn stays so.
    #[test]
    fn what_any_instance_wrote_every_other_one_reads(hands in prop::collection::vec(hand(), 1..40)) {
        let schedule = |days| RotationSchedule::new().with_longest_token(HOUR + days * DAY);
        let mut ring = KeyRing::new(schedule(0), Timestamp::from_unix_seconds(NOW)).expect("a sound schedule");
        ring.rotate(Timestamp::from_unix_seconds(NOW), key("key")).expect("the first");
        let mut kept = ring.to_secret_bytes().expect("a ring");
        let (mut now, mut withdrawn) = (NOW, HashSet::new());
        for (number, hand) in hands.into_iter().enumerate() {
            now += hand.passes;
            let time = Timestamp::from_unix_seconds(now.saturating_add_signed(hand.off));
            let read = KeyRing::from_secret_bytes(kept.expose(), schedule(hand.days), time);
            let mut ring = read.expect("it is read");
            match hand.event {
                // Another one may wait for its turn already.
                Event::Rotate => drop(ring.rotate(time, key(&format!("key-{number}")))),
                Event::Withdraw(index) => {
                    if let Some(kid) = published(&ring).into_iter().nth(index) {
                        ring.withdraw(time, &kid).expect("it was just there");
                        withdrawn.insert(kid);
                    }
                }
                Event::Advance(_) | Event::Jump(_) => {}
            }
            ring.rotate_if_due(time, key(&format!("due-{number}"))).expect("a free id");
            ring.cover_longest_token();
            prop_assert!(signing(&ring).is_some(), "somebody signs");
            kept = ring.to_secret_bytes().expect("a ring");
            for other in [0, now - 301, now, now + 301, 2 * now] {
                let other = Timestamp::from_unix_seconds(other);
                let read = KeyRing::from_secret_bytes(kept.expose(), schedule(0), other);
                prop_assert!(read.is_ok(), "{:?} of {ring:?}", read.err());
                let published = published(&read.expect("it is read"));
                prop_assert!(published.iter().all(|kid| !withdrawn.contains(kid)));
            }
        }
    }
}
