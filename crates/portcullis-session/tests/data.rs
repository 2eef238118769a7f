//! What is kept in a session, and what is lost of it: nothing that somebody else wrote, and everything that is dead.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use portcullis_core::AuthError;
use portcullis_session::{Session, SessionErrorKind};
use support::{get, house, is_deleted, set_cookie, set_cookie_field, sign_in_of};

async fn put(session: Session, name: &'static str, value: u32) -> Result<(), AuthError> {
    Ok(session.insert(name, &value).await?)
}

async fn shows(session: Session, name: &'static str, expected: Option<u32>) -> Result<(), AuthError> {
    assert_eq!(session.get::<u32>(name).await?, expected, "{name}");
    Ok(())
}

/// SE18, CK17, PEERS 34: no record, no cookie and no call before there is something to keep.
#[tokio::test]
async fn asvs_7_6_2_a_session_begins_with_the_first_value_and_not_before() {
    let house = house();
    let answer = house.ask(get(&[]), |session| shows(session, "a", None)).await;
    assert_eq!((answer.status().as_u16(), set_cookie(&answer)), (200, None));
    assert!(house.store.calls().is_empty());
    let answer = house.ask(get(&[]), |session| put(session, "a", 1)).await;
    let cookie = set_cookie(&answer).expect("a cookie");
    assert_eq!(answer.headers()["cache-control"], "no-store", "SE14");
    assert_eq!(house.store.calls(), ["create"]);
    let answer = house
        .ask(get(&[&cookie]), |session| shows(session, "a", Some(1)))
        .await;
    assert_eq!((answer.status().as_u16(), set_cookie_field(&answer)), (200, None));
    assert_eq!(house.store.calls(), ["load"]);
    assert_eq!(answer.headers()["vary"], "cookie");
    assert_eq!(answer.headers()["cache-control"], "private");
}

#[tokio::test]
async fn a_request_that_asks_nothing_costs_nothing() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    house.store.calls();
    let answer = house.ask(get(&[&cookie]), |_| async { Ok(()) }).await;
    assert!(house.store.calls().is_empty() && answer.headers().is_empty());
    let twice = |session: Session| async move {
        shows(session.clone(), "a", None).await?;
        shows(session, "b", None).await
    };
    house.ask(get(&[&cookie]), twice).await;
    assert_eq!(house.store.calls(), ["load"], "SE18: once per request");
    let unchanged = |session: Session| async move {
        session.remove("a").await?;
        Ok(session.save().await?)
    };
    house.ask(get(&[&cookie]), unchanged).await;
    assert_eq!(house.store.calls(), ["load"], "SE18: written only when changed");
}

#[tokio::test]
async fn values_are_read_as_they_were_changed_in_the_same_request() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let changes = |session: Session| async move {
        put(session.clone(), "a", 1).await?;
        put(session.clone(), "a", 2).await?;
        shows(session.clone(), "a", Some(2)).await?;
        session.remove("a").await?;
        shows(session.clone(), "a", None).await?;
        put(session.clone(), "b", 3).await?;
        session.clear().await?;
        shows(session.clone(), "b", None).await?;
        put(session, "c", 4).await
    };
    assert_eq!(house.ask(get(&[&cookie]), changes).await.status(), 200);
    let all = |session: Session| async move {
        shows(session.clone(), "a", None).await?;
        shows(session.clone(), "b", None).await?;
        shows(session.clone(), "c", Some(4)).await?;
        let wrong = session.get::<String>("c").await.expect_err("a number");
        assert_eq!(wrong.kind(), SessionErrorKind::Value);
        assert!(!format!("{wrong:?}").contains('4'));
        Ok(())
    };
    assert_eq!(house.ask(get(&[&cookie]), all).await.status(), 200);
}

#[tokio::test]
async fn a_flash_is_read_once() {
    let house = house();
    let answer = house
        .ask(get(&[]), |session| async move {
            Ok(session.flash("notice", "saved").await?)
        })
        .await;
    let cookie = set_cookie(&answer).expect("a cookie");
    for expected in [Some("saved"), None] {
        let taken = move |session: Session| async move {
            let notice = session.take_flash::<String>("notice").await?;
            assert_eq!(notice.as_deref(), expected);
            assert_eq!(session.get::<String>("notice").await?, None);
            Ok(())
        };
        assert_eq!(house.ask(get(&[&cookie]), taken).await.status(), 200);
    }
}

/// R10: two requests write different values; the slower one does its change again, to what the other left.
#[tokio::test]
async fn r10_parallel_writes_of_different_values_are_both_kept() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let mut gate = house.store.hold("replace");
    let slow = house.ask(get(&[&cookie]), |session| put(session, "slow", 1));
    let fast = async {
        gate.reached().await;
        assert_eq!(
            house
                .ask(get(&[&cookie]), |session| put(session, "fast", 2))
                .await
                .status(),
            200
        );
        gate.open();
    };
    let (slow, ()) = tokio::join!(slow, fast);
    assert_eq!(slow.status(), 200);
    let both = |session: Session| async move {
        shows(session.clone(), "slow", Some(1)).await?;
        shows(session, "fast", Some(2)).await
    };
    assert_eq!(house.ask(get(&[&cookie]), both).await.status(), 200);
}

#[tokio::test]
async fn of_two_writes_of_one_value_the_later_one_stays() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let mut gate = house.store.hold("replace");
    let slow = house.ask(get(&[&cookie]), |session| put(session, "a", 1));
    let fast = async {
        gate.reached().await;
        house.ask(get(&[&cookie]), |session| put(session, "a", 2)).await;
        gate.open();
    };
    tokio::join!(slow, fast);
    house
        .ask(get(&[&cookie]), |session| shows(session, "a", Some(1)))
        .await;
}

/// T-SESS-1, R9, SE9: signed out while a request is under way; its late save brings nothing back, and says so.
#[tokio::test]
async fn t_sess_1_a_late_save_does_not_bring_a_session_back() {
    for explicitly in [false, true] {
        let house = house();
        let cookie = house.sign_in(sign_in_of("alice")).await;
        let mut gate = house.store.hold("replace");
        let slow = house.ask(get(&[&cookie]), move |session| async move {
            put(session.clone(), "a", 1).await?;
            if explicitly {
                let late = session.save().await.expect_err("it has ended");
                assert_eq!(late.kind(), SessionErrorKind::Ended);
                assert_eq!(session.get::<u32>("a").await?, None);
                put(session.clone(), "b", 1).await?;
                assert_eq!(
                    session.save().await.expect_err("still").kind(),
                    SessionErrorKind::Ended
                );
            }
            Ok(())
        });
        let out = async {
            gate.reached().await;
            let out = |session: Session| async move { Ok(session.sign_out().await?) };
            assert!(is_deleted(&house.ask(get(&[&cookie]), out).await));
            gate.open();
        };
        let (slow, ()) = tokio::join!(slow, out);
        assert!(is_deleted(&slow), "the browser is told");
        assert!(house.store.memory.is_empty());
        assert_eq!(house.name_of(&cookie).await, None);
    }
}

#[tokio::test]
async fn a_session_that_is_too_large_is_refused_and_one_that_just_fits_is_not() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let fill = |length: usize| {
        let filled = move |session: Session| async move {
            session.insert("a", &"x".repeat(length)).await?;
            Ok(session.save().await?)
        };
        house.ask(get(&[&cookie]), filled)
    };
    assert_eq!(fill(65_000).await.status(), 200);
    assert_eq!(fill(65_530).await.status(), 500, "with all else it is too long");
    assert_eq!(fill(70_000).await.status(), 500, "by itself it is too long");
    house
        .ask(get(&[&cookie]), |session| async move {
            assert_eq!(session.get::<String>("a").await?.map(|a| a.len()), Some(65_000));
            let long = session
                .insert(&"n".repeat(256), &1)
                .await
                .expect_err("a long name");
            assert_eq!(long.kind(), SessionErrorKind::TooLarge);
            Ok(())
        })
        .await;
}

/// T-ERR-1, SE18: what could not be written is not claimed to be.
#[tokio::test]
async fn an_answer_whose_changes_could_not_be_written_is_replaced_by_503() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let put_one = |session: Session| put(session, "a", 1);
    for (verb, cookies) in [
        ("replace", vec![cookie.as_str()]),
        ("load", vec![cookie.as_str()]),
        ("create", vec![]),
    ] {
        house.store.fail(&[verb]);
        let answer = house.ask(get(&cookies), put_one).await;
        assert_eq!(answer.status(), 503, "{verb}");
        assert!(answer.headers().contains_key("retry-after"));
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(set_cookie_field(&answer), None);
        house.store.fail(&[]);
        assert_eq!(house.ask(get(&cookies), put_one).await.status(), 200, "{verb}");
    }
}

#[tokio::test]
async fn a_save_gives_up_when_others_are_always_faster() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    let slow = house.ask(get(&[&cookie]), |session| put(session, "slow", 1));
    let fast = async {
        for number in 0.. {
            let mut gate = house.store.hold("replace");
            gate.reached().await;
            // Straight into memory: the scripted store holds the slow one's next attempt only.
            let owner = portcullis_store::Owner::new("16:https://app.testalice").expect("an owner");
            let kind = portcullis_store::Kind::new("session");
            let memory = &house.store.memory;
            let found = portcullis_store::RecordStore::list_owned_by(memory, kind, &owner)
                .await
                .expect("memory");
            let record = &found[0];
            let with = portcullis_store::Replacement::new(record.payload().clone());
            portcullis_store::RecordStore::replace(memory, record.key(), record.version(), with)
                .await
                .expect("replaced");
            gate.open();
            if number > 100 {
                break;
            }
        }
    };
    let slow = tokio::select! {
        biased;
        () = fast => panic!("it never gave up"),
        slow = slow => slow,
    };
    assert_eq!(slow.status(), 503);
    house
        .ask(get(&[&cookie]), |session| shows(session, "slow", None))
        .await;
}

/// RFC 9110 §9.3.2: what answers HEAD has no content, also in place of another answer.
#[tokio::test]
async fn a_replaced_answer_to_head_has_no_content() {
    let house = house();
    let cookie = house.sign_in(sign_in_of("alice")).await;
    house.store.fail(&["replace"]);
    for (method, is_empty) in [(http::Method::HEAD, true), (http::Method::GET, false)] {
        let mut request = get(&[&cookie]);
        *request.method_mut() = method;
        let answer = house.ask(request, |session| put(session, "a", 1)).await;
        assert_eq!(
            (answer.status().as_u16(), answer.body().is_empty()),
            (503, is_empty)
        );
    }
}
