use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use portcullis::core::{Method, StepUp, Timestamp};
use portcullis::{Authentication, Challenges, SignedIn};
use tonic::Code;

use super::*;

fn text(status: &Status, name: &str) -> Option<String> {
    let value = status.metadata().get(name)?;
    Some(value.to_str().expect("ascii").to_owned())
}

#[test]
fn every_kind_of_refusal_has_the_code_of_the_wire_table() {
    let second = Duration::from_secs(1);
    for (error, code) in [
        (AuthError::missing_credentials(), Code::Unauthenticated),
        (AuthError::invalid_request("x"), Code::Unauthenticated),
        (AuthError::invalid_credentials("x"), Code::Unauthenticated),
        (AuthError::step_up_required(StepUp::new()), Code::Unauthenticated),
        (AuthError::insufficient_scope("x"), Code::PermissionDenied),
        (AuthError::denied("x"), Code::PermissionDenied),
        (AuthError::throttled(second), Code::ResourceExhausted),
        (AuthError::unavailable("x"), Code::Unavailable),
        (AuthError::misconfigured("x"), Code::Internal),
    ] {
        let status = status(error.clone());
        // A wiring fault looks like any other internal error.
        let shown = error.to_string();
        let message = if code == Code::Internal {
            "internal error"
        } else {
            &*shown
        };
        assert_eq!((status.code(), status.message()), (code, message));
        assert_eq!(text(&status, "cache-control").as_deref(), Some("no-store"));
    }
}

#[test]
fn only_a_refusal_that_passes_says_how_long_to_wait() {
    let wait = |error| text(&status(error), "grpc-retry-pushback-ms");
    let throttled = AuthError::throttled(Duration::from_millis(1_500));
    assert_eq!(wait(throttled.clone()).as_deref(), Some("1500"));
    assert_eq!(wait(AuthError::unavailable("x")).as_deref(), Some("5000"));
    assert_eq!(wait(AuthError::denied("x")), None);
    assert_eq!(text(&status(throttled), "retry-after"), None, "HTTP's own field");
}

#[test]
fn neither_reason_nor_cause_reaches_the_client() {
    let status = status(AuthError::unavailable("hunter2").with_source("hunter2"));
    assert!(!format!("{status:?}").contains("hunter2"));
}

/// T-WIRE-1: nobody has authenticated, which is not the same as "anonymous".
#[tokio::test]
async fn a_handler_outside_the_layer_refuses_everybody() {
    let refused = Caller::with::<SignedIn>(&Extensions::new()).await;
    assert_eq!(refused.expect_err("no layer").code(), Code::Internal);
}

fn caller(expires_at: Option<Timestamp>) -> Caller {
    let alice = Authentication::assertion(Principal::new("https://issuer.test", "alice"), Method::JWT);
    let challenge = portcullis::Challenge::new(portcullis::Scheme::BEARER).realm("api");
    let evidence = Arc::new(match expires_at {
        Some(at) => alice.with_expires_at(at),
        None => alice,
    });
    Caller(core::Caller::new(
        evidence,
        Challenges::new(challenge).expect("a challenge"),
    ))
}

#[tokio::test]
async fn a_stream_that_ends_by_itself_ends_well_and_one_whose_caller_is_gone_does_not_begin() {
    let items = || stream::iter([1, 2]).map(Ok);
    let all: Vec<_> = caller(None).while_valid(items()).collect().await;
    assert!(matches!(all[..], [Ok(1), Ok(2)]));

    let expired = caller(Some(Timestamp::from_unix_seconds(1)));
    let all: Vec<_> = expired.while_valid(items()).collect().await;
    let [Err(status)] = &all[..] else {
        panic!("{all:?}");
    };
    assert_eq!(status.code(), Code::Unauthenticated);
    assert!(status.metadata().is_empty(), "{status:?}");
}
