//! A list that cannot know, and one that knows again.

use std::time::Duration;

use portcullis_core::{AuthError, AuthErrorKind, MemoryRevocations, Timestamp};
use portcullis_jwt::{JwtError, Verifier};

use crate::doubles::{House, cached, entries, same};
use crate::support::{ISSUER, NOW, accepted, assert_refused, built};

const DOWN: JwtError = JwtError::RevocationUnavailable {
    retry_after: Some(Duration::from_secs(9)),
};
const STALE: JwtError = JwtError::RevocationUnavailable { retry_after: None };

/// T-REV-1, T-ERR-1: 503 and when to come again, never 401 and never through; a remembered token waits
/// in the cache.
#[test]
fn while_the_list_is_down_nothing_is_decided() {
    let house = House::new();
    let token = house.issuer.token().build();
    let plain = built(house.builder());
    let verifier = house.verifier();
    let known = cached(&verifier, &token);
    house.list.set_down(true);
    for _ in 0..2 {
        assert_refused(&plain, &token, DOWN, "anew");
        assert_refused(&verifier, &token, DOWN, "remembered");
    }
    let new = house.issuer.token().build();
    assert_refused(&verifier, &new, DOWN, "new");
    assert_eq!(entries(&verifier), 1, "what was not decided is not remembered");
    let error = AuthError::from(verifier.verify_now(&token).expect_err("down"));
    assert_eq!(error.kind(), AuthErrorKind::Unavailable);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(9)));
    house.list.set_down(false);
    assert!(same(&known, &accepted(&verifier, &token)));
    let _ = cached(&verifier, &new);
}

/// T-ERR-1: what is wrong anyway is refused, list or no list.
#[test]
fn a_bad_token_is_bad_while_the_list_is_down() {
    let house = House::new();
    house.list.set_down(true);
    for verifier in [built(house.builder()), house.verifier()] {
        let valid = house.issuer.token();
        let forged = valid.clone().tampered_signature().build();
        assert_refused(&verifier, &forged, JwtError::Signature, "forged");
        let late = valid.clone().lifetime(-31).build();
        assert_refused(&verifier, &late, JwtError::Expired, "late");
        let undated = valid.without("iat").build();
        assert_refused(&verifier, &undated, JwtError::MissingClaim("iat"), "undated");
    }
}

fn copied(house: &House) -> (MemoryRevocations, Verifier) {
    let list = MemoryRevocations::builder()
        .max_lag(Duration::from_secs(5))
        .clock(house.clock.clone())
        .build();
    let verifier = built(house.builder().revocations(list.clone()).cache_tokens(10));
    (list, verifier)
}

/// T-REV-1: older than its lag, a copy knows only what it has; a confirmation makes it whole.
#[test]
fn a_copy_of_a_feed_decides_while_it_is_confirmed() {
    use portcullis_core::Clock;

    let house = House::new();
    let (list, verifier) = copied(&house);
    let token = house.issuer.token().build();
    assert_refused(&verifier, &token, STALE, "never confirmed");
    list.confirm(house.clock.monotonic());
    let known = cached(&verifier, &token);
    house.clock.advance(Duration::from_secs(5));
    assert!(same(&known, &accepted(&verifier, &token)));
    house.clock.advance(Duration::from_millis(1));
    assert_refused(&verifier, &token, STALE, "too old");
    list.revoke(ISSUER, "other", Timestamp::from_unix_seconds(NOW + 300))
        .unwrap();
    assert_refused(&verifier, &token, STALE, "news of one token is no confirmation");
    let revoked = house.issuer.token().claim("jti", "other").build();
    assert_refused(&verifier, &revoked, JwtError::Revoked, "what is known is known");
    list.confirm(house.clock.monotonic());
    assert!(same(&known, &accepted(&verifier, &token)));
}

/// T-REV-1: the wall clock says nothing about the age of a copy.
#[test]
fn a_wall_clock_that_jumps_makes_no_copy_younger() {
    use portcullis_core::Clock;

    let house = House::new();
    let (list, verifier) = copied(&house);
    let token = house.issuer.token().lifetime(100_000).claim("iat", 1).build();
    list.confirm(house.clock.monotonic());
    house.clock.set_wall(NOW + 50_000);
    let _ = accepted(&verifier, &token);
    house.clock.advance(Duration::from_secs(6));
    house.clock.set_wall(NOW);
    assert_refused(&verifier, &token, STALE, "six seconds are six seconds");
}
