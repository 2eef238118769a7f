//! Keys that somebody else exchanges.

use std::time::Duration;

use portcullis_jwt::{FixedSigningKeys, KeyRingError, SigningKey, SigningKeys};
use portcullis_test::ManualClock;

use crate::support::{API, NOW, key, local_verifier, signer};

#[test]
fn the_first_key_signs_for_ever_and_the_others_are_published() {
    let clock = ManualClock::at(NOW);
    let keys = FixedSigningKeys::new(key("a"))
        .and_then(|keys| keys.also_publishing([key("b")]))
        .expect("two keys");
    for _ in 0..2 {
        let ring = keys.current().expect("always there");
        assert_eq!(ring.signing_key().map(|key| key.kid()), Some("a"));
        assert_eq!(
            ring.published().map(|key| key.kid()).collect::<Vec<_>>(),
            ["a", "b"]
        );
        let signer = signer(&clock, keys.clone());
        let token = signer.access_token("alice", API, "web").sign().expect("a key");
        let verified = local_verifier(&clock, keys.clone()).verify_now(token.token().expose());
        assert!(verified.is_ok());
        clock.advance(Duration::from_secs(10 * 365 * 86_400));
    }
}

/// Day after day: published, signing, published. Tokens of yesterday verify all the while.
#[test]
fn keys_are_exchanged_without_a_gap() {
    let clock = ManualClock::at(NOW);
    let (a, b) = (key("a"), key("b"));
    let keys = |signing: &SigningKey, other: &SigningKey| {
        FixedSigningKeys::new(signing.clone())
            .and_then(|keys| keys.also_publishing([other.clone()]))
            .expect("two keys")
    };
    let (before, after) = (keys(&a, &b), keys(&b, &a));
    for (signs, verifies) in [(&before, &after), (&after, &before)] {
        let signer = signer(&clock, signs.clone());
        let token = signer.access_token("alice", API, "web").sign().expect("a key");
        let verified = local_verifier(&clock, verifies.clone()).verify_now(token.token().expose());
        assert!(verified.is_ok());
    }
    let alone = FixedSigningKeys::new(b).expect("a key");
    let token = signer(&clock, before)
        .access_token("alice", API, "web")
        .sign()
        .expect("a key");
    let refused = local_verifier(&clock, alone).verify_now(token.token().expose());
    assert!(refused.is_err(), "no longer published");
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let keys = FixedSigningKeys::new(key("a")).expect("a key");
    assert!(keys.clone().also_publishing([key("b")]).is_ok());
    assert!(matches!(
        keys.clone().also_publishing([key("b"), key("b")]),
        Err(KeyRingError::KidTaken)
    ));
    assert!(matches!(
        keys.also_publishing([key("a")]),
        Err(KeyRingError::KidTaken)
    ));
}
