//! Time passes, and clocks are set, while a token is remembered.

use std::time::Duration;

use portcullis_jwt::{JwtError, Verifier};
use serde_json::{Value, json};

use crate::doubles::{House, cached, entries, same};
use crate::support::{NOW, accepted, assert_refused, built};

fn with_skew(house: &House, skew: u64) -> Verifier {
    built(
        house
            .builder()
            .cache_tokens(10)
            .clock_skew(Duration::from_secs(skew)),
    )
}

/// T5: the instant in which a token is refused is the same for a remembered one.
#[test]
fn a_remembered_token_expires_to_the_second() {
    for skew in [0, 1, 30, 300] {
        let house = House::new();
        let verifier = with_skew(&house, skew);
        let token = house.issuer.token().claim("exp", NOW + 10).build();
        let known = cached(&verifier, &token);
        house.clock.set_wall(NOW + 10 + skew - 1);
        assert!(same(&known, &accepted(&verifier, &token)), "{skew}");
        house.clock.set_wall(NOW + 10 + skew);
        assert_refused(&verifier, &token, JwtError::Expired, "on a hit");
        assert_refused(&verifier, &token, JwtError::Expired, "and after it");
        assert_eq!(entries(&verifier), 0);
    }
}

/// T6: fractions of a second count on a hit as well.
#[test]
fn a_remembered_token_expires_within_a_second() {
    let house = House::new();
    let verifier = with_skew(&house, 0);
    let token = house
        .issuer
        .token()
        .claim("exp", json!(NOW as f64 + 10.5))
        .build();
    let known = cached(&verifier, &token);
    house.clock.advance(Duration::from_millis(10_499));
    assert!(same(&known, &accepted(&verifier, &token)));
    house.clock.advance(Duration::from_millis(1));
    assert_refused(&verifier, &token, JwtError::Expired, "at 10.5");
}

/// A clock that was set back refuses a remembered token as it would refuse a new one, with the same words,
/// and takes it again when it is right again.
#[test]
fn a_clock_that_was_set_back_is_seen_on_a_hit() {
    for (name, error) in [
        ("nbf", JwtError::NotYetValid),
        ("iat", JwtError::Implausible),
        ("auth_time", JwtError::Implausible),
    ] {
        let house = House::new();
        let verifier = with_skew(&house, 30);
        let base = house.issuer.token().claim("iat", 1);
        let token = base.claim(name, NOW).build();
        let known = cached(&verifier, &token);
        house.clock.set_wall(NOW - 30);
        assert!(same(&known, &accepted(&verifier, &token)), "{name}");
        house.clock.set_wall(NOW - 31);
        assert_refused(&verifier, &token, error, name);
        assert_refused(&built(house.builder()), &token, error, name);
        assert_refused(&verifier, &token, error, name);
        house.clock.set_wall(NOW);
        let _ = cached(&verifier, &token);
    }
}

/// A token that was good, expired by a clock that was ahead, and is good by the right clock.
#[test]
fn a_clock_that_was_ahead_and_is_right_again_costs_one_verification() {
    let house = House::new();
    let verifier = house.verifier();
    let token = house.issuer.token().build();
    let known = cached(&verifier, &token);
    house.clock.set_wall(NOW + 86_400);
    assert_refused(&verifier, &token, JwtError::Expired, "a day ahead");
    house.clock.set_wall(NOW);
    assert!(!same(&known, &cached(&verifier, &token)));
}

/// Every rule about time, on a hit and anew, at every second around the ends.
#[test]
fn around_its_ends_a_remembered_token_is_judged_as_a_new_one() {
    let claims: [(&str, Value); 4] = [
        ("nbf", json!(NOW + 5)),
        ("iat", json!(NOW + 7)),
        ("auth_time", json!(NOW + 9)),
        ("exp", json!(NOW + 12)),
    ];
    for skew in [0, 2] {
        let house = House::new();
        let token = claims
            .iter()
            .fold(house.issuer.token().claim("iat", NOW), |token, (name, value)| {
                token.claim(name, value.clone())
            })
            .build();
        let anew = built(house.builder().clock_skew(Duration::from_secs(skew)));
        for now in NOW..NOW + 16 {
            let verifier = with_skew(&house, skew);
            house.clock.set_wall(NOW + 10);
            let _ = cached(&verifier, &token);
            house.clock.set_wall(now);
            assert_eq!(
                verifier.verify_now(&token).err(),
                anew.verify_now(&token).err(),
                "{now}"
            );
        }
    }
}
