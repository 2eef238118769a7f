//! What Cedar's answers mean.

use std::sync::Arc;

use portcullis_cedar::{CedarAction, CedarEntity, CedarPolicies};
use portcullis_core::policy::{all, any, not};
use portcullis_core::{
    AuthErrorKind, Authentication, Caller, Challenge, Challenges, Decision, Guarded, Policy, Principal,
    Reason, Scheme,
};

use crate::support::{PERMIT, SCHEMA, Thing, decide, denied, person, policies};

#[test]
fn what_a_policy_permits_is_granted_and_what_none_permits_is_denied() {
    assert_eq!(decide(PERMIT), Decision::Granted);
    assert_eq!(
        decide("permit (principal, action, resource) when { resource.owner != principal };"),
        denied("cedar_denied")
    );
}

#[test]
fn what_a_policy_forbids_is_denied_whatever_another_permits() {
    let forbid = |when: &str| format!("{PERMIT} forbid (principal, action, resource) when {{ {when} }};");
    assert_eq!(decide(&forbid("resource.size > 3")), Decision::Granted);
    assert_eq!(decide(&forbid("resource.size > 2")), denied("cedar_forbidden"));
}

/// Validated in strict mode, and yet it fails: a sum that is no `Long`.
const OVERFLOWS: &str = "resource.size + 9223372036854775807 > 0";
const DOES_NOT: &str = "resource.size + 9223372036854775800 > 0";

#[test]
fn a_policy_that_fails_makes_it_unavailable_whatever_the_others_say() {
    let forbid = |when: &str| format!("{PERMIT} forbid (principal, action, resource) when {{ {when} }};");
    assert_eq!(decide(&forbid(DOES_NOT)), denied("cedar_forbidden"));
    // Cedar itself would say "allow" here.
    assert_eq!(decide(&forbid(OVERFLOWS)), Decision::Unavailable);

    let permit = |when: &str| format!("permit (principal, action, resource) when {{ {when} }};");
    assert_eq!(decide(&permit(DOES_NOT)), Decision::Granted);
    assert_eq!(decide(&permit(OVERFLOWS)), Decision::Unavailable);
    assert_eq!(
        decide(&format!("{PERMIT} {}", permit(OVERFLOWS))),
        Decision::Unavailable
    );
}

#[test]
fn a_text_that_is_no_address_makes_it_unavailable() {
    // In strict mode an argument of `ip` has to be a literal, so that it cannot fail with a request.
    let ip = |text: &str| format!("permit (principal, action, resource) when {{ ip({text}).isLoopback() }};");
    assert_eq!(decide(&ip("\"127.0.0.1\"")), Decision::Granted);
    assert!(policies(&ip("\"localhost\"")).is_err());
    assert!(policies(&ip("context.method")).is_err());
}

fn with_reasons(text: &str) -> Decision {
    let policies = CedarPolicies::builder()
        .schema(SCHEMA)
        .policies(text)
        .reason(Reason::new("frozen").with_public_code("account_frozen"))
        .reason(Reason::new("closed"))
        .build()
        .expect("valid policies");
    policies
        .action("use")
        .expect("an action")
        .decide(&person("alice"), &Thing)
}

#[test]
fn a_forbid_names_one_of_the_declared_reasons() {
    let forbid = |code: &str| format!("@reason(\"{code}\") forbid (principal, action, resource);");
    let frozen = Decision::Denied(Reason::new("frozen").with_public_code("account_frozen"));
    assert_eq!(with_reasons(&format!("{PERMIT} {}", forbid("frozen"))), frozen);
    assert_eq!(
        with_reasons(&format!("{PERMIT} {}", forbid("closed"))),
        denied("closed")
    );
    assert_eq!(
        with_reasons(&format!("{PERMIT} {}", forbid("typo"))),
        denied("cedar_forbidden")
    );
    // The first declared is told, whatever the order of the policies.
    for text in [
        [forbid("closed"), forbid("frozen")],
        [forbid("frozen"), forbid("closed")],
    ] {
        assert_eq!(with_reasons(&text.concat()), frozen);
    }
}

#[test]
fn a_permit_names_no_reason() {
    let text = "@reason(\"frozen\") permit (principal, action, resource) when { false };";
    assert_eq!(with_reasons(text), denied("cedar_denied"));
}

fn use_it(text: &str) -> CedarAction {
    policies(text).expect("valid").action("use").expect("an action")
}

#[test]
fn an_action_is_part_of_the_algebra() {
    let no = "permit (principal, action, resource) when { false };";
    let fails = format!("permit (principal, action, resource) when {{ {OVERFLOWS} }};");
    let alice = person("alice");
    let decide = |policy: &dyn Policy<Principal, Thing>| policy.decide(&alice, &Thing);
    assert_eq!(decide(&all((use_it(PERMIT), use_it(PERMIT)))), Decision::Granted);
    assert_eq!(decide(&all((use_it(PERMIT), use_it(no)))), denied("cedar_denied"));
    assert_eq!(decide(&any((use_it(no), use_it(PERMIT)))), Decision::Granted);
    assert_eq!(decide(&not(use_it(no))), Decision::Granted);
    assert_eq!(decide(&not(use_it(&fails))), Decision::Unavailable);
}

/// As an application writes it.
#[derive(Clone)]
struct CanUse(CedarAction);

impl<R: CedarEntity> Policy<Principal, R> for CanUse {
    fn decide(&self, caller: &Authentication<Principal>, resource: &R) -> Decision {
        self.0.decide(caller, resource)
    }
}

#[test]
fn a_guarded_object_is_granted_or_refused_by_status() {
    let challenge = Challenge::new(Scheme::BEARER).realm("api").expect("a realm");
    let challenges = Challenges::new([challenge]).expect("challenges");
    let caller = |name| Caller::new(Arc::new(person(name)), challenges.clone());
    let only_the_owner = "permit (principal, action, resource) when { resource.owner == principal };";
    let action = CanUse(use_it(only_the_owner));

    let granted = Guarded::new(Thing).authorize(&caller("alice"), action.clone());
    let _granted: portcullis_core::Granted<Thing, CanUse> = granted.expect("hers");
    let refused = Guarded::new(Thing).authorize(&caller("bob"), action).map(drop);
    let refused = refused.expect_err("not his");
    assert_eq!(
        (refused.kind(), refused.status().as_u16()),
        (AuthErrorKind::Denied, 403)
    );

    let fails = format!("permit (principal, action, resource) when {{ {OVERFLOWS} }};");
    let refused = Guarded::new(Thing)
        .authorize(&caller("alice"), use_it(&fails))
        .map(drop);
    let refused = refused.expect_err("not decided");
    assert_eq!(
        (refused.kind(), refused.status().as_u16()),
        (AuthErrorKind::Unavailable, 503)
    );
}
