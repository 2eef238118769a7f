use std::future::{Ready, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use http::Request;
use http::request::Parts;

use super::*;
use crate::{
    AuthErrorKind, AuthenticateRequest, Challenge, Challenges, Delivery, Method, Presence, Roles, Scheme,
    Timestamp,
};

/// Finds `alice`, or whatever it was told.
struct Told {
    verdict: fn() -> Verdict<&'static str>,
    challenges: Challenges,
}

fn told(verdict: fn() -> Verdict<&'static str>) -> Told {
    let challenge = Challenge::new(Scheme::BEARER).realm("test").expect("realm");
    Told {
        verdict,
        challenges: Challenges::new([challenge]).expect("challenges"),
    }
}

fn found() -> Verdict<&'static str> {
    let evidence = Authentication::assertion("alice", Method::JWT)
        .with_scheme(Scheme::BEARER)
        .with_roles(["admin"].into_iter().collect::<Roles>())
        .with_expires_at(Timestamp::from_unix_seconds(7));
    Ok(Some(evidence))
}

fn found_by_cookie() -> Verdict<&'static str> {
    found().map(|found| found.map(|evidence| evidence.with_delivery(Delivery::Ambient)))
}

fn refused() -> Verdict<&'static str> {
    Err(AuthError::invalid_credentials("expired"))
}

impl AuthenticateRequest for Told {
    type Principal = &'static str;
    type Future = Ready<Verdict<&'static str>>;

    fn presence(&self, _: &Parts) -> Presence {
        Presence::Present(Delivery::Explicit)
    }

    fn authenticate_request(&self, _: &Parts) -> Self::Future {
        ready((self.verdict)())
    }

    fn challenges(&self) -> &Challenges {
        &self.challenges
    }
}

fn check<A: AuthenticateRequest>(method: &A) -> Verdict<A::Principal> {
    let parts = Request::new(()).into_parts().0;
    assert_eq!(method.presence(&parts), Presence::Present(Delivery::Explicit));
    assert_eq!(method.challenges().iter().count(), 1);
    assert_eq!(method.inspected_headers(), ["authorization"]);
    let mut future: Pin<&mut A::Future> = pin!(method.authenticate_request(&parts));
    loop {
        if let Poll::Ready(verdict) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return verdict;
        }
    }
}

fn kept<P>(evidence: &Authentication<P>) {
    assert!(evidence.roles().contains("admin"));
    assert_eq!(evidence.expires_at(), Some(Timestamp::from_unix_seconds(7)));
}

#[test]
fn a_loaded_user_takes_the_place_of_the_principal_and_the_evidence_stays() {
    let method = told(found).load(|name: &'static str| {
        let mut asked = false;
        std::future::poll_fn(move |cx| {
            if !std::mem::replace(&mut asked, true) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(Ok::<_, AuthError>(Some(name.len())))
        })
    });
    let found = check(&method).expect("verdict").expect("found");
    assert_eq!(found.principal(), &5);
    kept(&found);
}

/// T-ERR-1: an unknown user is refused, an outage is no refusal of the credentials.
#[test]
fn an_unknown_user_is_401_and_an_outage_503() {
    let unknown = |_: &'static str| ready(Ok::<Option<u8>, AuthError>(None));
    let error = check(&told(found).load(unknown)).expect_err("unknown");
    assert_eq!(
        (error.kind(), error.reason()),
        (AuthErrorKind::InvalidCredentials, "unknown_user")
    );
    assert_eq!(error.scheme(), Some(&Scheme::BEARER));
    let left_over = check(&told(found_by_cookie).load(unknown)).expect("no error");
    assert!(left_over.is_none(), "an ambient left-over is anonymous");

    let down = |_: &'static str| ready(Err::<Option<u8>, _>("the database is down"));
    for verdict in [found, found_by_cookie] {
        let error = check(&told(verdict).load(down)).expect_err("down");
        assert_eq!(error.kind(), AuthErrorKind::Unavailable);
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[test]
fn map_exchanges_the_principal_alone() {
    let mapped = check(&told(found).map(str::len))
        .expect("verdict")
        .expect("found");
    assert_eq!(mapped.principal(), &5);
    kept(&mapped);
}

#[test]
fn and_then_has_the_last_word() {
    let deny = |_: Authentication<&'static str>| {
        ready(Err::<Option<Authentication<()>>, _>(AuthError::denied("no")))
    };
    assert_eq!(
        check(&told(found).and_then(deny)).expect_err("denied").kind(),
        AuthErrorKind::Denied
    );
    let shorten = |evidence: Authentication<&'static str>| {
        ready(Ok(Some(
            evidence.with_expires_at(Timestamp::from_unix_seconds(1)),
        )))
    };
    let found = check(&told(found).and_then(shorten))
        .expect("verdict")
        .expect("found");
    assert_eq!(found.expires_at(), Some(Timestamp::from_unix_seconds(1)));
}

#[test]
fn what_was_refused_inside_is_never_looked_at_again() {
    let never = |_: &'static str| -> Ready<Result<Option<u8>, AuthError>> { panic!("loaded") };
    assert_eq!(
        check(&told(refused).load(never)).expect_err("refused").reason(),
        "expired"
    );
    assert!(check(&told(|| Ok(None)).load(never)).expect("nobody").is_none());
    let never = |_: Authentication<&'static str>| -> Ready<Verdict<u8>> { panic!("asked") };
    assert!(check(&told(refused).and_then(never)).is_err());
    assert!(check(&told(refused).map(str::len)).is_err());
}

/// As `poll` promises: neither the check nor the load is asked again.
#[test]
fn a_load_that_is_polled_after_it_was_ready_stays_pending() {
    async fn length(name: &'static str) -> Result<Option<usize>, AuthError> {
        Ok(Some(name.len()))
    }
    let parts = Request::new(()).into_parts().0;
    let mut cx = Context::from_waker(Waker::noop());
    for verdict in [found, refused, || Ok(None)] {
        let method = told(verdict).load(length);
        let mut future = pin!(method.authenticate_request(&parts));
        assert!(future.as_mut().poll(&mut cx).is_ready());
        for _ in 0..2 {
            assert!(future.as_mut().poll(&mut cx).is_pending());
        }
    }
}

/// A request that goes away while its user is loaded takes the load with it.
#[test]
fn a_load_that_is_given_up_half_way_is_dropped() {
    let held = std::sync::Arc::new(());
    let loading = std::sync::Arc::clone(&held);
    let method = told(found).load(move |_: &'static str| {
        let loading = std::sync::Arc::clone(&loading);
        async move {
            std::future::pending::<()>().await;
            drop(loading);
            Ok::<Option<u8>, AuthError>(None)
        }
    });
    let parts = Request::new(()).into_parts().0;
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = Box::pin(method.authenticate_request(&parts));
    assert!(future.as_mut().poll(&mut cx).is_pending());
    assert_eq!(std::sync::Arc::strong_count(&held), 3);
    drop(future);
    assert_eq!(std::sync::Arc::strong_count(&held), 2);
}
