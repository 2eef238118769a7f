use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use super::*;
use crate::{AuthErrorKind, Challenge, Method, Scheme, Scopes};

fn challenges() -> Challenges {
    Challenges::new([Challenge::new(Scheme::BEARER).realm("test").expect("realm")]).expect("challenges")
}

fn alice() -> Arc<Authentication<()>> {
    let scopes = Scopes::parse("documents:read").expect("scopes");
    Arc::new(Authentication::assertion((), Method::JWT).with_scopes(scopes))
}

/// Polls once.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn ready<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("not ready"),
    }
}

#[test]
fn a_decided_outcome_is_ready_at_once() {
    let known = Outcome::authenticated(alice(), challenges());
    assert!(ready(known.require()).is_ok());
    let anonymous = Outcome::<()>::anonymous(challenges());
    assert!(matches!(anonymous.now(), Some(Ok(None))));
    let refused = ready(anonymous.require()).expect_err("anonymous");
    assert_eq!(refused.kind(), AuthErrorKind::MissingCredentials);
    assert!(refused.challenges().is_some());
}

#[test]
fn on_demand_nothing_is_decided_until_somebody_asks_and_then_once() {
    let checks = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&checks);
    let check = async move {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Some(alice()))
    };
    let outcome = Outcome::on_demand(check, challenges());
    let before = outcome.decide();
    assert!(outcome.now().is_none());
    assert_eq!(checks.load(Ordering::SeqCst), 0);
    let first = ready(outcome.require()).expect("alice");
    let again = outcome.clone();
    let again = ready(again.require()).expect("alice");
    assert!(Arc::ptr_eq(&first, &again));
    assert!(outcome.now().is_some());
    assert!(ready(before).is_ok());
    assert_eq!(checks.load(Ordering::SeqCst), 1);
    assert!(matches!(outcome.now(), Some(Ok(Some(_)))));
}

#[test]
fn a_check_that_one_asker_gave_up_goes_on_for_the_other() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let check = std::future::poll_fn(move |cx| {
        if receiver.try_recv().is_err() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Err(AuthError::unavailable("store_down")))
    });
    let outcome = Outcome::<()>::on_demand(check, challenges());
    {
        let mut first = pin!(outcome.decide());
        assert!(poll(first.as_mut()).is_pending());
    }
    sender.send(()).expect("received");
    let refused = ready(outcome.require()).expect_err("down");
    assert_eq!(refused.kind(), AuthErrorKind::Unavailable);
    let again = ready(outcome.require()).expect_err("the same verdict");
    assert_eq!(again.reason(), "store_down");
}

#[test]
fn debug_shows_how_and_not_who() {
    let known = Outcome::authenticated(
        Arc::new(Authentication::assertion("hunter2", Method::JWT)),
        challenges(),
    );
    assert!(!format!("{known:?}").contains("hunter2"));
    let pending = Outcome::<()>::on_demand(std::future::pending(), challenges());
    assert!(format!("{pending:?} {:?}", pending.decide()).contains("None"));
}

/// A check that is asked twice before it answers.
fn slow(checks: &Arc<AtomicUsize>) -> impl Future<Output = Decided<()>> + Send + 'static {
    let (count, mut asked) = (Arc::clone(checks), false);
    std::future::poll_fn(move |cx| {
        if !std::mem::replace(&mut asked, true) {
            count.fetch_add(1, Ordering::SeqCst);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(Some(alice())))
    })
}

/// Who asked first went away, or never asks again: whoever comes next is not left waiting.
#[test]
fn a_check_that_its_first_asker_gave_up_goes_on_with_the_next() {
    for dropped in [true, false] {
        let checks = Arc::new(AtomicUsize::new(0));
        let outcome = Outcome::on_demand(slow(&checks), challenges());
        let mut first = Box::pin(outcome.decide());
        assert!(poll(first.as_mut()).is_pending());
        assert!(outcome.now().is_none());
        let kept = (!dropped).then_some(first);
        assert!(ready(outcome.require()).is_ok());
        assert!(matches!(outcome.now(), Some(Ok(Some(_)))));
        assert_eq!(checks.load(Ordering::SeqCst), 1);
        if let Some(mut first) = kept {
            assert!(poll(first.as_mut()).is_ready(), "and neither is the first");
            assert!(poll(first.as_mut()).is_pending(), "once");
        }
    }
}

/// Nobody waits any more: what the check holds is given back.
#[test]
fn a_check_that_nobody_waits_for_ends_with_the_last_outcome() {
    let held = Arc::new(());
    let check = {
        let held = Arc::clone(&held);
        async move {
            std::future::pending::<()>().await;
            drop(held);
            Ok(None::<Arc<Authentication<()>>>)
        }
    };
    let outcome = Outcome::on_demand(check, challenges());
    let again = outcome.clone();
    let mut waiting = Box::pin(outcome.decide());
    assert!(poll(waiting.as_mut()).is_pending());
    drop((outcome, waiting));
    assert_eq!(Arc::strong_count(&held), 2);
    drop(again);
    assert_eq!(Arc::strong_count(&held), 1);
}

/// A check that panics is a fault of the program, for everybody who asks, and ends no other request: the layer
/// looks at the verdict once more on the way out.
#[test]
fn a_check_that_panics_is_answered_as_a_fault_to_everybody() {
    let check = async { panic!("in the check") };
    let outcome = Outcome::<()>::on_demand(check, challenges());
    for _ in 0..2 {
        let error = ready(outcome.require()).expect_err("a fault");
        assert_eq!(
            (error.kind(), error.reason()),
            (AuthErrorKind::Misconfigured, "check_panicked")
        );
    }
    assert!(matches!(outcome.now(), Some(Err(_))));
    assert!(format!("{outcome:?}").contains("Misconfigured"));
}

#[test]
fn an_outcome_may_yet_be_asked_while_somebody_else_holds_it() {
    let on_demand = || Outcome::on_demand(std::future::ready(Ok(Some(alice()))), challenges());
    let outcome = on_demand();
    assert!(!outcome.may_yet_be_asked());
    let clone = outcome.clone();
    assert!(outcome.may_yet_be_asked());
    drop(clone);
    assert!(!outcome.may_yet_be_asked());
    let decide = outcome.decide();
    assert!(outcome.may_yet_be_asked());
    assert!(ready(decide).is_ok());
    assert!(!outcome.may_yet_be_asked(), "they know, and it can be seen");
    let decided = Outcome::<()>::anonymous(challenges());
    let _clone = decided.clone();
    assert!(!decided.may_yet_be_asked());
}
