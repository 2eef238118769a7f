//! Two requests about one session at the same time, in the orders that hurt.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use portcullis_core::AuthError;
use portcullis_session::{AtMost, Session, SessionHandle};
use support::{House, get, house, house_with, is_deleted, set_cookie, set_cookie_field, sign_in_of, who};

async fn look(session: Session) -> Result<(), AuthError> {
    session.principal().await?;
    Ok(())
}

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

/// T-SESS-1, T-REV-1: a session that exchanges its id does not slip through the hands of whoever revokes it.
#[tokio::test]
async fn a_revocation_finds_a_session_that_is_exchanging_its_id() {
    for step in STEPS {
        for others in [false, true] {
            let house = house();
            let stolen = house.sign_in(sign_in_of("alice")).await;
            let handle = handles(&house).await[0];
            house.advance(1);
            let mine = house.sign_in(sign_in_of("alice")).await;
            let own = handles(&house).await[0];
            assert_ne!(own, handle);
            let mut gate = house.store.hold(step);
            let thief = house.ask(get(&[&stolen]), step_up);
            let revoked = async {
                gate.reached().await;
                let revoked = match others {
                    true => house
                        .sessions
                        .revoke_others(&who("alice"), own)
                        .await
                        .expect("revoked"),
                    false => u64::from(
                        house
                            .sessions
                            .revoke(&who("alice"), handle)
                            .await
                            .expect("revoked"),
                    ),
                };
                gate.open();
                revoked
            };
            let (answer, revoked) = tokio::join!(thief, revoked);
            assert_eq!(revoked, 1, "{step}");
            assert_eq!(answer.status(), 401, "{step}");
            assert_eq!(set_cookie(&answer), None, "{step}");
            assert_eq!(handles(&house).await, [own], "{step}");
            assert_eq!(house.name_of(&mine).await.as_deref(), Some("alice"));
        }
    }
}

/// A list that is older than the exchange names the old record only; what it ends is the session all the same.
#[tokio::test]
async fn a_revocation_that_an_exchange_overtakes_ends_the_new_id() {
    let house = house();
    let stolen = house.sign_in(sign_in_of("alice")).await;
    let handle = handles(&house).await[0];
    let mut gate = house.store.hold("take");
    let principal = who("alice");
    let revoking = house.sessions.revoke(&principal, handle);
    let thief = async {
        gate.reached().await;
        let answer = house.ask(get(&[&stolen]), rotate).await;
        gate.open();
        set_cookie(&answer).expect("another id")
    };
    let (revoked, rotated) = tokio::join!(revoking, thief);
    assert!(revoked.expect("revoked"));
    assert_eq!(house.name_of(&rotated).await, None);
    assert!(house.store.memory.is_empty());
}

/// SE9, T-SESS-1: signed out in one tab, while another one exchanges the id.
#[tokio::test]
async fn a_sign_out_ends_a_session_that_is_exchanging_its_id() {
    for step in STEPS {
        let house = house();
        let cookie = house.sign_in(sign_in_of("alice")).await;
        let mut gate = house.store.hold(step);
        let exchanging = house.ask(get(&[&cookie]), rotate);
        let signed_out = async {
            gate.reached().await;
            let answer = house.ask(get(&[&cookie]), out).await;
            gate.open();
            answer
        };
        let (exchanged, signed_out) = tokio::join!(exchanging, signed_out);
        assert!(is_deleted(&signed_out), "{step}");
        assert_eq!(
            (exchanged.status().as_u16(), set_cookie(&exchanged)),
            (401, None),
            "{step}"
        );
        assert!(house.store.memory.is_empty(), "{step}");
    }
}

/// The same, when the other tab was faster: the browser may hold the new id already.
#[tokio::test]
async fn a_sign_out_with_the_id_of_a_moment_ago_ends_the_session() {
    for asks_first in [false, true] {
        let house = house();
        let old = house.sign_in(sign_in_of("alice")).await;
        let new = set_cookie(&house.ask(get(&[&old]), rotate).await).expect("another id");
        assert_eq!(house.name_of(&old).await, None, "good for nothing else");
        let answer = house
            .ask(get(&[&old]), move |session| async move {
                if asks_first {
                    assert_eq!(session.principal().await?, None);
                }
                out(session).await
            })
            .await;
        assert!(is_deleted(&answer));
        assert_eq!(house.name_of(&new).await, None);
        assert!(house.store.memory.is_empty());
    }
}

/// The limit counts a session that is exchanging its id.
#[tokio::test]
async fn a_sign_in_during_an_exchange_does_not_end_above_the_limit() {
    for limit in [AtMost::refuse(1), AtMost::oldest_out(1)] {
        for step in STEPS {
            let house = house_with(|builder| builder.at_most(limit));
            let first = house.sign_in(sign_in_of("alice")).await;
            house.advance(1);
            let mut gate = house.store.hold(step);
            let exchanging = house.ask(get(&[&first]), rotate);
            let second = async {
                gate.reached().await;
                let again = |session: Session| async move { Ok(session.sign_in(sign_in_of("alice")).await?) };
                house.ask(get(&[]), again).await;
                gate.open();
            };
            tokio::join!(exchanging, second);
            assert_eq!(handles(&house).await.len(), 1, "{limit:?} {step}");
        }
    }
}

/// Two tabs: the slow one was sent before the id was exchanged. Its answer leaves the new cookie alone, and what it wrote
/// is dropped, as with every session that has ended.
#[tokio::test]
async fn a_slow_request_does_not_take_the_new_cookie_away() {
    let house = house();
    let old = house.sign_in(sign_in_of("alice")).await;
    let new = set_cookie(&house.ask(get(&[&old]), rotate).await).expect("another id");
    let put = |session: Session| async move { Ok(session.insert("a", &1).await?) };
    for seconds in [0, 29] {
        house.advance(seconds);
        let read = house.ask(get(&[&old]), look).await;
        assert_eq!((read.status().as_u16(), set_cookie_field(&read)), (200, None));
        let written = house.ask(get(&[&old]), put).await;
        assert_eq!(
            (written.status().as_u16(), set_cookie_field(&written)),
            (200, None)
        );
        let again = house.ask(get(&[&old]), rotate).await;
        assert_eq!((again.status().as_u16(), set_cookie_field(&again)), (401, None));
        assert_eq!(house.name_of(&old).await, None);
        assert_eq!(house.name_of(&new).await.as_deref(), Some("alice"));
    }
    house.advance(1);
    assert!(
        is_deleted(&house.ask(get(&[&old]), look).await),
        "it is unknown now"
    );
    assert_eq!(house.name_of(&new).await.as_deref(), Some("alice"));
}

/// The same for one that had found the session before the exchange, and writes after it.
#[tokio::test]
async fn a_late_save_under_an_exchanged_id_is_dropped_and_deletes_nothing() {
    let house = house();
    let old = house.sign_in(sign_in_of("alice")).await;
    let mut gate = house.store.hold("replace");
    let slow = house.ask(get(&[&old]), |session| async move {
        Ok(session.insert("late", &1).await?)
    });
    let fast = async {
        gate.reached().await;
        let answer = house.ask(get(&[&old]), rotate).await;
        gate.open();
        set_cookie(&answer).expect("another id")
    };
    let (slow, new) = tokio::join!(slow, fast);
    assert_eq!((slow.status().as_u16(), set_cookie_field(&slow)), (200, None));
    house
        .ask(get(&[&new]), |session| async move {
            assert_eq!(session.get::<u32>("late").await?, None);
            Ok(())
        })
        .await;
}

/// R10: what somebody saves while the id is being exchanged goes along.
#[tokio::test]
async fn a_save_during_an_exchange_is_not_lost() {
    for step in STEPS {
        let house = house();
        let old = house.sign_in(sign_in_of("alice")).await;
        let mut gate = house.store.hold(step);
        let exchanging = house.ask(get(&[&old]), |session| async move {
            session.insert("mine", &1).await?;
            rotate(session).await
        });
        let saving = async {
            gate.reached().await;
            let put = |session: Session| async move { Ok(session.insert("yours", &2).await?) };
            assert_eq!(house.ask(get(&[&old]), put).await.status(), 200);
            gate.open();
        };
        let (answer, ()) = tokio::join!(exchanging, saving);
        let new = set_cookie(&answer).expect("another id");
        house
            .ask(get(&[&new]), |session| async move {
                assert_eq!(session.get::<u32>("mine").await?, Some(1));
                assert_eq!(session.get::<u32>("yours").await?, Some(2));
                Ok(())
            })
            .await;
        assert_eq!(handles(&house).await.len(), 1);
    }
}

/// R13, in a race: the first user's session ends while the second one signs in over it.
#[tokio::test]
async fn r13_nothing_goes_along_from_another_users_session_that_ends_meanwhile() {
    for of in ["alice", "bob"] {
        let house = house();
        let first = house.sign_in(sign_in_of("alice")).await;
        let mut gate = house.store.hold("take");
        let slow = house.ask(get(&[&first]), move |session| async move {
            session.principal().await?;
            session.insert("note", "of what alice sees").await?;
            Ok(session.sign_in(sign_in_of(of).keep(["note"])).await?)
        });
        let fast = async {
            gate.reached().await;
            house.ask(get(&[&first]), out).await;
            gate.open();
        };
        let (slow, ()) = tokio::join!(slow, fast);
        let second = set_cookie(&slow).expect("a cookie");
        assert_eq!(house.name_of(&second).await.as_deref(), Some(of));
        house
            .ask(get(&[&second]), |session| async move {
                assert_eq!(session.get::<String>("note").await?, None);
                Ok(())
            })
            .await;
    }
}

/// SE9, T-ERR-1: a sign-out that failed half way within the grace of a renewal, and is tried again with the old cookie.
#[tokio::test]
async fn a_sign_out_that_is_tried_again_ends_the_successor_too() {
    let house = house();
    let old = house.sign_in(sign_in_of("alice")).await;
    house.advance(24 * 3600 - 60);
    house.ask(get(&[&old]), look).await;
    house.advance(60);
    let new = set_cookie(&house.ask(get(&[&old]), look).await).expect("another id");
    let (mut first, mut second) = (house.store.hold("take"), house.store.hold("take"));
    let failing = house.ask(get(&[&old]), out);
    let outage = async {
        first.reached().await;
        first.open();
        second.reached().await;
        house.store.fail(&["take"]);
        second.open();
    };
    let (failed, ()) = tokio::join!(failing, outage);
    assert_eq!((failed.status().as_u16(), set_cookie_field(&failed)), (503, None));
    house.store.fail(&[]);
    assert!(is_deleted(&house.ask(get(&[&old]), out).await));
    assert_eq!(house.name_of(&new).await, None);
    assert!(house.store.memory.is_empty());
}

/// T-ERR-1: a handler that does not wait for the end of a sign-out does not know it either; the cookie stays.
#[tokio::test]
async fn a_sign_out_that_is_dropped_half_way_claims_nothing() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let gate = house.store.hold("take");
    let answer = house
        .ask(get(&[&cookie]), |session| async move {
            let mut signing_out = Box::pin(session.sign_out());
            for _ in 0..4 {
                tokio::select! {
                    biased;
                    _ = &mut signing_out => panic!("it waits"),
                    () = tokio::task::yield_now() => {}
                }
            }
            Ok(())
        })
        .await;
    drop(gate);
    assert_eq!(set_cookie_field(&answer), None);
    assert!(!answer.headers().contains_key("clear-site-data"));
    assert!(
        is_deleted(&house.ask(get(&[&cookie]), out).await),
        "the pair: another try works"
    );
    assert_eq!(house.name_of(&cookie).await, None);
}
