//! What happens in the middle of a decision. Interleavings are forced: keys, clock and list take a step of the
//! test's between being read and answering, so that each race is run as it is written, every time.

use std::sync::{Arc, Barrier};
use std::thread;

use portcullis_core::Timestamp;
use portcullis_jwt::{JwtError, Verifier};
use portcullis_test::SigningKey;

use crate::doubles::{House, SteppedClock, cached, entries, keys_of, poll, same};
use crate::support::{ISSUER, NOW, accepted, assert_refused, built};

/// A house whose clock takes steps, and one token that is known by name.
fn stepped() -> (House, SteppedClock, Verifier, String) {
    let house = House::new();
    let clock = SteppedClock::new(&house.clock);
    let verifier = built(house.builder().clock(clock.clone()).cache_tokens(10));
    let token = house.issuer.token().claim("jti", "the-token").build();
    (house, clock, verifier, token)
}

fn revoke(house: &House) -> impl FnOnce() + Send + 'static {
    let list = house.list.list.clone();
    move || {
        list.revoke(ISSUER, "the-token", Timestamp::from_unix_seconds(NOW + 300))
            .expect("room");
    }
}

fn withdraw(house: &House) -> impl FnOnce() + Send + 'static {
    let (keys, others) = (house.keys.clone(), keys_of([&SigningKey::es256("key-2")]));
    move || keys.set(Ok(others))
}

/// T-JWKS-4: verified with keys that were withdrawn meanwhile, and remembered after that.
#[test]
fn a_key_that_is_withdrawn_in_the_middle_of_a_verification_leaves_no_hit() {
    let (house, clock, verifier, token) = stepped();
    for steps in [&house.keys.steps, &clock.steps, &house.list.steps] {
        house.reload();
        steps.then(withdraw(&house));
        let _ = accepted(&verifier, &token);
        assert!(steps.is_done());
        assert_eq!(entries(&verifier), 1, "it was remembered, too late");
        assert_refused(&verifier, &token, JwtError::UnknownKey, "the next request");
        assert_eq!(entries(&verifier), 0);
    }
}

/// T-JWKS-4: the same on a hit. A request that began before the withdrawal may still pass; the next may not.
#[test]
fn a_key_that_is_withdrawn_in_the_middle_of_a_hit_ends_the_hits() {
    let (house, clock, verifier, token) = stepped();
    for steps in [&house.keys.steps, &clock.steps, &house.list.steps] {
        house.reload();
        let known = cached(&verifier, &token);
        steps.then(withdraw(&house));
        assert!(same(&known, &accepted(&verifier, &token)));
        assert!(steps.is_done());
        assert_refused(&verifier, &token, JwtError::UnknownKey, "the next request");
    }
}

/// T-REV-1: revoked after the signature was checked and before the list is asked.
#[test]
fn a_token_that_is_revoked_in_the_middle_of_its_verification_is_refused() {
    for hit in [false, true] {
        for at_keys in [true, false] {
            let (house, clock, verifier, token) = stepped();
            if hit {
                let _ = cached(&verifier, &token);
            }
            let steps = if at_keys { &house.keys.steps } else { &clock.steps };
            steps.then(revoke(&house));
            assert_refused(&verifier, &token, JwtError::Revoked, &format!("{hit} {at_keys}"));
            assert!(steps.is_done());
            assert_eq!(entries(&verifier), 0);
        }
    }
}

/// T-REV-1: revoked after the list had answered: this request passes, and what it leaves in the cache does not.
#[test]
fn a_token_that_is_revoked_while_it_is_remembered_is_refused_at_the_next_hit() {
    for hit in [false, true] {
        let (house, _, verifier, token) = stepped();
        if hit {
            let _ = cached(&verifier, &token);
        }
        house.list.steps.then(revoke(&house));
        let _ = accepted(&verifier, &token);
        assert_eq!(entries(&verifier), 1);
        assert_refused(&verifier, &token, JwtError::Revoked, "the next request");
        assert_eq!(entries(&verifier), 0);
    }
}

/// Two threads have both found nothing before either remembers anything.
#[test]
fn two_who_verify_a_new_token_at_once_leave_one_entry() {
    let (house, _, verifier, token) = stepped();
    let barrier = Arc::new(Barrier::new(2));
    for _ in 0..2 {
        let barrier = Arc::clone(&barrier);
        house.keys.steps.then(move || {
            barrier.wait();
        });
    }
    let verified = thread::scope(|scope| {
        let threads = [(); 2].map(|()| scope.spawn(|| accepted(&verifier, &token)));
        threads.map(|thread| thread.join().expect("no panic"))
    });
    assert!(house.keys.steps.is_done());
    assert!(!same(&verified[0], &verified[1]), "both verified");
    assert_eq!(entries(&verifier), 1);
    let hit = accepted(&verifier, &token);
    assert!(verified.iter().any(|verified| same(verified, &hit)));
}

/// One finds an entry of old keys; another replaces it before the first throws it away.
#[test]
fn an_entry_that_is_replaced_while_it_is_found_stale_costs_a_verification_and_no_more() {
    let (house, _, verifier, token) = stepped();
    let old = cached(&verifier, &token);
    house.reload();
    let (other, text) = (verifier.clone(), token.clone());
    house.keys.steps.then(move || {
        let _ = accepted(&other, &text);
    });
    let verified = accepted(&verifier, &token);
    assert!(house.keys.steps.is_done());
    assert!(!same(&old, &verified));
    assert_eq!(entries(&verifier), 1);
    assert!(same(&verified, &accepted(&verifier, &token)));
}

/// T-JWKS-4: an entry of keys that were withdrawn and published again in between is of the old set.
#[test]
fn keys_that_come_and_go_during_a_look_up_are_seen_as_they_are() {
    let (house, _, verifier, token) = stepped();
    let known = cached(&verifier, &token);
    house.withdraw();
    let (keys, own) = (house.keys.clone(), keys_of([&house.issuer.signing_key()]));
    house.keys.steps.then(move || keys.set(Ok(own)));
    // The look-up saw the withdrawal; the verification that follows sees the key again.
    assert!(!same(&known, &accepted(&verifier, &token)));
    let _ = cached(&verifier, &token);
    // The other way round: the look-up sees the key in a new set, the verification does not see it any more.
    house.reload();
    house.keys.steps.then(withdraw(&house));
    assert_refused(&verifier, &token, JwtError::UnknownKey, "gone");
}

/// R3: who waits for new keys keeps nobody from a hit.
#[test]
fn a_hit_does_not_wait_for_a_refresh_in_flight() {
    let (house, _, verifier, token) = stepped();
    let known = cached(&verifier, &token);
    let new_key = SigningKey::es256("key-2");
    let unknown = house.issuer.token().key(&new_key).build();
    house.keys.let_wait();
    let mut waiting = Box::pin(verifier.verify(&unknown));
    assert!(poll(&mut waiting).is_pending());
    let mut hit = Box::pin(verifier.verify(&token));
    let std::task::Poll::Ready(Ok(hit)) = poll(&mut hit) else {
        panic!("a hit waits");
    };
    assert!(same(&known, &hit));

    let both = keys_of([&house.issuer.signing_key(), &new_key]);
    house.keys.set(Ok(both.clone()));
    house.keys.deliver(Ok(both));
    assert!(poll(&mut waiting).is_ready());
    assert!(
        !same(&known, &cached(&verifier, &token)),
        "verified with the new set"
    );
    let _ = cached(&verifier, &unknown);
}

/// T-JWKS-3: the keys rotate once more while a request waits; it is decided with what it waited for, and
/// leaves nothing that outlives the rotation.
#[test]
fn keys_that_rotate_while_a_request_waits_leave_no_hit() {
    let house = House::new();
    let verifier = house.verifier();
    let second = SigningKey::es256("key-2");
    let token = house.issuer.token().key(&second).build();
    house.keys.let_wait();
    let mut waiting = Box::pin(verifier.verify(&token));
    assert!(poll(&mut waiting).is_pending());
    house.keys.deliver(Ok(keys_of([&second])));
    house.keys.set(Ok(keys_of([&SigningKey::es256("key-3")])));
    assert!(matches!(poll(&mut waiting), std::task::Poll::Ready(Ok(_))));
    assert_eq!(entries(&verifier), 1);
    assert_refused(&verifier, &token, JwtError::UnknownKey, "rotated away");
    assert_eq!(entries(&verifier), 0);
}

/// T-REV-1: revoked while the request waits for keys.
#[test]
fn a_token_that_is_revoked_while_it_waits_for_its_key_is_refused() {
    let house = House::new();
    let verifier = house.verifier();
    let second = SigningKey::es256("key-2");
    let token = house
        .issuer
        .token()
        .claim("jti", "the-token")
        .key(&second)
        .build();
    house.keys.let_wait();
    let mut waiting = Box::pin(verifier.verify(&token));
    assert!(poll(&mut waiting).is_pending());
    revoke(&house)();
    house.keys.set(Ok(keys_of([&second])));
    house.keys.deliver(Ok(keys_of([&second])));
    let std::task::Poll::Ready(verdict) = poll(&mut waiting) else {
        panic!("delivered");
    };
    assert_eq!(verdict.err(), Some(JwtError::Revoked));
    assert_eq!(entries(&verifier), 0);
}
