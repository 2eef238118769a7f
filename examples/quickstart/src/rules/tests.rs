//! The rules, once more in Cedar: both decide alike about every caller and document.

use portcullis::core::policy::all;
use portcullis::core::{Method, Roles, Scopes};
use portcullis::{Authentication, Decision, HasScope, Needs, Policy, Principal, Scope};
use portcullis_cedar::{CedarEntity, CedarPolicies, EntityRef, Record};

use super::*;
use crate::users::HOME;

impl CedarEntity for User {
    fn uid(&self) -> EntityRef {
        EntityRef::principal(self.principal.subject())
    }

    fn attributes(&self) -> Record {
        Record::new().with("tenant", self.tenant.as_str())
    }
}

impl CedarEntity for Document {
    fn uid(&self) -> EntityRef {
        EntityRef::new("Document", self.id.to_string())
    }

    fn attributes(&self) -> Record {
        let owner = EntityRef::principal(self.owner.as_str());
        Record::new().with("owner", owner).with("tenant", self.tenant)
    }
}

fn callers() -> Vec<Authentication<User>> {
    let mut callers = Vec::new();
    for name in ["alice", "bob", "carol"] {
        for tenant in [HOME, "other"] {
            for roles in [&[][..], &["admin"], &["auditor"]] {
                for scopes in [
                    "",
                    "documents:read",
                    "documents:delete",
                    "documents:read documents:delete",
                    "profile",
                ] {
                    let principal = Principal::new("https://issuer.test", name);
                    let tenant = tenant.to_owned();
                    let caller = Authentication::assertion(User { principal, tenant }, Method::JWT)
                        .with_roles(roles.iter().copied().collect::<Roles>())
                        .with_scopes(Scopes::parse(scopes).expect("scopes"));
                    callers.push(caller.clone());
                    callers.push(caller.acting_for_itself());
                }
            }
        }
    }
    callers
}

/// What the route and the document ask for together.
fn native<S: Scope>(
    caller: &Authentication<User>,
    action: impl Policy<User, Document>,
    document: &Document,
) -> Decision {
    all((Needs::<HasScope<S>>::new(), action)).decide(caller, document)
}

/// ASVS 8.3.3, 8.4.1
#[test]
fn the_rules_and_the_cedar_policies_decide_alike() {
    let policies = CedarPolicies::builder()
        .schema(include_str!("../../policies/quickstart.cedarschema"))
        .policies(include_str!("../../policies/quickstart.cedar"))
        .build()
        .expect("valid policies");
    let (read, delete) = (policies.action("read"), policies.action("delete"));
    let (read, delete) = (read.expect("an action"), delete.expect("an action"));
    let (mut asked, mut granted) = (0, 0);
    for caller in callers() {
        for owner in ["alice", "bob"] {
            let (owner, title) = (owner.to_owned(), String::new());
            let document = Document {
                id: 1,
                owner,
                title,
                tenant: HOME,
            };
            for (native, cedar) in [
                (
                    native::<DocumentsRead>(&caller, CanRead, &document),
                    read.decide(&caller, &document),
                ),
                (
                    native::<DocumentsDelete>(&caller, CanDelete, &document),
                    delete.decide(&caller, &document),
                ),
            ] {
                let decided = [&native, &cedar].map(|decision| matches!(decision, Decision::Granted));
                assert_eq!(
                    decided[0], decided[1],
                    "{caller:?} {document:?}: {native:?} {cedar:?}"
                );
                assert!(!matches!(cedar, Decision::Unavailable), "{caller:?}");
                asked += 1;
                granted += usize::from(decided[0]);
            }
        }
    }
    // At home: admins of three names, as people and clients, with two scope sets of five on two documents and two
    // actions; alice and bob with two other roles, as people, on their own.
    assert_eq!((asked, granted), (720, 48 + 16));
}
