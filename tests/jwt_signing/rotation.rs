//! Ninety days of a signer, and of verifiers that cache what it publishes for an hour.

use std::time::Duration;

use portcullis_core::{Clock, Timestamp};
use portcullis_jwt::{
    Algorithm, JwksLimits, JwtSigner, Keys, MemorySigningKeys, RotationSchedule, SignedToken, SigningKeys,
    StaticKeySet,
};
use portcullis_test::ManualClock;

use crate::support::{API, DAY, HOUR, ISSUER, MINUTE, NOW, at, memory, signing, verifier};

/// What a verifier of another service holds.
struct Cached {
    keys: Keys,
    fetched_at: Timestamp,
}

impl Cached {
    fn fetch(source: &MemorySigningKeys, now: Timestamp) -> Self {
        let jwks = source.current().expect("memory is always there").jwks();
        Self {
            keys: Keys::from_jwks(jwks.as_str().as_bytes(), &JwksLimits::new()).expect("public keys"),
            fetched_at: now,
        }
    }

    fn knows(&self, kid: &str) -> bool {
        self.keys.knows(Some(kid), Algorithm::EdDsa)
    }
}

struct World {
    clock: ManualClock,
    source: MemorySigningKeys,
    signer: JwtSigner,
    verifiers: Vec<Cached>,
    /// Every token that is not dead yet, with the key that signed it.
    tokens: Vec<(String, SignedToken)>,
}

impl World {
    fn new(schedule: RotationSchedule) -> Self {
        let clock = ManualClock::at(NOW);
        let source = memory(&clock, schedule);
        let signer = JwtSigner::builder(ISSUER, source.clone())
            .lifetime(HOUR)
            .clock(clock.clone())
            .build()
            .expect("a sound configuration");
        Self {
            verifiers: (0..9).map(|_| Cached::fetch(&source, at(0))).collect(),
            clock,
            source,
            signer,
            tokens: Vec::new(),
        }
    }

    fn sign(&mut self) -> String {
        let signed = self
            .signer
            .access_token("alice", API, "web")
            .sign()
            .expect("a key");
        let kid = signing(&self.source.current().expect("memory is always there")).expect("a key");
        self.tokens.push((kid.clone(), signed));
        kid
    }

    /// Nobody meets a token whose key it does not hold. One verifier fetches every seven minutes.
    fn step(&mut self, number: usize) -> Result<(), String> {
        self.clock.advance(7 * MINUTE);
        let now = self.clock.now();
        let count = self.verifiers.len();
        if let Some(cached) = self.verifiers.get_mut(number % count) {
            *cached = Cached::fetch(&self.source, now);
        }
        self.sign();
        self.tokens.retain(|(_, token)| token.expires_at() > now);
        for cached in &self.verifiers {
            for (kid, _) in &self.tokens {
                if !cached.knows(kid) {
                    let age = now.saturating_since(cached.fetched_at);
                    return Err(format!("step {number}: a set of age {age:?} does not know {kid}"));
                }
            }
        }
        Ok(())
    }
}

fn ninety_days(schedule: RotationSchedule, rotations: usize) {
    let mut world = World::new(schedule);
    let steps = (90 * DAY).as_secs() / (7 * MINUTE).as_secs();
    for number in 0..usize::try_from(steps).expect("it fits") {
        world.step(number).expect("no verifier meets an unknown key");
    }
    let last = world.sign();
    let expected = format!("key-{}", rotations + 1);
    assert_eq!(last, expected);
    // And the token holds, with what was published in the meantime.
    let jwks = world.source.current().expect("memory is always there").jwks();
    let published = StaticKeySet::from_jwks(jwks.as_str().as_bytes()).expect("public keys");
    let verifier = verifier(&world.clock, published, &[Algorithm::EdDsa]);
    for (_, token) in &world.tokens {
        assert!(verifier.verify_now(token.token().expose()).is_ok());
    }
}

/// T-SIGN-1
#[test]
fn no_verifier_with_a_cache_of_an_hour_meets_an_unknown_key_in_ninety_days() {
    ninety_days(RotationSchedule::new(), 2);
}

/// T-SIGN-1
#[test]
fn nor_does_one_when_keys_change_as_often_as_they_may() {
    let shortest = RotationSchedule::SHORTEST_PUBLISH_AHEAD;
    let schedule = RotationSchedule::new()
        .with_publish_ahead(shortest)
        .with_sign_for(shortest + 5 * MINUTE);
    let mut world = World::new(schedule);
    for number in 0..3_000 {
        world.step(number).expect("no verifier meets an unknown key");
    }
}

/// The pair: what the tests above look for is there when notice is not given.
#[test]
fn a_key_that_signs_without_notice_is_unknown_to_a_cache() {
    let mut world = World::new(RotationSchedule::new());
    for number in 0..20 {
        world.step(number).expect("no verifier meets an unknown key");
    }
    world.source.withdraw("key-1").expect("it is there");
    world.tokens.clear();
    assert!(world.step(20).is_err());
}

/// T-SIGN-1
#[test]
fn a_token_of_the_last_instant_verifies_until_it_is_dead_at_the_latest_verifier() {
    let mut world = World::new(RotationSchedule::new());
    world.clock.advance(30 * DAY - 2 * HOUR);
    world.sign();
    world.clock.advance(2 * HOUR - Duration::from_secs(1));
    assert_eq!(world.sign(), "key-1");
    let (_, last) = world.tokens.pop().expect("just signed");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.sign(), "key-2", "the instant after");
    // The latest clock that a verifier may have is five minutes behind.
    world.clock.advance(HOUR + 5 * MINUTE - Duration::from_secs(2));
    let known = |world: &World| Cached::fetch(&world.source, at(0)).knows("key-1");
    assert!(known(&world));
    assert!(last.expires_at().saturating_add(5 * MINUTE) > world.clock.now());
    world.clock.advance(Duration::from_secs(2));
    assert!(!known(&world));
}
