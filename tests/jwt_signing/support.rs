//! A ring at a known time, and a verifier of what it signs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_core::Timestamp;
use portcullis_jwt::{
    Algorithm, JwtSigner, KeyRing, KeySet, LocalKeySet, MemorySigningKeys, Profile, RotationSchedule,
    SigningKey, SigningKeys, SigningKeysUnavailable, TrustedIssuer, Verifier,
};
use portcullis_test::ManualClock;

pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const API: &str = "https://api.test";
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) const ASYMMETRIC: [Algorithm; 11] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::EdDsa,
    Algorithm::Ed25519,
];

pub(crate) const SYMMETRIC: [Algorithm; 3] = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512];

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(NOW + seconds)
}

pub(crate) fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Algorithm::EdDsa)
        .expect("randomness")
        .with_kid(kid)
}

/// A ring at [`NOW`] whose first key is `a`.
pub(crate) fn ring_with_a() -> KeyRing {
    let mut ring = KeyRing::new(RotationSchedule::new(), at(0)).expect("a sound schedule");
    assert_eq!(ring.rotate_if_due(at(0), key("a")), Ok(true));
    ring
}

pub(crate) fn signing(ring: &KeyRing) -> Option<String> {
    ring.signing_key().map(|key| key.kid().to_owned())
}

pub(crate) fn published(ring: &KeyRing) -> Vec<String> {
    ring.published().map(|key| key.kid().to_owned()).collect()
}

/// Keys in memory that are numbered as they come: `key-1`, `key-2`, …
pub(crate) fn memory(clock: &ManualClock, schedule: RotationSchedule) -> MemorySigningKeys {
    let count = Mutex::new(0);
    MemorySigningKeys::builder(Algorithm::EdDsa)
        .schedule(schedule)
        .clock(clock.clone())
        .generate(move || {
            let mut count = count.lock().expect("not poisoned");
            *count += 1;
            Ok(SigningKey::generate(Algorithm::EdDsa)?.with_kid(format!("key-{count}")))
        })
        .build()
        .expect("a sound configuration")
}

pub(crate) fn signer(clock: &ManualClock, keys: impl SigningKeys) -> JwtSigner {
    JwtSigner::builder(ISSUER, keys)
        .clock(clock.clone())
        .build()
        .expect("a sound configuration")
}

/// A verifier of access tokens for [`API`].
pub(crate) fn verifier(clock: &ManualClock, keys: impl KeySet, algorithms: &[Algorithm]) -> Verifier {
    verifier_of(Profile::AccessToken, API, clock, keys, algorithms)
}

pub(crate) fn verifier_of(
    profile: Profile,
    audience: &str,
    clock: &ManualClock,
    keys: impl KeySet,
    algorithms: &[Algorithm],
) -> Verifier {
    Verifier::builder()
        .issuer(TrustedIssuer::new(ISSUER, keys).algorithms(algorithms.iter().copied()))
        .audience(audience)
        .profile(profile)
        .clock(clock.clone())
        .build()
        .expect("a sound configuration")
}

/// A verifier that holds the signer's own keys.
pub(crate) fn local_verifier(clock: &ManualClock, keys: impl SigningKeys) -> Verifier {
    verifier(clock, LocalKeySet::new(keys), &[Algorithm::EdDsa])
}

/// A ring that a test holds in its hand, or takes away.
#[derive(Clone, Debug)]
pub(crate) struct Held(Arc<Mutex<Option<Arc<KeyRing>>>>);

impl Held {
    pub(crate) fn new(ring: KeyRing) -> Self {
        Self(Arc::new(Mutex::new(Some(Arc::new(ring)))))
    }

    /// Keys of this one key.
    pub(crate) fn of(key: SigningKey, now: Timestamp) -> Self {
        let mut ring = KeyRing::new(RotationSchedule::new(), now).expect("a sound schedule");
        ring.rotate(now, key).expect("the first");
        Self::new(ring)
    }

    pub(crate) fn set(&self, ring: Option<KeyRing>) {
        *self.0.lock().expect("not poisoned") = ring.map(Arc::new);
    }
}

impl SigningKeys for Held {
    fn current(&self) -> Result<Arc<KeyRing>, SigningKeysUnavailable> {
        let ring = self.0.lock().expect("not poisoned").clone();
        ring.ok_or(SigningKeysUnavailable::new(Some(s(7))))
    }
}
