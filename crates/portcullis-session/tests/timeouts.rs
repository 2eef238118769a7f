//! How long sessions last, what keeping them alive costs, and how ids are renewed.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use std::time::Duration;

use portcullis_core::AuthError;
use portcullis_session::{Session, Timeouts};
use support::{House, get, house, house_with, set_cookie, set_cookie_field, sign_in_of, who};

const HOUR: u64 = 3600;

async fn look(session: Session) -> Result<(), AuthError> {
    session.principal().await?;
    Ok(())
}

fn short(idle: u64, absolute: u64) -> House {
    let timeouts = Timeouts::new(Duration::from_secs(idle), Duration::from_secs(absolute)).expect("in order");
    house_with(|builder| builder.timeouts(timeouts).without_renewal())
}

/// SE7: the idle time ends it when nobody comes; use extends it.
#[tokio::test]
async fn asvs_7_3_1_a_session_ends_after_its_idle_time_and_not_before() {
    for (pause, lives) in [(24 * HOUR - 1, true), (24 * HOUR, false)] {
        let house = house_with(|builder| builder.without_renewal());
        let cookie = house.sign_in(sign_in_of("alice")).await;
        house.advance(pause);
        assert_eq!(house.name_of(&cookie).await.is_some(), lives);
    }
}

/// SE7, SE9: the absolute time ends it however busy it is.
#[tokio::test]
async fn asvs_7_3_2_a_session_in_use_ends_after_its_absolute_time_and_not_before() {
    let house = short(10 * HOUR, 48 * HOUR);
    let cookie = house.sign_in(sign_in_of("alice")).await;
    for hour in 0..48 {
        assert!(house.name_of(&cookie).await.is_some(), "{hour}");
        house.advance(HOUR);
    }
    assert_eq!(house.name_of(&cookie).await, None);
}

/// R11, PEERS 28: reads every 0.9 s keep a session of two idle seconds alive; a pause of two seconds ends it.
#[tokio::test]
async fn r11_reading_keeps_a_session_alive() {
    let house = short(2, HOUR);
    let cookie = house.sign_in(sign_in_of("alice")).await;
    for _ in 0..20 {
        house.clock.advance(Duration::from_millis(900));
        assert!(house.name_of(&cookie).await.is_some());
    }
    house.clock.advance(Duration::from_millis(2000));
    assert_eq!(house.name_of(&cookie).await, None);
}

#[tokio::test]
async fn use_is_noted_once_a_minute() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    house.store.calls();
    for _ in 0..60 {
        house.ask(get(&[&cookie]), look).await;
        house.advance(1);
    }
    let calls = house.store.calls();
    assert_eq!(calls.iter().filter(|call| **call == "touch").count(), 0);
    assert_eq!(calls.len(), 60);
    for _ in 0..60 {
        house.ask(get(&[&cookie]), look).await;
        house.advance(1);
    }
    let calls = house.store.calls();
    assert_eq!(calls.iter().filter(|call| **call == "touch").count(), 1);
}

/// PEERS 28: what keeps it alive is no save, and disturbs none.
#[tokio::test]
async fn an_outage_of_the_touch_refuses_nobody_and_a_session_that_went_is_gone() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    house.advance(61);
    house.store.fail(&["touch"]);
    assert_eq!(house.name_of(&cookie).await.as_deref(), Some("alice"));
    house.store.fail(&[]);
    let mut gate = house.store.hold("touch");
    let slow = house.name_of(&cookie);
    let out = async {
        gate.reached().await;
        house.sessions.revoke_all(&who("alice")).await.expect("revoked");
        gate.open();
    };
    let (slow, ()) = tokio::join!(slow, out);
    assert_eq!(slow, None);
}

/// SE16: every 24 hours, and only then.
#[tokio::test]
async fn the_id_is_renewed_after_a_day_and_the_old_one_is_good_for_its_grace() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let put = |session: Session| async move { Ok(session.insert("a", &1).await?) };
    house.ask(get(&[&cookie]), put).await;
    house.advance(24 * HOUR - 1);
    let answer = house.ask(get(&[&cookie]), look).await;
    assert_eq!(set_cookie_field(&answer), None);
    house.advance(1);
    let answer = house.ask(get(&[&cookie]), look).await;
    let renewed = set_cookie(&answer).expect("another id");
    assert_ne!(renewed, cookie);
    for (pause, old_lives) in [(0, true), (29, true), (1, false)] {
        house.advance(pause);
        let answer = house.ask(get(&[&cookie]), look).await;
        assert_eq!(
            set_cookie(&answer),
            None,
            "nobody gets another cookie within the grace"
        );
        assert_eq!(house.name_of(&cookie).await.is_some(), old_lives, "{pause}");
        assert_eq!(house.name_of(&renewed).await.as_deref(), Some("alice"));
    }
    house
        .ask(get(&[&renewed]), |session| async move {
            assert_eq!(session.get::<u32>("a").await?, Some(1));
            Ok(())
        })
        .await;
    assert_eq!(house.sessions.list(&who("alice")).await.expect("listed").len(), 1);
}

/// The absolute time goes on from the sign-in, however often the id is renewed.
#[tokio::test]
async fn renewal_does_not_prolong_the_absolute_time() {
    let house = house();
    let mut cookie = house.sign_in(sign_in_of("alice")).await;
    let mut renewals = 0;
    for hour in 0..7 * 24 {
        let answer = house.ask(get(&[&cookie]), look).await;
        if let Some(renewed) = set_cookie(&answer) {
            cookie = renewed;
            renewals += 1;
        }
        assert!(house.name_of(&cookie).await.is_some(), "{hour}");
        house.advance(HOUR);
    }
    assert_eq!(renewals, 6);
    assert_eq!(house.name_of(&cookie).await, None);
}

/// Of two that renew at the same time, one wins; the other one's answer says nothing, and its id goes on within the grace.
#[tokio::test]
async fn of_two_renewals_at_the_same_time_one_gives_a_cookie() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    house.advance(24 * HOUR - 60);
    house.ask(get(&[&cookie]), look).await;
    house.advance(60);
    let mut gate = house.store.hold("replace");
    let slow = house.ask(get(&[&cookie]), look);
    let fast = async {
        gate.reached().await;
        let answer = house.ask(get(&[&cookie]), look).await;
        gate.open();
        set_cookie(&answer).expect("another id")
    };
    let (slow, fast) = tokio::join!(slow, fast);
    assert_eq!((slow.status().as_u16(), set_cookie_field(&slow)), (200, None));
    assert_eq!(
        house.store.memory.len(),
        2,
        "the old one in its grace, and one successor"
    );
    assert_eq!(house.name_of(&fast).await.as_deref(), Some("alice"));
}

/// R10 across a renewal: what is written with the old id within the grace is the successor's.
#[tokio::test]
async fn writes_with_the_old_id_reach_the_successor() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    house.advance(24 * HOUR - 60);
    house.ask(get(&[&cookie]), look).await;
    house.advance(60);
    // Loaded before the renewal, and written after it.
    let mut gate = house.store.hold("replace");
    let slow = house.ask(get(&[&cookie]), |session| async move {
        Ok(session.insert("during", &1).await?)
    });
    let renewed = async {
        gate.reached().await;
        let answer = house.ask(get(&[&cookie]), look).await;
        gate.open();
        set_cookie(&answer).expect("another id")
    };
    let (slow, renewed) = tokio::join!(slow, renewed);
    assert_eq!((slow.status().as_u16(), set_cookie_field(&slow)), (200, None));
    let answer = house
        .ask(get(&[&cookie]), |session| async move {
            Ok(session.insert("after", &2).await?)
        })
        .await;
    assert_eq!((answer.status().as_u16(), set_cookie_field(&answer)), (200, None));
    house
        .ask(get(&[&renewed]), |session| async move {
            assert_eq!(session.get::<u32>("during").await?, Some(1));
            assert_eq!(session.get::<u32>("after").await?, Some(2));
            Ok(())
        })
        .await;
}

/// SE9, T-SESS-1 across a renewal: whoever signs out with either id, or is revoked, has ended both.
#[tokio::test]
async fn a_sign_out_within_the_grace_ends_both_ids() {
    for with_old in [true, false] {
        let house = house();
        let old = house.sign_in(sign_in_of("alice")).await;
        house.advance(24 * HOUR - 60);
        house.ask(get(&[&old]), look).await;
        house.advance(60);
        let new = set_cookie(&house.ask(get(&[&old]), look).await).expect("another id");
        let out = |session: Session| async move { Ok(session.sign_out().await?) };
        house.ask(get(&[if with_old { &old } else { &new }]), out).await;
        assert_eq!(house.name_of(&old).await, None);
        assert_eq!(house.name_of(&new).await, None);
    }
}

/// A sign-out that had seen the old record only, while the renewal gets ahead of it.
#[tokio::test]
async fn a_sign_out_that_a_renewal_overtakes_ends_the_successor() {
    let house = house();
    let old = house.sign_in(sign_in_of("alice")).await;
    house.advance(24 * HOUR - 60);
    house.ask(get(&[&old]), look).await;
    house.advance(60);
    let mut gate = house.store.hold("take");
    let out = house.ask(get(&[&old]), |session| async move {
        session.principal().await?;
        Ok(session.sign_out().await?)
    });
    let renewed = async {
        gate.reached().await;
        let answer = house.ask(get(&[&old]), look).await;
        gate.open();
        set_cookie(&answer).expect("another id")
    };
    let (_, renewed) = tokio::join!(out, renewed);
    assert_eq!(house.name_of(&renewed).await, None);
    assert!(house.store.memory.is_empty());
}

/// T-REV-1: revoked between the look and the renewal: the successor is refused, or goes with the rest.
#[tokio::test]
async fn a_revocation_during_a_renewal_ends_the_successor_too() {
    for verb in ["create", "replace"] {
        let house = house();
        let cookie = house.sign_in(sign_in_of("alice")).await;
        house.advance(24 * HOUR - 60);
        house.ask(get(&[&cookie]), look).await;
        house.advance(60);
        let mut gate = house.store.hold(verb);
        let renewing = house.ask(get(&[&cookie]), look);
        let revoked = async {
            gate.reached().await;
            house.advance(1);
            house.sessions.revoke_all(&who("alice")).await.expect("revoked");
            gate.open();
        };
        let (answer, ()) = tokio::join!(renewing, revoked);
        assert!(support::is_deleted(&answer), "{verb}");
        assert!(house.store.memory.is_empty(), "{verb}");
    }
}

#[tokio::test]
async fn an_outage_of_a_renewal_refuses_nobody() {
    for verb in ["create", "replace"] {
        let house = house();
        let cookie = house.sign_in(sign_in_of("alice")).await;
        house.advance(24 * HOUR - 60);
        house.ask(get(&[&cookie]), look).await;
        house.advance(60);
        house.store.fail(&[verb]);
        let answer = house.ask(get(&[&cookie]), look).await;
        assert_eq!((answer.status().as_u16(), set_cookie_field(&answer)), (200, None));
        house.store.fail(&[]);
        assert!(set_cookie(&house.ask(get(&[&cookie]), look).await).is_some());
    }
}

#[tokio::test]
async fn a_remembered_session_is_long_and_one_of_nobody_is_short() {
    let house = house_with(|builder| builder.without_renewal());
    let remembered = house.sign_in(sign_in_of("alice").remember(true)).await;
    let standard = house.sign_in(sign_in_of("alice")).await;
    let put = |session: Session| async move { Ok(session.insert("a", &1).await?) };
    let nobody = set_cookie(&house.ask(get(&[]), put).await).expect("a cookie");
    let kept = |session: Session| async move {
        match session.get::<u32>("a").await? {
            Some(_) => Ok(()),
            None => Err(AuthError::missing_credentials()),
        }
    };
    house.advance(30 * 60 - 1);
    assert_eq!(house.ask(get(&[&nobody]), kept).await.status(), 200);
    house.advance(30 * 60);
    assert_eq!(house.ask(get(&[&nobody]), kept).await.status(), 401);
    house.advance(13 * 24 * HOUR);
    assert_eq!(house.name_of(&standard).await, None);
    assert_eq!(house.name_of(&remembered).await.as_deref(), Some("alice"));
}
