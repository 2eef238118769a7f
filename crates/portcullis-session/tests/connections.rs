//! Connections that outlive the request they began with.

#![allow(clippy::expect_used)] // Tests, and what helps them.

mod support;

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{AuthenticateRequest, Authentication, Invalid, Principal, Validity};
use support::{House, get, house, set_cookie, sign_in_of, who};

/// The evidence that a connection of this cookie begins with.
async fn caller(house: &House, cookie: &str) -> Authentication<Principal> {
    let (parts, ()) = get(&[cookie]).into_parts();
    let found = house.sessions.method().authenticate_request(&parts).await;
    found.expect("the store answers").expect("somebody")
}

fn validity(caller: &Authentication<Principal>) -> &Arc<dyn Validity> {
    caller.validity().expect("sessions can be asked again")
}

/// T-REV-1
#[tokio::test]
async fn a_connection_ends_with_its_session_and_another_users_goes_on() {
    let house = house();
    let (alice, bob) = (
        house.sign_in(sign_in_of("alice")).await,
        house.sign_in(sign_in_of("bob")).await,
    );
    let (alice, bob) = (caller(&house, &alice).await, caller(&house, &bob).await);
    assert_eq!(validity(&alice).ask().await, Ok(()));
    assert_eq!(validity(&alice).ask_every(), Duration::from_secs(5));
    house.sessions.revoke_all(&who("alice")).await.expect("revoked");
    assert_eq!(validity(&alice).ask().await, Err(Invalid::Revoked));
    assert_eq!(validity(&bob).ask().await, Ok(()));
}

#[tokio::test]
async fn a_connection_goes_on_under_the_id_of_a_renewal_and_ends_with_that() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    house.advance(24 * 3_600 - 10);
    house
        .ask(get(&[&cookie]), |session| async move {
            session.principal().await.map(drop)?;
            Ok(())
        })
        .await;
    let connected = caller(&house, &cookie).await;
    house.advance(10);
    let answer = house
        .ask(get(&[&cookie]), |session| async move {
            session.principal().await.map(drop)?;
            Ok(())
        })
        .await;
    let renewed = set_cookie(&answer).expect("another id");
    assert_eq!(
        validity(&connected).ask().await,
        Ok(()),
        "it hears of the successor"
    );
    house.advance(60);
    assert_eq!(house.name_of(&cookie).await, None, "the grace is over");
    assert_eq!(validity(&connected).ask().await, Ok(()));
    house
        .ask(get(&[&renewed]), |session| async move {
            Ok(session.sign_out().await?)
        })
        .await;
    assert_eq!(validity(&connected).ask().await, Err(Invalid::Revoked));
}

#[tokio::test]
async fn a_connection_of_another_privilege_ends_at_once() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let connected = caller(&house, &cookie).await;
    let rotate = |session: portcullis_session::Session| async move { Ok(session.rotate().await?) };
    let answer = house.ask(get(&[&cookie]), rotate).await;
    assert_eq!(validity(&connected).ask().await, Err(Invalid::Revoked));
    let renewed = caller(&house, &set_cookie(&answer).expect("another id")).await;
    assert_eq!(validity(&renewed).ask().await, Ok(()));
}

#[tokio::test]
async fn an_outage_is_undecided_and_asking_writes_nothing() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let connected = caller(&house, &cookie).await;
    house.store.calls();
    house.advance(3_600);
    assert_eq!(validity(&connected).ask().await, Ok(()));
    assert_eq!(house.store.calls(), ["load"]);
    house.store.fail(&["load"]);
    assert_eq!(validity(&connected).ask().await, Err(Invalid::Unavailable));
    house.store.fail(&[]);
    house.advance(24 * 3_600);
    assert_eq!(
        validity(&connected).ask().await,
        Err(Invalid::Revoked),
        "idle for too long"
    );
}
