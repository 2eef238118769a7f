//! The list of a user's sessions, and ending some of them.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use portcullis_core::AuthError;
use portcullis_session::{AtMost, Session, SessionHandle};
use support::{House, get, house, house_with, set_cookie, sign_in_of, who};

async fn handle_of(house: &House, cookie: &str) -> SessionHandle {
    let found = std::sync::Arc::new(std::sync::Mutex::new(None));
    house
        .ask(get(&[cookie]), |session| {
            let found = std::sync::Arc::clone(&found);
            async move {
                *found.lock().expect("sound") = session.handle().await?;
                Ok(())
            }
        })
        .await;
    let found = found.lock().expect("sound").take();
    found.expect("a session")
}

/// SE10, ASVS 7.5.2
#[tokio::test]
async fn a_user_sees_own_sessions_with_device_address_and_times() {
    let house = house();
    let laptop = sign_in_of("alice")
        .device("A browser\r\non a laptop")
        .address("192.0.2.1");
    let cookie = house.sign_in(laptop).await;
    house.advance(10);
    house.sign_in(sign_in_of("alice").remember(true)).await;
    house.sign_in(sign_in_of("bob")).await;
    house.advance(3600);
    house.name_of(&cookie).await;
    let list = house.sessions.list(&who("alice")).await.expect("listed");
    assert_eq!(list.len(), 2);
    let (second, first) = (&list[0], &list[1]);
    assert_eq!(first.device(), Some(r"A browser\r\non a laptop"));
    assert_eq!(first.address(), Some("192.0.2.1"));
    assert_eq!(first.started_at().as_unix_seconds(), support::START);
    assert_eq!(first.last_seen().as_unix_seconds(), support::START + 3610);
    assert_eq!(second.last_seen().as_unix_seconds(), support::START + 10);
    assert!(second.is_persistent() && !first.is_persistent());
    assert_eq!(first.handle(), handle_of(&house, &cookie).await);
    let shown = first.handle().to_string();
    assert_eq!(shown.parse(), Ok(first.handle()));
    assert!(!cookie.contains(&shown), "a handle lets nobody in");
    for broken in ["", "A", &format!("{shown}A"), &shown.replace(|_| true, "é")] {
        assert!(broken.parse::<SessionHandle>().is_err());
    }
}

/// SE10, T-ADM-1: one's own session can be ended, nobody else's.
#[tokio::test]
async fn asvs_7_4_5_a_user_ends_own_sessions_and_nobody_elses() {
    let house = house();
    let (first, second) = (
        house.sign_in(sign_in_of("alice")).await,
        house.sign_in(sign_in_of("alice")).await,
    );
    let bobs = house.sign_in(sign_in_of("bob")).await;
    let handle = handle_of(&house, &bobs).await;
    assert_eq!(
        house.sessions.revoke(&who("alice"), handle).await.ok(),
        Some(false)
    );
    assert!(house.name_of(&bobs).await.is_some());
    let handle = handle_of(&house, &first).await;
    assert_eq!(
        house.sessions.revoke(&who("alice"), handle).await.ok(),
        Some(true)
    );
    assert_eq!(
        house.sessions.revoke(&who("alice"), handle).await.ok(),
        Some(false)
    );
    assert_eq!(house.name_of(&first).await, None);
    assert!(house.name_of(&second).await.is_some());
}

/// ASVS 7.4.3: after a change of the password, the others end and this one gets another id.
#[tokio::test]
async fn asvs_7_4_3_the_others_end_and_the_current_one_goes_on() {
    let house = house();
    let (current, other) = (
        house.sign_in(sign_in_of("alice")).await,
        house.sign_in(sign_in_of("alice")).await,
    );
    let bobs = house.sign_in(sign_in_of("bob")).await;
    let sessions = house.sessions.clone();
    let answer = house
        .ask(get(&[&current]), move |session| {
            let sessions = sessions.clone();
            async move {
                let handle = session
                    .handle()
                    .await?
                    .ok_or_else(AuthError::missing_credentials)?;
                assert_eq!(sessions.revoke_others(&who("alice"), handle).await?, 1);
                Ok(session.rotate().await?)
            }
        })
        .await;
    let rotated = set_cookie(&answer).expect("another id");
    assert_eq!(house.name_of(&current).await, None);
    assert_eq!(house.name_of(&other).await, None);
    assert!(house.name_of(&rotated).await.is_some() && house.name_of(&bobs).await.is_some());
}

#[tokio::test]
async fn asvs_7_4_2_all_of_them_end_and_the_next_sign_in_works() {
    let house = house();
    let cookies = [
        house.sign_in(sign_in_of("alice")).await,
        house.sign_in(sign_in_of("alice")).await,
    ];
    assert_eq!(house.sessions.revoke_all(&who("alice")).await.ok(), Some(2));
    for cookie in &cookies {
        assert_eq!(house.name_of(cookie).await, None);
    }
    house.advance(1);
    let cookie = house.sign_in(sign_in_of("alice")).await;
    assert!(house.name_of(&cookie).await.is_some());
}

/// T-ERR-1: what could not be ended is not said to be.
#[tokio::test]
async fn an_outage_is_an_error_and_no_empty_list() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let handle = handle_of(&house, &cookie).await;
    house.store.fail(&["list", "take", "revoke"]);
    assert!(house.sessions.list(&who("alice")).await.is_err());
    assert!(house.sessions.revoke(&who("alice"), handle).await.is_err());
    assert!(house.sessions.revoke_all(&who("alice")).await.is_err());
    house.store.fail(&["take"]);
    assert!(house.sessions.revoke_others(&who("alice"), handle).await.is_ok());
    assert!(house.sessions.revoke(&who("alice"), handle).await.is_err());
}

#[tokio::test]
async fn asvs_7_1_2_the_oldest_goes_when_there_are_too_many() {
    let house = house_with(|builder| builder.at_most(AtMost::oldest_out(2)));
    let mut cookies = Vec::new();
    for _ in 0..4 {
        cookies.push(house.sign_in(sign_in_of("alice")).await);
        house.advance(1);
    }
    let bobs = house.sign_in(sign_in_of("bob")).await;
    for (cookie, lives) in cookies.iter().zip([false, false, true, true]) {
        assert_eq!(house.name_of(cookie).await.is_some(), lives);
    }
    assert!(house.name_of(&bobs).await.is_some());
}

#[tokio::test]
async fn one_too_many_is_refused_where_that_was_chosen() {
    let house = house_with(|builder| builder.at_most(AtMost::refuse(1)));
    let first = house.sign_in(sign_in_of("alice")).await;
    let again = |session: Session| async move { Ok(session.sign_in(sign_in_of("alice")).await?) };
    house.advance(1);
    let refused = house.ask(get(&[]), again).await;
    assert_eq!((refused.status().as_u16(), set_cookie(&refused)), (403, None));
    assert!(house.name_of(&first).await.is_some());
    let same = house.ask(get(&[&first]), again).await;
    assert_eq!(same.status(), 200, "the same browser exchanges its own");
    assert_eq!(house.sessions.list(&who("alice")).await.expect("listed").len(), 1);
}

/// Two who sign in at the same time, in any order of their steps, never end above the limit.
#[tokio::test]
async fn two_at_the_same_time_do_not_end_above_the_limit() {
    for limit in [AtMost::oldest_out(1), AtMost::refuse(1)] {
        for verb in ["create", "list"] {
            let house = house_with(|builder| builder.at_most(limit));
            let again = |session: Session| async move { Ok(session.sign_in(sign_in_of("alice")).await?) };
            let mut gate = house.store.hold(verb);
            let slow = house.ask(get(&[]), again);
            let fast = async {
                gate.reached().await;
                let answer = house.ask(get(&[]), again).await;
                gate.open();
                answer
            };
            let (slow, fast) = tokio::join!(slow, fast);
            let mut alive = 0;
            for answer in [&slow, &fast] {
                if let Some(cookie) = set_cookie(answer) {
                    alive += usize::from(house.name_of(&cookie).await.is_some());
                }
            }
            assert_eq!(alive, 1, "{limit:?} {verb}");
            assert_eq!(house.store.memory.len(), 1);
        }
    }
}

#[tokio::test]
async fn a_sign_in_whose_limit_cannot_be_looked_at_is_refused() {
    let house = house_with(|builder| builder.at_most(AtMost::refuse(3)));
    house.store.fail(&["list"]);
    let again = |session: Session| async move { Ok(session.sign_in(sign_in_of("alice")).await?) };
    assert_eq!(house.ask(get(&[]), again).await.status(), 503);
    assert!(house.store.memory.is_empty());
}
