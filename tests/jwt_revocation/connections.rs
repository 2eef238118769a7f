//! Connections that outlive their request end when their token does.

use std::time::Duration;

use portcullis_core::{Authentication, Invalid, Principal, Secret, Timestamp};
use portcullis_jwt::{Algorithm, KeySet, StaticKeySet, TrustedIssuer, Verifier, VerifyingKey};
use portcullis_test::SigningKey;
use portcullis_tower::until_invalid;
use tokio::time::Instant;

use crate::doubles::{HandKeys, House, cached, keys_of};
use crate::support::{ISSUER, NOW, accepted, builder, built, issuer_of};

fn connected(house: &House, verifier: &Verifier) -> Authentication<Principal> {
    let token = house.issuer.token().claim("jti", "the-token").build();
    cached(verifier, &token).into_authentication().unwrap()
}

fn revoke(house: &House) -> impl FnOnce() + Send + 'static {
    let list = house.list.list.clone();
    move || {
        list.revoke(ISSUER, "the-token", Timestamp::from_unix_seconds(NOW + 300))
            .expect("room");
    }
}

/// T-REV-1: revoked after the list was asked and before anybody waits: noticed at once.
#[tokio::test(start_paused = true)]
async fn a_revocation_between_asking_and_waiting_ends_a_connection_at_once() {
    let house = House::new();
    let verifier = house.verifier();
    let evidence = connected(&house, &verifier);
    let start = Instant::now();
    house.list.steps.then(revoke(&house));
    assert_eq!(until_invalid(&evidence).await, Invalid::Revoked);
    assert!(house.list.steps.is_done());
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// T-REV-1: revoked after `changed` was called and before the list is asked: the answer says so.
#[tokio::test(start_paused = true)]
async fn a_revocation_between_listening_and_asking_ends_a_connection_at_once() {
    let house = House::new();
    let verifier = house.verifier();
    let evidence = connected(&house, &verifier);
    // The key set is asked in between.
    house.keys.steps.then(revoke(&house));
    let start = Instant::now();
    assert_eq!(until_invalid(&evidence).await, Invalid::Revoked);
    assert!(house.keys.steps.is_done());
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// T-REV-1: revoked while it waits; somebody else's revocation ends nothing.
#[tokio::test(start_paused = true)]
async fn a_revocation_ends_the_connection_it_concerns_and_no_other() {
    let house = House::new();
    let verifier = house.verifier();
    let evidence = connected(&house, &verifier);
    let waiting = tokio::spawn(async move { until_invalid(&evidence).await });
    tokio::time::sleep(Duration::from_secs(10)).await;
    let other = house.list.list.clone();
    other
        .revoke(ISSUER, "another", Timestamp::from_unix_seconds(NOW + 300))
        .unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!waiting.is_finished());
    let start = Instant::now();
    revoke(&house)();
    assert_eq!(waiting.await.unwrap(), Invalid::Revoked);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// A list that is down is undecided for a connection as well as for a request.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_decided_any_more_ends_a_connection() {
    let house = House::new();
    let verifier = house.verifier();
    for down in [true, false] {
        let evidence = connected(&house, &verifier);
        if down {
            house.list.set_down(true);
        } else {
            house.keys.unavailable();
        }
        assert_eq!(until_invalid(&evidence).await, Invalid::Unavailable);
        house.list.set_down(false);
    }
}

/// T-JWKS-4: a withdrawn key ends what it signed; a rotation that keeps it ends nothing.
#[test]
fn a_key_that_stays_in_the_set_ends_no_connection() {
    let house = House::new();
    let verifier = house.verifier();
    let evidence = connected(&house, &verifier);
    let validity = evidence.validity().unwrap();
    let next = SigningKey::es256("key-2");
    house.keys.set(Ok(keys_of([&next, &house.issuer.signing_key()])));
    assert_eq!(validity.check(), Ok(()));
    house.keys.set(Ok(keys_of([&next])));
    assert_eq!(validity.check(), Err(Invalid::KeyWithdrawn));
    // Another key under the old name is another key.
    house.keys.set(Ok(keys_of([&SigningKey::es256("key-1")])));
    assert_eq!(validity.check(), Err(Invalid::KeyWithdrawn));
}

/// The same for a shared secret: the next one beside it ends nothing, and taking it away does.
#[test]
fn a_secret_that_stays_in_the_set_ends_no_connection() {
    let secret = |byte: u8| {
        VerifyingKey::hmac(Algorithm::Hs256, &Secret::new(vec![byte; 32]))
            .unwrap()
            .with_kid(format!("key-{byte}"))
    };
    let set = |keys: Vec<VerifyingKey>| StaticKeySet::new(keys).unwrap().current();
    let keys = HandKeys::new(set(vec![secret(1)]));
    let issuer = issuer_of(&SigningKey::from_secret("HS256", "key-1", &[1; 32]));
    let verifier =
        built(builder().issuer(TrustedIssuer::new(ISSUER, keys.clone()).algorithms([Algorithm::Hs256])));
    let evidence = accepted(&verifier, &issuer.token().build())
        .into_authentication()
        .unwrap();
    let validity = evidence.validity().unwrap();
    keys.set(set(vec![secret(1), secret(2)]));
    assert_eq!(validity.check(), Ok(()), "the same secret in a newer set");
    keys.set(set(vec![secret(2)]));
    assert_eq!(validity.check(), Err(Invalid::KeyWithdrawn));
    let renamed = secret(2).with_kid("key-1");
    keys.set(set(vec![renamed]));
    assert_eq!(
        validity.check(),
        Err(Invalid::KeyWithdrawn),
        "another secret of its name"
    );
}
