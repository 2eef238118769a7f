//! Callers, documents and policies to ask about.

use portcullis_cedar::{CedarEntity, CedarError, CedarPolicies, EntityRef, Record};
use portcullis_core::{Authentication, Decision, Method, Policy, Principal, Reason, Roles, Scopes};

pub(crate) const ISSUER: &str = "https://issuer.example";

pub(crate) const QUICKSTART_SCHEMA: &str = include_str!("../quickstart/quickstart.cedarschema");
pub(crate) const QUICKSTART: &str = include_str!("../quickstart/quickstart.cedar");

/// A schema with one action on one kind of thing.
pub(crate) const SCHEMA: &str = "
    entity Role;
    entity User in [Role];
    entity Client;
    entity Folder;
    entity Thing in [Folder] = { owner: User, size: Long, tags: Set<String>, box: { deep: Bool } };
    action use appliesTo { principal: [User, Client], resource: Thing, context: Portcullis::Caller };
";

pub(crate) const PERMIT: &str = "permit (principal, action, resource);";

pub(crate) fn policies(policies: &str) -> Result<CedarPolicies, CedarError> {
    CedarPolicies::builder().schema(SCHEMA).policies(policies).build()
}

/// What these policies say of alice, who uses her thing.
pub(crate) fn decide(text: &str) -> Decision {
    decide_for(text, &person("alice"))
}

pub(crate) fn decide_for(text: &str, caller: &Authentication<Principal>) -> Decision {
    let policies = policies(text).expect("valid policies");
    policies.action("use").expect("an action").decide(caller, &Thing)
}

pub(crate) fn denied(code: &'static str) -> Decision {
    Decision::Denied(Reason::new(code))
}

pub(crate) fn person(name: &'static str) -> Authentication<Principal> {
    Authentication::assertion(Principal::new(ISSUER, name), Method::JWT)
}

pub(crate) fn roles<P>(caller: Authentication<P>, roles: &[&'static str]) -> Authentication<P> {
    caller.with_roles(roles.iter().copied().collect::<Roles>())
}

pub(crate) fn scopes<P>(caller: Authentication<P>, scopes: &'static str) -> Authentication<P> {
    caller.with_scopes(Scopes::parse(scopes).expect("scopes"))
}

/// Alice's.
pub(crate) struct Thing;

impl Thing {
    pub(crate) fn record() -> Record {
        Record::new()
            .with("owner", EntityRef::account(&Principal::new(ISSUER, "alice")))
            .with("size", 3)
            .with("tags", portcullis_cedar::Value::set(["a", "b", "a"]))
            .with("box", Record::new().with("deep", true))
    }
}

impl CedarEntity for Thing {
    fn uid(&self) -> EntityRef {
        EntityRef::new("Thing", "1")
    }

    fn attributes(&self) -> Record {
        Self::record()
    }

    fn parents(&self) -> Vec<EntityRef> {
        vec![EntityRef::new("Folder", "inbox")]
    }
}
