//! Clones of a session that outlive the answer: bodies that stream, and work in the background.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use std::sync::{Arc, Mutex};

use portcullis_session::{Session, SessionErrorKind};
use support::{House, get, house, set_cookie, set_cookie_field, sign_in_of};

/// A clone, after the answer to a request with these cookies has gone out.
async fn left_over(house: &House, cookies: &[&str]) -> Session {
    let kept = Arc::new(Mutex::new(None));
    let answer = house
        .ask(get(cookies), |session| {
            let kept = Arc::clone(&kept);
            async move {
                *kept.lock().expect("sound") = Some(session);
                Ok(())
            }
        })
        .await;
    assert_eq!(set_cookie_field(&answer), None);
    let session = kept.lock().expect("sound").take();
    session.expect("a session")
}

/// A body that streams asks for the token first: the id does not change behind the browser's back.
#[tokio::test]
async fn no_id_is_renewed_after_the_answer() {
    for streams in [true, false] {
        let house = house();
        let cookie = house.sign_in(sign_in_of("alice")).await;
        house.advance(24 * 3600 - 60);
        house.name_of(&cookie).await;
        house.advance(60);
        if streams {
            let session = left_over(&house, &[&cookie]).await;
            assert!(session.csrf_token().await.is_ok());
        } else {
            let asked = |session: Session| async move {
                session.csrf_token().await?;
                Ok(())
            };
            let answer = house.ask(get(&[&cookie]), asked).await;
            assert!(
                set_cookie(&answer).is_some(),
                "the pair: before the answer it is renewed"
            );
        }
        house.advance(31);
        assert_eq!(house.name_of(&cookie).await.is_some(), streams);
    }
}

#[tokio::test]
async fn what_needs_a_cookie_is_refused_after_the_answer_and_does_nothing() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let records = house.store.memory.len();
    let late = |result: Result<(), portcullis_session::SessionError>| {
        assert_eq!(result.expect_err("too late").kind(), SessionErrorKind::Answered);
    };
    let session = left_over(&house, &[&cookie]).await;
    late(session.rotate().await);
    late(session.step_up("otp").await);
    late(session.sign_in(sign_in_of("bob")).await);
    assert_eq!(house.name_of(&cookie).await.as_deref(), Some("alice"));
    let nobody = left_over(&house, &[]).await;
    late(nobody.csrf_token().await.map(drop));
    nobody.insert("a", &1).await.expect("noted");
    late(nobody.save().await);
    assert_eq!(house.store.memory.len(), records);
}

/// The pair: what needs none works.
#[tokio::test]
async fn saves_and_sign_outs_work_after_the_answer() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let session = left_over(&house, &[&cookie]).await;
    session.insert("a", &1).await.expect("noted");
    session.save().await.expect("saved");
    house
        .ask(get(&[&cookie]), |session| async move {
            assert_eq!(session.get::<u32>("a").await?, Some(1));
            Ok(())
        })
        .await;
    session.sign_out().await.expect("signed out");
    assert_eq!(house.name_of(&cookie).await, None);
    // T-SESS-1: and nothing that comes later brings it back.
    let other = left_over(&house, &[&cookie]).await;
    other.insert("b", &1).await.expect("noted");
    assert!(other.save().await.is_err() && house.store.memory.is_empty());
}
