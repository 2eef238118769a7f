//! Who is checked now, who waits, who is turned away. The one thread that hashes is held up, so that nothing
//! depends on how fast it is.

use std::sync::mpsc::{Sender, channel};

use axum::Router;
use basic_example::{Limits, Passwords, users};
use http::Request;
use portcullis::AuthErrorKind::{Denied, InvalidRequest, Unavailable};
use portcullis_test::{assert_refused, assert_status};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, spawn_blocking, yield_now};

use crate::support::{ALICE, app, basic, encoded, get, send};

/// A runtime with one thread for hashing.
fn runtime() -> Runtime {
    Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .expect("a runtime")
}

/// Holds that thread up until the sender is dropped.
fn hold_up() -> Sender<()> {
    let (held, release) = channel::<()>();
    drop(spawn_blocking(move || release.recv()));
    held
}

/// Begins a request, and goes on when it waits.
async fn begin(app: &Router, user: (&str, &str)) -> JoinHandle<http::Response<String>> {
    let request = tokio::spawn(send(app.clone(), get("/me", &basic(user))));
    for _ in 0..8 {
        yield_now().await;
    }
    request
}

#[test]
fn limits_that_let_nobody_through_are_a_mistake_in_the_configuration() {
    let with = |running| {
        Passwords::new(
            users(),
            Limits {
                running,
                waiting: usize::MAX,
            },
        )
    };
    assert!(with(0).is_err());
    assert!(with(1).is_ok() && with(usize::MAX).is_ok());
}

#[test]
fn one_runs_one_waits_and_the_third_is_turned_away() {
    runtime().block_on(async {
        let app = app(Limits {
            running: 1,
            waiting: 1,
        });
        let held = hold_up();
        let first = begin(&app, ALICE).await;
        let second = begin(&app, ALICE).await;
        assert!(!first.is_finished() && !second.is_finished());

        let third = send(app.clone(), get("/me", &basic(ALICE))).await;
        let refusal = assert_refused(&third, Unavailable);
        assert_eq!(refusal.retry_after(), Some(1));
        // What needs no hash is answered all the same.
        assert_status(&send(app.clone(), Request::get("/")).await, 200);
        assert_refused(
            &send(app.clone(), get("/me", &encoded("x"))).await,
            InvalidRequest,
        );

        drop(held);
        for waiting in [first, second] {
            assert_status(&waiting.await.expect("no panic"), 200);
        }
        assert_status(&send(app, get("/me", &basic(ALICE))).await, 200);
    });
}

#[test]
fn whoever_hangs_up_makes_no_room_until_the_work_is_done() {
    runtime().block_on(async {
        let app = app(Limits {
            running: 1,
            waiting: 0,
        });
        let held = hold_up();
        let impatient = begin(&app, ALICE).await;
        impatient.abort();
        assert!(impatient.await.is_err_and(|error| error.is_cancelled()));
        let other = send(app.clone(), get("/me", &basic(ALICE))).await;
        assert_refused(&other, Unavailable);

        drop(held);
        // Behind the work, on the same thread.
        spawn_blocking(|| ()).await.expect("no panic");
        assert_status(&send(app, get("/me", &basic(ALICE))).await, 200);
    });
}

/// Whoever waits and hangs up has not begun: their place is free at once.
#[test]
fn whoever_hangs_up_while_waiting_makes_room() {
    runtime().block_on(async {
        let app = app(Limits {
            running: 1,
            waiting: 1,
        });
        let held = hold_up();
        let first = begin(&app, ALICE).await;
        let impatient = begin(&app, ALICE).await;
        impatient.abort();
        assert!(impatient.await.is_err());
        let next = begin(&app, ALICE).await;
        assert!(!next.is_finished());
        drop(held);
        for waiting in [first, next] {
            assert_status(&waiting.await.expect("no panic"), 200);
        }
    });
}

#[test]
fn an_unknown_user_is_hashed_for_as_well_and_a_forged_request_is_not() {
    runtime().block_on(async {
        let app = app(Limits::default());
        let held = hold_up();
        let known = begin(&app, ("alice", "wrong")).await;
        let unknown = begin(&app, ("mallory", "wrong")).await;
        assert!(!known.is_finished() && !unknown.is_finished());
        let forged = Request::post("/notes")
            .header("authorization", basic(ALICE))
            .header("sec-fetch-site", "cross-site");
        assert_refused(&send(app, forged).await, Denied);

        drop(held);
        for refused in [known, unknown] {
            assert_status(&refused.await.expect("no panic"), 401);
        }
    });
}
