//! The layer outside decides when the gate asks.

use axum::Router;
use http::Method;
use portcullis_axum::gate::{Gate, get};
use portcullis_core::{AuthError, AuthErrorKind, Decided, Ledger, Outcome, Principal, SignedIn, Standing};
use portcullis_test::{assert_refused, assert_status};
use tokio::sync::oneshot;

use super::*;

fn app() -> Router {
    Gate::<(), Principal>::new()
        .public("/open", get(async || "open"))
        .guarded("/documents", get(async || "documents").needs::<Reads>())
        .guarded("/signed-in", get(async || "hello").needs::<SignedIn>())
        .into_router()
}

/// A request whose verdict comes when the sender says so.
fn undecided(path: &str) -> (Request<Body>, oneshot::Sender<Decided<Principal>>) {
    let (sender, receiver) = oneshot::channel();
    let check = async { receiver.await.expect("a verdict") };
    let mut request = request(Method::GET, path, None);
    let outcome = Outcome::<Principal>::on_demand(check, challenges());
    request.extensions_mut().insert(outcome);
    (request, sender)
}

fn verdict(scope: &str) -> Decided<Principal> {
    Ok(Some(alice().scope(scope).authentication().into()))
}

#[tokio::test]
async fn a_guarded_method_waits_for_the_verdict_and_judges_it() {
    let app = app();
    let verdicts = [
        (verdict(Read::NAME), None),
        (verdict("other"), Some(AuthErrorKind::InsufficientScope)),
        (Ok(None), Some(AuthErrorKind::MissingCredentials)),
        (
            Err(AuthError::unavailable("store_down")),
            Some(AuthErrorKind::Unavailable),
        ),
    ];
    for (verdict, refused) in verdicts {
        let (mut request, sender) = undecided("/documents");
        let ledger = Ledger::new(Method::GET);
        request.extensions_mut().insert(ledger.clone());
        let mut answer = Box::pin(send(&app, request));
        assert!(futures_poll(&mut answer).is_none());
        assert_eq!(ledger.standing(), Standing::Undecided);
        assert_eq!(ledger.route(), Some("/documents"));
        sender.send(verdict).expect("somebody waits");
        let answer = answer.await;
        match refused {
            None => {
                assert_status(&answer, 200);
                assert_eq!(ledger.standing(), Standing::Granted);
                assert_eq!(text(answer).await, "documents");
            }
            Some(kind) => {
                assert_refused(&answer, kind);
            }
        }
    }
}

#[tokio::test]
async fn a_public_method_does_not_ask() {
    let (request, _unsent) = undecided("/open");
    assert_status(&send(&app(), request).await, 200);
}

#[tokio::test]
async fn a_verdict_that_is_there_already_is_not_waited_for() {
    let app = app();
    let (request, sender) = undecided("/signed-in");
    sender.send(verdict("")).expect("somebody waits");
    let outcome = Outcome::<Principal>::of(request.extensions()).expect("an outcome");
    assert!(outcome.decide().await.is_ok());
    let mut answer = Box::pin(send(&app, request));
    assert_status(&futures_poll(&mut answer).expect("at once"), 200);
}

/// What it has by now.
fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}
