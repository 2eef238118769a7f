//! What entities say of themselves.

use portcullis_cedar::{CedarEntity, CedarPolicies, EntityRef, Record, Value};
use portcullis_core::{Authentication, Decision, Method, Policy, Principal};

use crate::support::{PERMIT, SCHEMA, Thing, decide, denied, person, policies, roles};

/// An entity that says whatever a test wants.
struct Any(EntityRef, Record, Vec<EntityRef>);

impl CedarEntity for Any {
    fn uid(&self) -> EntityRef {
        self.0.clone()
    }

    fn attributes(&self) -> Record {
        self.1.clone()
    }

    fn parents(&self) -> Vec<EntityRef> {
        self.2.clone()
    }
}

fn thing() -> Any {
    Any(EntityRef::new("Thing", "1"), Thing::record(), Vec::new())
}

fn decide_about(resource: &Any) -> Decision {
    let action = policies(PERMIT).expect("valid").action("use").expect("an action");
    action.decide(&person("alice"), resource)
}

#[test]
fn policies_read_every_kind_of_attribute() {
    for when in [
        "resource.size == 3",
        "resource.tags.containsAll([\"a\", \"b\"])",
        "resource.box.deep",
        "resource.owner == principal",
        "resource in Folder::\"inbox\"",
    ] {
        let permit = |when: &str| format!("permit (principal, action, resource) when {{ {when} }};");
        assert_eq!(decide(&permit(when)), Decision::Granted, "{when}");
        assert_eq!(
            decide(&permit(&format!("!({when})"))),
            denied("cedar_denied"),
            "{when}"
        );
    }
}

#[test]
fn what_the_schema_does_not_have_is_not_decided() {
    assert_eq!(decide_about(&thing()), Decision::Granted);
    let broken: [fn(&mut Any); 9] = [
        |thing| thing.0 = EntityRef::new("Unknown", "1"),
        |thing| thing.0 = EntityRef::new("Folder", "1"),
        |thing| thing.0 = EntityRef::new("thing", "1"),
        |thing| thing.0 = EntityRef::new("Th ing::\"", "1"),
        |thing| thing.1 = Record::new(),
        |thing| thing.1 = Thing::record().with("size", "3"),
        |thing| thing.1 = Thing::record().with("extra", 1),
        |thing| thing.1 = Thing::record().with("owner", EntityRef::new("Folder", "alice")),
        |thing| thing.2 = vec![EntityRef::new("Role", "admin")],
    ];
    for (at, break_it) in broken.into_iter().enumerate() {
        let mut thing = thing();
        break_it(&mut thing);
        assert_eq!(decide_about(&thing), Decision::Unavailable, "{at}");
    }
}

#[test]
fn ids_are_taken_as_they_are() {
    let text = "permit (principal, action, resource == Thing::\"a\\\"b\\u{0}\\\\\");";
    let action = policies(text).expect("valid").action("use").expect("an action");
    let with = |id: &str| Any(EntityRef::new("Thing", id), Thing::record(), Vec::new());
    let alice = person("alice");
    assert_eq!(action.decide(&alice, &with("a\"b\0\\")), Decision::Granted);
    for other in ["a\"b\0", "a\\\"b\\u{0}\\\\", "", "A\"B\0\\"] {
        assert_eq!(
            action.decide(&alice, &with(other)),
            denied("cedar_denied"),
            "{other:?}"
        );
    }
}

#[test]
fn values_nested_too_deeply_are_not_decided_and_do_not_panic() {
    let nested = |depth: usize| {
        let mut value = Value::from(true);
        for _ in 0..depth {
            value = Value::set([value]);
        }
        value
    };
    let schema = |depth: usize| {
        let (open, close) = ("Set<".repeat(depth), ">".repeat(depth));
        SCHEMA.replace("size: Long", &format!("size: {open}Bool{close}"))
    };
    let decide = |depth: usize| {
        let policies = CedarPolicies::builder()
            .schema(schema(depth))
            .policies(PERMIT)
            .build();
        let action = policies
            .and_then(|policies| policies.action("use"))
            .expect("an action");
        let mut thing = thing();
        thing.1 = Thing::record().with("size", nested(depth));
        action.decide(&person("alice"), &thing)
    };
    assert_eq!(decide(15), Decision::Granted);
    assert_eq!(decide(16), Decision::Unavailable);
}

/// A user of the application's own, who is the resource as well.
#[derive(Clone)]
struct User {
    name: &'static str,
    level: i64,
}

impl CedarEntity for User {
    fn uid(&self) -> EntityRef {
        EntityRef::new("Person", self.name)
    }

    fn attributes(&self) -> Record {
        Record::new().with("level", self.level)
    }
}

#[test]
fn somebody_may_be_the_resource_too_but_not_with_two_stories() {
    let policies = CedarPolicies::builder()
        .schema(
            "entity Role; entity Person in [Role] = { level: Long };
             action edit appliesTo { principal: Person, resource: Person, context: Portcullis::Caller };",
        )
        .policies(
            "permit (principal, action, resource)
             when { principal == resource && principal.level > 1 && principal in Role::\"editor\" };",
        )
        .build()
        .expect("valid policies");
    let edit = policies.action("edit").expect("an action");
    let user = |name, level| User { name, level };
    let caller = |user: &User| {
        roles(
            Authentication::assertion(user.clone(), Method::SESSION),
            &["editor"],
        )
    };
    let alice = user("alice", 2);
    assert_eq!(edit.decide(&caller(&alice), &alice), Decision::Granted);
    assert_eq!(
        edit.decide(&caller(&alice), &user("bob", 2)),
        denied("cedar_denied")
    );
    assert_eq!(
        edit.decide(&caller(&user("alice", 1)), &user("alice", 1)),
        denied("cedar_denied")
    );
    assert_eq!(
        edit.decide(&caller(&alice), &user("alice", 1)),
        Decision::Unavailable
    );
}

/// With a type of their own, clients own nothing even where a policy forgets to ask.
#[test]
fn clients_may_have_a_type_of_their_own() {
    let owner = "permit (principal, action, resource) when { resource.owner == principal };";
    let build = |client_type: Option<&'static str>| {
        let builder = CedarPolicies::builder().schema(SCHEMA).policies(owner);
        let builder = match client_type {
            Some(kind) => builder.client_type(kind),
            None => builder,
        };
        builder.build().expect("valid").action("use").expect("an action")
    };
    let client = || person("alice").acting_for_itself();
    assert_eq!(build(None).decide(&client(), &Thing), Decision::Granted);
    assert_eq!(
        build(Some("Client")).decide(&client(), &Thing),
        denied("cedar_denied")
    );
    assert_eq!(
        build(Some("Client")).decide(&person("alice"), &Thing),
        Decision::Granted
    );
}

#[test]
fn types_may_stand_in_a_namespace_and_have_other_names() {
    let policies = |principal: &'static str, role: &'static str| {
        CedarPolicies::builder()
            .schema(
                "namespace Archive {
                     entity Group; entity Account in [Group]; entity Shelf;
                     action look appliesTo { principal: Account, resource: Shelf, context: Portcullis::Caller };
                 }",
            )
            .policies("permit (principal in Archive::Group::\"staff\", action, resource);")
            .principal_type(principal)
            .role_type(role)
            .build()
    };
    let ours = policies("Archive::Account", "Archive::Group").expect("valid policies");
    let shelf = EntityRef::new("Archive::Shelf", "1");
    let staff = roles(person("alice"), &["staff"]);
    for name in ["look", "Archive::Action::\"look\""] {
        let look = ours.action(name).expect("an action");
        assert_eq!(look.name(), "Archive::Action::\"look\"");
        assert_eq!(look.decide(&staff, &shelf), Decision::Granted);
        assert_eq!(look.decide(&person("alice"), &shelf), denied("cedar_denied"));
    }
    assert!(policies("Account", "Archive::Group").is_err());
    assert!(policies("Archive::Account", "Group").is_err());
    let principal = Principal::new("i", "s");
    assert_eq!(EntityRef::account(&principal).kind(), None);
}
