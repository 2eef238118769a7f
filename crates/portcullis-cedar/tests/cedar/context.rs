//! What policies know of the caller.

use portcullis_cedar::{CALLER_SCHEMA, CedarErrorKind, CedarPolicies};
use portcullis_core::{Authentication, Decision, Method, Principal, Roles, Timestamp};

use crate::support::{PERMIT, SCHEMA, decide_for, denied, person, roles, scopes};

fn holds(when: &str, caller: &Authentication<Principal>) -> bool {
    let text = format!("permit (principal, action, resource) when {{ {when} }};");
    match decide_for(&text, caller) {
        Decision::Granted => true,
        decision => {
            assert_eq!(decision, denied("cedar_denied"), "{when}");
            false
        }
    }
}

#[test]
fn each_fact_about_the_credentials_stands_in_the_context() {
    let alice = || person("alice");
    let at = Timestamp::from_unix_seconds;
    let permitted = alice().with_permissions(["p"].into_iter().collect::<Roles>());
    let signed_in = alice().with_authenticated_at(at(100)).with_checked_at(at(160));
    for (when, with) in [
        ("context.roles.contains(\"r\")", roles(alice(), &["r", "s"])),
        ("context.scopes.contains(\"s\")", scopes(alice(), "s t")),
        ("context.permissions.contains(\"p\")", permitted),
        ("context.is_client", alice().acting_for_itself()),
        ("context.method == \"session\"", {
            Authentication::assertion(Principal::new(crate::support::ISSUER, "alice"), Method::SESSION)
        }),
        (
            "context has acr && context.acr == \"phr\"",
            alice().with_acr("phr"),
        ),
        ("context has sign_in_age && context.sign_in_age == 60", signed_in),
    ] {
        assert!(holds(when, &with), "{when}");
        assert!(!holds(when, &alice()), "{when}");
    }
}

#[test]
fn nothing_is_no_role_and_no_prefix_is_a_scope() {
    let caller = scopes(roles(person("alice"), &["", "admin"]), "documents:read");
    assert!(holds("context.roles.contains(\"admin\")", &caller));
    assert!(!holds("context.roles.contains(\"\")", &caller));
    assert!(!holds("context.scopes.contains(\"documents\")", &caller));
    assert!(!holds("context.scopes.contains(\"\")", &person("alice")));
}

#[test]
fn a_sign_in_of_unknown_age_has_none_and_neither_has_one_in_the_future() {
    let at = Timestamp::from_unix_seconds;
    let fresh = "context has sign_in_age && context.sign_in_age <= 60";
    let checked = || person("alice").with_checked_at(at(1_000));
    assert!(holds(fresh, &checked().with_authenticated_at(at(940))));
    assert!(!holds(fresh, &checked().with_authenticated_at(at(939))));
    assert!(!holds(fresh, &checked()));
    assert!(!holds(fresh, &person("alice").with_authenticated_at(at(940))));
    // The clocks may differ by five minutes, and no more.
    assert!(holds(fresh, &checked().with_authenticated_at(at(1_300))));
    assert!(!holds(fresh, &checked().with_authenticated_at(at(1_301))));
    assert!(!holds(
        fresh,
        &person("alice")
            .with_authenticated_at(at(0))
            .with_checked_at(at(u64::MAX))
    ));
}

#[test]
fn roles_are_parents_where_the_schema_lets_them() {
    let admin = roles(person("alice"), &["admin"]);
    assert!(holds("principal in Role::\"admin\"", &admin));
    assert!(!holds("principal in Role::\"admin\"", &person("alice")));
    assert!(!holds("principal in Role::\"root\"", &admin));

    // Without roles in the schema a caller with roles is decided about all the same.
    let schema = SCHEMA.replace("entity User in [Role];", "entity User;");
    let policies = CedarPolicies::builder().schema(schema).policies(PERMIT).build();
    let action = policies
        .and_then(|policies| policies.action("use"))
        .expect("an action");
    let decision = portcullis_core::Policy::decide(&action, &admin, &crate::support::Thing);
    assert_eq!(decision, Decision::Granted);
}

#[test]
fn an_action_with_another_context_is_not_bound() {
    let with = |context: &str| {
        let schema = SCHEMA.replace("context: Portcullis::Caller", context);
        let policies = CedarPolicies::builder().schema(schema).policies(PERMIT).build();
        policies.and_then(|policies| policies.action("use")).map(drop)
    };
    assert!(with("context: Portcullis::Caller").is_ok());
    for other in [
        "context: {}",
        "context: { roles: Set<String> }",
        "context: { caller: Portcullis::Caller }",
    ] {
        let error = with(other).expect_err(other);
        assert_eq!(error.kind(), CedarErrorKind::Action, "{error}");
    }
}

#[test]
fn a_schema_may_bring_the_type_of_the_context_itself() {
    let with = |caller: &str| {
        let schema = format!("{caller}{SCHEMA}");
        let policies = CedarPolicies::builder().schema(schema).policies(PERMIT).build();
        policies.and_then(|policies| policies.action("use")).map(drop)
    };
    assert!(with(CALLER_SCHEMA).is_ok());
    assert!(with(&CALLER_SCHEMA.replace("method: String", "method: Long")).is_err());
    assert!(with(&CALLER_SCHEMA.replace("acr?", "acr")).is_err());
}
