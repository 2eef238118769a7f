use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{
    AuditEvent, AuditKind, AuditSink, AuthError, Authentication, Decision, Ledger, Principal, Reason, StepUp,
};
use portcullis_test::ManualClock;
use portcullis_tower::TracingAudit;

use crate::wire::{ISSUER, Log};

/// The line about an event, from its level on.
fn line(event: &AuditEvent<'_>) -> String {
    let (log, _guard) = Log::capture();
    TracingAudit::new().record(event);
    let text = log.text();
    let [line] = text.lines().collect::<Vec<_>>()[..] else {
        panic!("one line, not {text:?}");
    };
    let (_, line) = line.trim().split_once(' ').expect("a time");
    line.trim().to_owned()
}

/// ASVS 16.3.1, 16.3.2
#[test]
fn each_kind_of_event_has_its_level() {
    for (kind, level) in [
        (AuditKind::Authenticated, "INFO"),
        (AuditKind::Granted, "INFO"),
        (AuditKind::SignedIn, "INFO"),
        (AuditKind::SignedOut, "INFO"),
        (AuditKind::Rotated, "INFO"),
        (AuditKind::Revoked, "INFO"),
        (AuditKind::Refused, "WARN"),
        (AuditKind::Denied, "WARN"),
        (AuditKind::StepUp, "WARN"),
        (AuditKind::Unavailable, "WARN"),
        (AuditKind::Undecided, "ERROR"),
    ] {
        let expected = format!("{level} portcullis::audit: event=\"{kind}\"");
        assert_eq!(
            line(&AuditEvent::new(kind)),
            expected,
            "what is not known is left out"
        );
    }
}

#[test]
fn the_names_of_fields_are_those_of_the_table() {
    let caller = Authentication::assertion((), portcullis_core::Method::JWT)
        .with_account(Principal::new(ISSUER, "alice"))
        .with_client_id("app");
    let method = http::Method::GET;
    let event = AuditEvent::new(AuditKind::Denied)
        .with_reason(Some("not_hers"))
        .with_need(Some("documents:delete"))
        .with_caller(&caller)
        .with_request(&method, Some("/documents/{id}"))
        .with_elapsed(Duration::from_micros(7));
    assert_eq!(
        line(&event),
        "WARN portcullis::audit: event=\"denied\" reason=\"not_hers\" need=\"documents:delete\" \
         issuer=\"https://issuer.test\" subject=\"alice\" client_id=\"app\" method=\"jwt\" \
         delivery=\"explicit\" http_method=\"GET\" route=\"/documents/{id}\" elapsed_us=7"
    );
}

/// The ledger describes each event so that a sink can tell them apart.
#[test]
fn what_was_decided_is_what_is_told() {
    let clock = ManualClock::default();
    let ledger = Ledger::audited(
        http::Method::GET,
        Arc::new(TracingAudit::new()),
        Arc::new(clock.clone()),
    );
    clock.advance(Duration::from_millis(3));
    let caller = Authentication::assertion((), portcullis_core::Method::API_KEY);
    let (log, _guard) = Log::capture();
    ledger.authenticated(&caller);
    ledger.decided(&Decision::Granted, &caller, None);
    ledger.decided(&Decision::Denied(Reason::new("not_hers")), &caller, None);
    ledger.decided(&Decision::StepUp(StepUp::new()), &caller, None);
    ledger.decided(&Decision::Unavailable, &caller, None);
    ledger.refused(&AuthError::missing_credentials());
    ledger.refused(&AuthError::invalid_credentials("expired"));
    ledger.refused(&AuthError::unavailable("keys_unavailable"));
    let log = log.text();
    let expected = [
        "event=\"authenticated\" method=\"api_key\"",
        "event=\"granted\" method=\"api_key\"",
        "event=\"denied\" reason=\"not_hers\" method=\"api_key\"",
        "event=\"step_up\" method=\"api_key\"",
        "event=\"unavailable\" reason=\"policy_unavailable\" method=\"api_key\"",
        "event=\"refused\" reason=\"missing_credentials\" error=\"missing_credentials\" http_method",
        "event=\"refused\" reason=\"expired\" error=\"invalid_credentials\" http_method",
        "event=\"unavailable\" reason=\"keys_unavailable\" error=\"unavailable\" http_method",
    ];
    assert_eq!(log.lines().count(), expected.len(), "{log}");
    for (line, expected) in log.lines().zip(expected) {
        assert!(line.contains(expected), "{expected}: {line}");
        assert!(line.ends_with("http_method=\"GET\" elapsed_us=3000"), "{line}");
    }
}
