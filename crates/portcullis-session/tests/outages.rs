//! The store fails at each of its calls, once: nobody is let in, nothing is claimed, and another try works.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // Tests, and what helps them.

mod support;

use portcullis_core::AuthError;
use portcullis_session::{AtMost, Session};
use support::{get, house_with, set_cookie, sign_in_of, who};

const VERBS: [&str; 7] = ["load", "touch", "take", "create", "replace", "delete", "list"];

#[derive(Clone, Copy, Debug)]
enum Act {
    Write,
    SignIn,
    StepUp,
    Rotate,
    Renew,
    SignOut,
}

async fn act(session: Session, act: Act) -> Result<(), AuthError> {
    match act {
        Act::Write => session.insert("a", &1).await?,
        Act::SignIn => session.sign_in(sign_in_of("alice")).await?,
        Act::StepUp => session.step_up("otp").await?,
        Act::Rotate => session.rotate().await?,
        Act::Renew => drop(session.principal().await?),
        Act::SignOut => session.sign_out().await?,
    }
    Ok(())
}

/// T-ERR-1: of every act and every call it makes, the one at `number` fails. An answer that says yes is true; after one that
/// says no, at most one session of the user is left, and the same cookie, or the new one, says who is signed in, or nobody.
#[tokio::test]
async fn an_answer_that_says_yes_is_true_whatever_fails() {
    for what in [
        Act::Write,
        Act::SignIn,
        Act::StepUp,
        Act::Rotate,
        Act::Renew,
        Act::SignOut,
    ] {
        for verb in VERBS {
            let house = house_with(|builder| builder.at_most(AtMost::oldest_out(3)));
            let cookie = house.sign_in(sign_in_of("alice")).await;
            house.advance(24 * 3600 - 60);
            house.name_of(&cookie).await;
            house.advance(if matches!(what, Act::Renew) { 60 } else { 59 });
            house.store.fail(&[verb]);
            let answer = house
                .ask(get(&[&cookie]), move |session| act(session, what))
                .await;
            house.store.fail(&[]);
            let place = format!("{what:?} {verb}");
            let is_done = answer.status() == 200;
            assert!(is_done || answer.status() == 503, "{place}");
            let is_told = answer.headers().contains_key("set-cookie");
            let now = match (set_cookie(&answer), is_told) {
                (Some(new), _) => Some(new),
                (None, true) => None,
                (None, false) => Some(cookie.clone()),
            };
            let name = match &now {
                Some(cookie) => house.name_of(cookie).await,
                None => None,
            };
            match (what, is_done) {
                (Act::SignOut, true) => {
                    assert_eq!((name, house.name_of(&cookie).await), (None, None), "{place}");
                    assert!(
                        house
                            .sessions
                            .list(&who("alice"))
                            .await
                            .expect("listed")
                            .is_empty()
                    );
                }
                (Act::SignOut, false) => assert!(!is_told, "{place}: for another try"),
                (Act::SignIn | Act::StepUp | Act::Rotate, true) => {
                    assert_eq!(name.as_deref(), Some("alice"), "{place}");
                    assert_eq!(house.name_of(&cookie).await, None, "{place}");
                }
                (Act::Write | Act::Renew, _) => assert_eq!(name.as_deref(), Some("alice"), "{place}"),
                (_, false) => assert_eq!(set_cookie(&answer), None, "{place}"),
            }
        }
    }
}
