//! Exchanging the id of who stays signed in: what fails, is dropped or is overtaken half way.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use portcullis_core::AuthError;
use portcullis_session::{Session, SessionHandle};
use support::{House, get, house, is_deleted, set_cookie, set_cookie_field, sign_in_of, who};

async fn rotate(session: Session) -> Result<(), AuthError> {
    Ok(session.rotate().await?)
}

async fn step_up(session: Session) -> Result<(), AuthError> {
    Ok(session.step_up("otp").await?)
}

async fn out(session: Session) -> Result<(), AuthError> {
    Ok(session.sign_out().await?)
}

async fn handles(house: &House) -> Vec<SessionHandle> {
    let list = house.sessions.list(&who("alice")).await.expect("listed");
    list.iter().map(portcullis_session::SessionInfo::handle).collect()
}

/// Where an exchange of ids can be overtaken.
const STEPS: [&str; 2] = ["create", "replace"];

/// SE4: at no moment are two ids good, that anybody knows.
#[tokio::test]
async fn until_the_old_id_is_dead_nobody_is_told_the_new_one() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let mut gate = house.store.hold("replace");
    let rotating = house.ask(
        get(&[&cookie]),
        |session| async move { Ok(session.rotate().await?) },
    );
    let between = async {
        gate.reached().await;
        assert_eq!(house.name_of(&cookie).await.as_deref(), Some("alice"));
        gate.open();
    };
    let (answer, ()) = tokio::join!(rotating, between);
    assert_eq!(house.name_of(&cookie).await, None);
    let new = set_cookie(&answer).expect("another id");
    assert_eq!(house.name_of(&new).await.as_deref(), Some("alice"));
}

/// T-ERR-1: an outage at any step of an exchange leaves one id that is good, or none, and no answer claims anything.
#[tokio::test]
async fn an_outage_at_any_step_of_an_exchange_notes_no_proof() {
    for verb in ["create", "replace"] {
        let house = house();
        let cookie = house.sign_in(sign_in_of("alice")).await;
        let step_up = |session: Session| async move { Ok(session.step_up("otp").await?) };
        house.store.fail(&[verb]);
        let answer = house.ask(get(&[&cookie]), step_up).await;
        assert_eq!(answer.status(), 503, "{verb}");
        assert!(!answer.headers().contains_key("set-cookie"), "{verb}");
        house.store.fail(&[]);
        house
            .ask(get(&[&cookie]), |session| async move {
                assert_eq!(session.factors().await?.len(), 1);
                Ok(())
            })
            .await;
        let answer = house.ask(get(&[&cookie]), step_up).await;
        assert!(set_cookie(&answer).is_some(), "{verb}: another try works");
    }
}

/// What cannot be kept is dropped; the user stays signed in, under the old id.
#[tokio::test]
async fn an_exchange_that_would_be_too_large_changes_nothing() {
    for (length, fits) in [(20_000, true), (40_000, false)] {
        let house = house();
        let cookie = house.sign_in(sign_in_of("alice")).await;
        let answer = house
            .ask(get(&[&cookie]), move |session| async move {
                for name in ["a", "b"] {
                    session.insert(name, &"x".repeat(length)).await?;
                }
                let rotated = session.rotate().await;
                assert_eq!(rotated.is_ok(), fits);
                Ok(())
            })
            .await;
        assert_eq!(
            (answer.status().as_u16(), set_cookie(&answer).is_some()),
            (200, fits)
        );
        assert_eq!(house.name_of(&cookie).await.is_some(), !fits);
        assert_eq!(handles(&house).await.len(), 1);
    }
}

/// A thief who exchanges the id again and again is found from any of the ids.
#[tokio::test]
async fn a_long_trace_of_ids_is_followed_to_its_end() {
    let house = house();
    let first = house.sign_in(sign_in_of("alice")).await;
    let mut last = first.clone();
    for _ in 0..20 {
        last = set_cookie(&house.ask(get(&[&last]), rotate).await).expect("another id");
    }
    assert_eq!(house.name_of(&last).await.as_deref(), Some("alice"));
    house.ask(get(&[&first]), out).await;
    assert_eq!(house.name_of(&last).await, None);
    assert!(house.store.memory.is_empty());
}

/// T-REV-1: everything is revoked while an id is being exchanged: nothing dated before lives on under another id.
#[tokio::test]
async fn revoking_all_during_an_exchange_ends_the_successor_too() {
    for step in STEPS {
        let house = house();
        let cookie = house.sign_in(sign_in_of("alice")).await;
        let mut gate = house.store.hold(step);
        let exchanging = house.ask(get(&[&cookie]), step_up);
        let revoked = async {
            gate.reached().await;
            house.advance(1);
            house.sessions.revoke_all(&who("alice")).await.expect("revoked");
            gate.open();
        };
        let (answer, ()) = tokio::join!(exchanging, revoked);
        assert_eq!(answer.status(), 401, "{step}");
        assert!(is_deleted(&answer), "{step}");
        assert!(house.store.memory.is_empty(), "{step}");
    }
}

/// A handler that does not wait for the end of an exchange leaves the user as they were.
#[tokio::test]
async fn an_exchange_that_is_dropped_half_way_signs_nobody_out() {
    for step in STEPS {
        let house = house();
        let cookie = house.sign_in(sign_in_of("alice")).await;
        let gate = house.store.hold(step);
        let answer = house
            .ask(get(&[&cookie]), |session| async move {
                let mut exchanging = Box::pin(session.rotate());
                for _ in 0..4 {
                    tokio::select! {
                        biased;
                        _ = &mut exchanging => panic!("it waits"),
                        () = tokio::task::yield_now() => {}
                    }
                }
                Ok(())
            })
            .await;
        drop(gate);
        assert_eq!(set_cookie_field(&answer), None, "{step}");
        assert_eq!(house.name_of(&cookie).await.as_deref(), Some("alice"), "{step}");
        assert_eq!(
            handles(&house).await.len(),
            1,
            "{step}: one session, whatever records are left"
        );
    }
}
