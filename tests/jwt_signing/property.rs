//! Whatever happens in whatever order: the signing key is published, and so is the key of every token
//! that lives.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use portcullis_jwt::{MemorySigningKeys, RotationSchedule, SigningKeys};
use portcullis_test::ManualClock;
use proptest::prelude::*;

use crate::support::{HOUR, NOW, memory, published, signing};

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
