//! Signing in, exchanging the id and signing out.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use std::sync::{Arc, Mutex};

use portcullis_core::{AuditEvent, AuthError, Timestamp};
use portcullis_seal::{Pepper, Peppers};
use portcullis_session::{ClearSiteData, Session, SessionErrorKind};
use portcullis_store::RecordStore;
use support::{START, get, house, house_with, is_deleted, set_cookie, sign_in_of, who};

async fn alice(session: Session) -> Result<(), AuthError> {
    Ok(session.sign_in(sign_in_of("alice")).await?)
}

async fn out(session: Session) -> Result<(), AuthError> {
    Ok(session.sign_out().await?)
}

/// T-SESS-2, SE4, SE6: an id from before is good for nothing afterwards, whether it was known or not.
#[tokio::test]
async fn t_sess_2_a_cookie_from_before_never_survives_a_sign_in() {
    let house = house();
    let begun = house
        .ask(get(&[]), |session| async move {
            session.insert("basket", &1).await?;
            Ok(session.insert("trap", &2).await?)
        })
        .await;
    let anonymous = set_cookie(&begun).expect("a cookie");
    let planted = format!("__Host-session={}", "A".repeat(43));
    for before in [&anonymous, &planted] {
        let answer = house
            .ask(get(&[before]), |session| async move {
                Ok(session.sign_in(sign_in_of("alice").keep(["basket"])).await?)
            })
            .await;
        let after = set_cookie(&answer).expect("a new cookie");
        assert_ne!(after, *before);
        assert_eq!(house.name_of(before).await, None, "the old id is dead");
        assert_eq!(house.name_of(&after).await.as_deref(), Some("alice"));
        let expected = (before == &anonymous).then_some(1);
        house
            .ask(get(&[&after]), move |session| async move {
                assert_eq!(session.get::<u32>("basket").await?, expected, "kept by name");
                assert_eq!(
                    session.get::<u32>("trap").await?,
                    None,
                    "SE6: destroyed otherwise"
                );
                Ok(())
            })
            .await;
    }
}

/// R13: nothing of the first user is the second one's.
#[tokio::test]
async fn r13_another_user_gets_another_id_and_nothing_of_the_first() {
    let house = house();
    let first = house.sign_in(sign_in_of("alice")).await;
    let put = |session: Session| async move { Ok(session.insert("diary", "secret").await?) };
    house.ask(get(&[&first]), put).await;
    let answer = house
        .ask(get(&[&first]), |session| async move {
            session.insert("note", "also hers").await?;
            Ok(session.sign_in(sign_in_of("bob").keep(["diary", "note"])).await?)
        })
        .await;
    let second = set_cookie(&answer).expect("a cookie");
    assert_eq!(house.name_of(&first).await, None);
    assert_eq!(house.name_of(&second).await.as_deref(), Some("bob"));
    house
        .ask(get(&[&second]), |session| async move {
            assert_eq!(session.get::<String>("diary").await?, None);
            assert_eq!(session.get::<String>("note").await?, None);
            Ok(())
        })
        .await;
    // The pair: the same user takes along what is named.
    let mine = house.sign_in(sign_in_of("alice")).await;
    house.ask(get(&[&mine]), put).await;
    let again = house
        .ask(get(&[&mine]), |session| async move {
            Ok(session.sign_in(sign_in_of("alice").keep(["diary"])).await?)
        })
        .await;
    house
        .ask(
            get(&[&set_cookie(&again).expect("a cookie")]),
            |session| async move {
                assert_eq!(session.get::<String>("diary").await?.as_deref(), Some("secret"));
                Ok(())
            },
        )
        .await;
}

/// T-ERR-1: wherever the store fails, nobody is signed in, and no cookie says so.
#[tokio::test]
async fn an_outage_at_any_step_of_a_sign_in_leaves_everybody_signed_out() {
    for verb in ["take", "create"] {
        let house = house();
        let before = house.sign_in(sign_in_of("bob")).await;
        house.store.fail(&[verb]);
        let answer = house.ask(get(&[&before]), alice).await;
        assert_eq!(answer.status(), 503, "{verb}");
        assert!(is_deleted(&answer), "{verb}");
        house.store.fail(&[]);
        if verb == "create" {
            assert_eq!(house.name_of(&before).await, None, "the old one was taken first");
            assert!(house.store.memory.is_empty());
        }
        assert_eq!(house.ask(get(&[&before]), alice).await.status(), 200);
    }
}

/// T-ONCE-1 for ids: of two who exchange one id at the same time, one gets on.
#[tokio::test]
async fn of_two_who_exchange_an_id_one_gets_the_record() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let rotate = |session: Session| async move { Ok(session.rotate().await?) };
    let mut gate = house.store.hold("replace");
    let slow = house.ask(get(&[&cookie]), rotate);
    let fast = async {
        gate.reached().await;
        let answer = house.ask(get(&[&cookie]), rotate).await;
        gate.open();
        set_cookie(&answer).expect("a cookie")
    };
    let (slow, fast) = tokio::join!(slow, fast);
    assert_eq!(slow.status(), 401);
    assert_eq!(house.name_of(&cookie).await, None);
    assert_eq!(house.name_of(&fast).await.as_deref(), Some("alice"));
    assert_eq!(house.sessions.list(&who("alice")).await.expect("listed").len(), 1);
    house.advance(30);
    assert_eq!(house.store.memory.sweep().await.ok(), Some(1));
    assert_eq!(house.store.memory.len(), 1, "the winner's");
}

/// SE4, SE7: a further proof gives a new id, keeps what is kept, and starts the times anew.
#[tokio::test]
async fn asvs_7_5_3_a_step_up_adds_the_factor_under_a_new_id() {
    let house = house_with(|builder| builder.without_renewal());
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let put = |session: Session| async move { Ok(session.insert("a", &1).await?) };
    house.ask(get(&[&cookie]), put).await;
    house.advance(3600);
    let answer = house
        .ask(get(&[&cookie]), |session| async move {
            let before = session.handle().await?;
            session.step_up("otp").await?;
            assert_eq!(
                session.handle().await?,
                before,
                "it stays the same line of the list"
            );
            Ok(())
        })
        .await;
    let after = set_cookie(&answer).expect("a new cookie");
    assert_eq!(house.name_of(&cookie).await, None);
    house
        .ask(get(&[&after]), |session| async move {
            assert_eq!(session.get::<u32>("a").await?, Some(1));
            let factors = session.factors().await?;
            let named: Vec<_> = factors
                .iter()
                .map(|factor| (factor.name(), factor.at()))
                .collect();
            let at = Timestamp::from_unix_seconds;
            assert_eq!(named, [("pwd", Some(at(START))), ("otp", Some(at(START + 3600)))]);
            Ok(())
        })
        .await;
    // Seven days after the step-up it ends, not after the sign-in.
    let mut hours = 0;
    while house.name_of(&after).await.is_some() {
        house.advance(3600);
        hours += 1;
    }
    assert_eq!(hours, 24 * 7);
}

#[tokio::test]
async fn a_step_up_of_nobody_is_refused() {
    let house = house();
    for cookies in [vec![], vec!["__Host-session=x"]] {
        let answer = house
            .ask(get(&cookies), |session| async move {
                let refused = session.step_up("otp").await.expect_err("nobody");
                assert_eq!(refused.kind(), SessionErrorKind::Nobody);
                Err(refused.into())
            })
            .await;
        assert_eq!(answer.status(), 401);
    }
    assert!(house.store.memory.is_empty());
}

/// SE9: signed out is signed out, for every copy of the cookie.
#[tokio::test]
async fn asvs_14_3_1_signing_out_ends_the_session_and_has_the_browser_forget() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let answer = house.ask(get(&[&cookie]), out).await;
    assert!(is_deleted(&answer));
    assert_eq!(answer.headers()["clear-site-data"], r#""cache", "storage""#);
    assert_eq!(house.name_of(&cookie).await, None);
    let nothing = house_with(|builder| builder.clear_site_data(ClearSiteData::Nothing));
    let answer = nothing.ask(get(&[&cookie]), out).await;
    assert!(!answer.headers().contains_key("clear-site-data"));
}

#[tokio::test]
async fn an_outage_at_sign_out_says_so_and_keeps_the_cookie_for_another_try() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    house.store.fail(&["take"]);
    let answer = house.ask(get(&[&cookie]), out).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(set_cookie(&answer), None);
    assert!(!answer.headers().contains_key("set-cookie"));
    house.store.fail(&[]);
    assert!(is_deleted(&house.ask(get(&[&cookie]), out).await));
}

#[tokio::test]
async fn what_is_written_after_a_sign_out_begins_a_session_of_nobody_or_nothing() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let answer = house
        .ask(get(&[&cookie]), |session| async move {
            session.sign_out().await?;
            Ok(session.insert("a", &1).await?)
        })
        .await;
    assert!(is_deleted(&answer), "it has ended, and stays so in this request");
    assert!(house.store.memory.is_empty());
}

/// A password was checked, then everything was revoked: the sign-in that rests on it is too late.
#[tokio::test]
async fn a_sign_in_whose_proof_is_from_before_a_revocation_is_refused() {
    let house = house();
    let checked = Timestamp::from_unix_seconds(START);
    house.advance(1);
    house.sessions.revoke_all(&who("alice")).await.expect("revoked");
    house.advance(1);
    let at = |checked: Option<Timestamp>| {
        let sign_in = match checked {
            Some(at) => sign_in_of("alice").checked_at(at),
            None => sign_in_of("alice").authenticated_at(Timestamp::from_unix_seconds(START)),
        };
        house.ask(get(&[]), move |session| {
            let sign_in = sign_in.clone();
            async move { Ok(session.sign_in(sign_in).await?) }
        })
    };
    let refused = at(Some(checked)).await;
    assert_eq!((refused.status().as_u16(), set_cookie(&refused)), (401, None));
    let passed = at(None).await;
    assert_eq!(
        passed.status(),
        200,
        "an old sign-in elsewhere is no old proof here"
    );
}

/// Ids under an old pepper are found, and get the current one when they are exchanged.
#[tokio::test]
async fn a_new_pepper_signs_nobody_out() {
    let secret =
        |byte: u8| portcullis_core::Secret::new(std::array::from_fn(|at| byte.wrapping_add(at as u8)));
    let pepper = |version: u32| Pepper::new(version, &secret(version as u8)).expect("a pepper");
    let one = Peppers::builder().current(pepper(1)).build().expect("peppers");
    let two = Peppers::builder()
        .current(pepper(2))
        .old(pepper(1))
        .build()
        .expect("peppers");
    let only_two = Peppers::builder().current(pepper(2)).build().expect("peppers");
    let before = house_with(|builder| builder.peppers(one));
    let with = |peppers: Peppers| {
        let mut house = before.clone();
        house.sessions = portcullis_session::Sessions::builder(before.store.clone())
            .clock(before.clock.clone())
            .peppers(peppers)
            .build()
            .expect("settings");
        house.layer = house.sessions.layer();
        house
    };
    let cookie = before.sign_in(sign_in_of("alice")).await;
    let (between, after) = (with(two), with(only_two));
    assert_eq!(between.name_of(&cookie).await.as_deref(), Some("alice"));
    assert_eq!(after.name_of(&cookie).await, None);
    let rotate = |session: Session| async move { Ok(session.rotate().await?) };
    let cookie = set_cookie(&between.ask(get(&[&cookie]), rotate).await).expect("a cookie");
    assert_eq!(after.name_of(&cookie).await.as_deref(), Some("alice"));
    assert_eq!(before.name_of(&cookie).await, None, "no longer under the old one");
}

#[tokio::test]
async fn who_signs_in_and_out_is_told_to_the_audit() {
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = Arc::clone(&told);
    let house = house_with(|builder| {
        builder.audit(move |event: &AuditEvent<'_>| {
            let line = format!("{} {}", event.kind(), event.subject().unwrap_or_default());
            sink.lock().expect("sound").push(line);
        })
    });
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let rotate = |session: Session| async move { Ok(session.rotate().await?) };
    let cookie = set_cookie(&house.ask(get(&[&cookie]), rotate).await).expect("a cookie");
    let bob = |session: Session| async move { Ok(session.sign_in(sign_in_of("bob")).await?) };
    let cookie = set_cookie(&house.ask(get(&[&cookie]), bob).await).expect("a cookie");
    for _ in 0..2 {
        house.ask(get(&[&cookie]), out).await;
    }
    house.sessions.revoke_all(&who("alice")).await.expect("revoked");
    let expected = [
        "signed_in alice",
        "rotated alice",
        "signed_out alice",
        "signed_in bob",
        "signed_out bob",
        "revoked alice",
    ];
    assert_eq!(*told.lock().expect("sound"), expected);
}

/// A handler that gives up in the middle has signed nobody in, and left nobody as they were.
#[tokio::test]
async fn a_sign_in_that_is_dropped_half_way_leaves_everybody_signed_out() {
    let house = house();
    let before = house.sign_in(sign_in_of("bob")).await;
    let gate = house.store.hold("create");
    let answer = house
        .ask(get(&[&before]), |session| async move {
            let mut sign_in = Box::pin(session.sign_in(sign_in_of("alice")));
            tokio::select! {
                biased;
                _ = &mut sign_in => panic!("it waits"),
                () = tokio::task::yield_now() => {}
            }
            drop(sign_in);
            assert_eq!(session.principal().await?, None);
            Ok(())
        })
        .await;
    drop(gate);
    assert!(is_deleted(&answer));
    assert_eq!(house.name_of(&before).await, None);
    assert!(house.store.memory.is_empty());
}
