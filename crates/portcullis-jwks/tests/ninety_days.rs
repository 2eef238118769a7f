//! Ninety days of two instances, one of which sees the store as seldom as it may, and of verifiers that
//! cache for an hour what either of them published.

// Helpers of tests panic as tests do.
#![allow(clippy::expect_used)]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use portcullis_core::{Clock, Timestamp};
use portcullis_jwks::SharedSigningKeys;
use portcullis_jwt::{Algorithm, JwksLimits, Keys};
use portcullis_test::ManualClock;
use support::ring_store::{DAY, HOUR, MINUTE, MemoryStore, current, open, signing};

const STEP: Duration = Duration::from_secs(7 * 60);

struct World {
    clock: ManualClock,
    store: MemoryStore,
    often: SharedSigningKeys,
    seldom: SharedSigningKeys,
    verifiers: Vec<Keys>,
    /// Whose tokens live, and until when.
    live: Vec<(String, Timestamp)>,
    signed_with: BTreeSet<String>,
}

impl World {
    async fn new() -> Self {
        let (store, clock) = (MemoryStore::default(), ManualClock::default());
        let often = open(&store, &clock, "often").await;
        let seldom = open(&store, &clock, "seldom").await;
        Self {
            verifiers: vec![fetch(&often); 9],
            clock,
            store,
            often,
            seldom,
            live: Vec::new(),
            signed_with: BTreeSet::new(),
        }
    }

    async fn step(&mut self, number: usize) {
        self.clock.advance(STEP);
        let now = self.clock.now();
        // What a request starts in the background fails: only these rounds count.
        self.store.set_down(false);
        if number.is_multiple_of(8) {
            self.seldom.maintain().await.expect("the store answers");
        }
        if number % 8 == 4 {
            self.often.maintain().await.expect("the store answers");
        }
        self.store.set_down(true);
        let instances = [&self.often, &self.seldom];
        for (index, instance) in instances.into_iter().enumerate() {
            let kid = signing(instance).expect("somebody signs");
            self.signed_with.insert(kid.clone());
            self.live.push((kid, now.saturating_add(HOUR)));
            if let Some(cached) = self.verifiers.get_mut((number + index) % 9) {
                // One fetches from here and one from there.
                *cached = fetch(instance);
            }
        }
        self.live.retain(|(_, dead_at)| *dead_at > now);
        for cached in &self.verifiers {
            for (kid, _) in &self.live {
                let known = cached.knows(Some(kid), Algorithm::EdDsa);
                assert!(known, "step {number}: a verifier does not know {kid}");
            }
        }
    }
}

fn fetch(instance: &SharedSigningKeys) -> Keys {
    let jwks = current(instance).jwks();
    Keys::from_jwks(jwks.as_str().as_bytes(), &JwksLimits::new()).expect("public keys")
}

/// T-SIGN-1
#[tokio::test]
async fn no_verifier_meets_an_unknown_key_whoever_signs_and_whoever_publishes() {
    let mut world = World::new().await;
    let steps = usize::try_from((90 * DAY).as_secs() / STEP.as_secs()).expect("it fits");
    for number in 0..steps {
        world.step(number).await;
    }
    assert_eq!(world.signed_with.len(), 3, "{:?}", world.signed_with);
}

/// The pair: what the test above looks for is there when a key signs without notice.
#[tokio::test]
#[should_panic(expected = "a verifier does not know")]
async fn a_key_that_signs_without_notice_is_unknown_to_a_cache() {
    let mut world = World::new().await;
    for number in 0..20 {
        world.step(number).await;
    }
    world.store.set_down(false);
    world.often.withdraw("often-1").await.expect("it is there");
    world.seldom.maintain().await.expect("the store answers");
    world.live.clear();
    world.clock.advance(MINUTE);
    world.step(21).await;
}
