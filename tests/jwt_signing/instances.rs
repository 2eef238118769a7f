//! Two instances whose clocks differ, whose rounds take their time, and which may lose the store; and
//! verifiers that keep what either of them published for as long as they were told.

use std::collections::HashSet;
use std::time::Duration;

use http::header::CACHE_CONTROL;
use portcullis_axum::JwksEndpoint;
use portcullis_core::{Secret, Timestamp};
use portcullis_jwt::{KeyRing, RotationSchedule};
use proptest::prelude::*;
use tower::ServiceExt;

use crate::support::{HOUR, Held, MINUTE, NOW, key, published, s, signing};

/// By how much the clocks of two instances differ at most, and how long a round takes at most: together
/// five minutes, which is what the schedule and the endpoint leave for them.
const APART: u64 = 270;
const LONGEST_ROUND: u64 = 30;

#[derive(Clone, Copy, Debug)]
enum Event {
    Advance(u64),
    /// An instance starts a round, planning a change or not, whose answer comes that much later.
    Round(usize, bool, u64),
    /// A verifier fetches from an instance.
    Fetch(usize, usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..60u64).prop_map(Event::Advance),
        4 => (60..2_400u64).prop_map(Event::Advance),
        4 => (0..2usize, any::<bool>(), 0..=LONGEST_ROUND).prop_map(|(who, plans, takes)| Event::Round(who, plans, takes)),
        6 => (0..3usize, 0..2usize).prop_map(|(verifier, from)| Event::Fetch(verifier, from)),
    ]
}

struct Instance {
    /// How far its clock is ahead.
    ahead: u64,
    ring: KeyRing,
    /// When the round that confirmed the ring had started.
    confirmed: u64,
}

struct World {
    schedule: RotationSchedule,
    max_age: u64,
    now: u64,
    instances: Vec<Instance>,
    /// What the store holds, and how often it was replaced.
    stored: (usize, Secret<Vec<u8>>),
    /// What verifiers hold, and since when.
    verifiers: Vec<(u64, HashSet<String>)>,
    /// Who signed, and when the token expires.
    tokens: Vec<(String, u64)>,
    made: usize,
}

/// What an endpoint that was asked for an hour tells its callers.
fn max_age(ring: &KeyRing) -> u64 {
    let endpoint = JwksEndpoint::new(Held::new(ring.clone())).max_age(HOUR);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let answer = runtime
        .block_on(endpoint.oneshot(http::Request::new(())))
        .expect("infallible");
    let told = answer.headers()[CACHE_CONTROL].to_str().expect("ASCII");
    let seconds = told.strip_prefix("public, max-age=").expect("nothing else");
    seconds.parse().expect("seconds")
}

fn unix(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(NOW + seconds)
}

impl World {
    fn new(schedule: RotationSchedule, apart: u64) -> Self {
        let mut ring = KeyRing::new(schedule, unix(0)).expect("a sound schedule");
        ring.rotate(unix(0), key("key-0")).expect("the first");
        let instance = |ahead| Instance {
            ahead,
            ring: ring.clone(),
            confirmed: 0,
        };
        Self {
            schedule,
            max_age: max_age(&ring),
            now: 0,
            instances: vec![instance(apart), instance(0)],
            stored: (0, ring.to_secret_bytes().expect("a ring")),
            verifiers: vec![(0, HashSet::from(["key-0".to_owned()])); 3],
            tokens: Vec::new(),
            made: 1,
        }
    }

    fn advance(&mut self, seconds: u64) -> Result<(), TestCaseError> {
        self.now += seconds;
        self.check()
    }

    fn load(&self, time: Timestamp) -> (usize, KeyRing) {
        let bytes = self.stored.1.expose();
        let ring = KeyRing::from_secret_bytes(bytes, self.schedule, time).expect("what was written is read");
        (self.stored.0, ring)
    }

    /// As `SharedSigningKeys` does it: the time is that of the start, the store compares and swaps.
    fn round(&mut self, who: usize, plans: bool, takes: u64) -> Result<(), TestCaseError> {
        let start = self.now;
        let time = unix(start + self.instances[who].ahead);
        let (version, mut ring) = self.load(time);
        self.made += 1;
        let new = key(&format!("key-{}", self.made));
        let changed = if plans {
            ring.rotate(time, new).is_ok()
        } else {
            ring.rotate_if_due(time, new) == Ok(true)
        };
        let other = 1 - who;
        // In the meantime the other one looks, and finds what was there before.
        self.advance(takes)?;
        if takes % 2 == 1 {
            let (_, before) = self.load(unix(self.now + self.instances[other].ahead));
            (self.instances[other].ring, self.instances[other].confirmed) = (before, self.now);
        }
        if changed && self.stored.0 == version {
            self.stored = (version + 1, ring.to_secret_bytes().expect("a ring"));
        }
        let now = unix(self.now + self.instances[who].ahead);
        let (_, mut ring) = self.load(time);
        ring.advance_to(now);
        (self.instances[who].ring, self.instances[who].confirmed) = (ring, start);
        self.check()
    }

    /// The ring of an instance that is in touch.
    fn current(&mut self, who: usize) -> Option<&KeyRing> {
        let lost = self.schedule.publish_ahead().as_secs() / 2;
        let now = self.now;
        let instance = &mut self.instances[who];
        instance.ring.advance_to(unix(now + instance.ahead));
        (now - instance.confirmed < lost).then_some(&instance.ring)
    }

    fn fetch(&mut self, verifier: usize, from: usize) {
        if let Some(ring) = self.current(from) {
            let kids = published(ring).into_iter().collect();
            self.verifiers[verifier] = (self.now, kids);
        }
    }

    fn check(&mut self) -> Result<(), TestCaseError> {
        for who in 0..2 {
            let longest = self.schedule.longest_token().as_secs();
            let expires = self.now + self.instances[who].ahead + longest;
            if let Some(kid) = self.current(who).and_then(signing) {
                self.tokens.push((kid, expires));
            }
        }
        let now = self.now;
        self.tokens.retain(|(_, expires)| *expires > now);
        for (index, (since, kids)) in self.verifiers.iter().enumerate() {
            let fresh = now - since < self.max_age;
            for (kid, _) in self.tokens.iter().filter(|_| fresh) {
                prop_assert!(
                    kids.contains(kid),
                    "at {now} verifier {index} does not know {kid}"
                );
            }
        }
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Result<(), TestCaseError> {
        match event {
            Event::Advance(seconds) => self.advance(seconds),
            Event::Round(who, plans, takes) => self.round(who, plans, takes),
            Event::Fetch(verifier, from) => {
                self.fetch(verifier, from);
                self.check()
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// T-SIGN-1, T-SIGN-2
    #[test]
    fn every_unexpired_token_verifies_wherever_the_keys_were_fetched(
        ahead in 65..180u64,
        apart in 0..=APART,
        events in prop::collection::vec(event(), 0..120)
    ) {
        let schedule = RotationSchedule::new()
            .with_publish_ahead(Duration::from_secs(60 * ahead))
            .with_sign_for(3 * HOUR);
        let mut world = World::new(schedule, apart);
        for event in events {
            world.happen(event)?;
        }
    }
}

/// T-SIGN-1, T-SIGN-2
/// The worst that may happen, one after the other: the instance that adds a key takes its time, another
/// one looks just before that and never again, a verifier fetches from it at its last instant, and keeps
/// that to the last; and the one whose clock is ahead signs.
#[test]
fn the_latest_verifier_of_an_instance_that_lost_the_store_knows_the_key_that_signs() {
    for minutes in [65, 90, 120, 240] {
        let schedule = RotationSchedule::new().with_publish_ahead(minutes * MINUTE);
        for adds in [0, 1] {
            let mut world = World::new(schedule, APART);
            let other = 1 - adds;
            world.advance(3_600).expect("nothing changed");
            let start = world.now;
            world
                .round(adds, true, LONGEST_ROUND - 1)
                .expect("nobody signs with it yet");
            let last = start + LONGEST_ROUND - 2 + schedule.publish_ahead().as_secs() / 2;
            world.now = last;
            world.fetch(0, other);
            assert_eq!(world.verifiers[0].1.len(), 1, "it does not know better");
            world.instances[0].confirmed = last;
            world.instances[0].ring = world.load(unix(last + APART)).1;
            while world.now < last + world.max_age + 2 {
                world.advance(1).expect("every token verifies");
            }
            assert!(s(world.max_age) >= 20 * MINUTE, "and it is worth keeping");
        }
    }
}
