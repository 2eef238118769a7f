//! The quick start's rules, twice: as native policies and in Cedar. They decide alike.

use portcullis_cedar::{CedarAction, CedarEntity, CedarPolicies, EntityRef, Record};
use portcullis_core::policy::{IsOwner, Owned, all, any};
use portcullis_core::{Authentication, Decision, HasRole, HasScope, Needs, Policy, Principal, Role, Scope};

use crate::support::{ISSUER, QUICKSTART, QUICKSTART_SCHEMA, person, roles, scopes};

struct Document {
    owner: Principal,
}

impl Owned<Principal> for Document {
    fn is_owned_by(&self, principal: &Principal) -> bool {
        self.owner == *principal
    }
}

impl CedarEntity for Document {
    fn uid(&self) -> EntityRef {
        EntityRef::new("Document", format!("of {}", self.owner.subject()))
    }

    fn attributes(&self) -> Record {
        Record::new().with("owner", EntityRef::account(&self.owner))
    }
}

struct Read;
impl Scope for Read {
    const NAME: &str = "documents:read";
}

struct Delete;
impl Scope for Delete {
    const NAME: &str = "documents:delete";
}

struct Admin;
impl Role for Admin {
    const NAME: &str = "admin";
}

fn native<S: Scope>(caller: &Authentication<Principal>, document: &Document) -> Decision {
    all((
        Needs::<HasScope<S>>::new(),
        any((IsOwner, Needs::<HasRole<Admin>>::new())),
    ))
    .decide(caller, document)
}

fn quickstart() -> CedarPolicies {
    CedarPolicies::builder()
        .schema(QUICKSTART_SCHEMA)
        .policies(QUICKSTART)
        .build()
        .expect("valid policies")
}

fn callers() -> Vec<Authentication<Principal>> {
    let mut callers = Vec::new();
    for name in ["alice", "bob", "carol"] {
        for held in [&[][..], &["admin"], &["editor"]] {
            for scope in [
                "",
                "documents:read",
                "documents:delete",
                "documents:read documents:delete",
                "profile",
            ] {
                let caller = scopes(roles(person(name), held), scope);
                callers.push(caller.clone());
                callers.push(caller.acting_for_itself());
            }
        }
    }
    callers
}

fn same(native: &Decision, cedar: &Decision) -> bool {
    matches!(
        (native, cedar),
        (Decision::Granted, Decision::Granted) | (Decision::Denied(_), Decision::Denied(_))
    )
}

#[test]
fn native_policies_and_cedar_decide_alike() {
    let policies = quickstart();
    let action = |name| policies.action(name).expect("an action");
    type Native = fn(&Authentication<Principal>, &Document) -> Decision;
    let pairs: [(Native, CedarAction); 2] = [
        (native::<Read>, action("read")),
        (native::<Delete>, action("delete")),
    ];
    let (mut granted, mut asked) = (0, 0);
    for caller in callers() {
        for owner in ["alice", "bob"] {
            let document = Document {
                owner: Principal::new(ISSUER, owner),
            };
            for (native, cedar) in &pairs {
                let (native, decided) = (native(&caller, &document), cedar.decide(&caller, &document));
                assert!(
                    same(&native, &decided),
                    "{caller:?} {cedar:?} of {owner}: {native:?} {decided:?}"
                );
                asked += 1;
                granted += usize::from(decided == Decision::Granted);
            }
        }
    }
    // Per action: the admin of each name, person and client, with 2 scope sets, on 2 documents: 24; alice and bob with
    // one of 2 other roles and 2 scope sets on their own, as people only: 8.
    assert_eq!((asked, granted), (360, 64));
}

#[test]
fn a_list_needs_its_scope() {
    let policies = quickstart();
    let list = policies.action("list").expect("an action");
    let list = list.on(EntityRef::new("Library", "all"));
    let needs = Needs::<HasScope<Read>>::new();
    for caller in callers() {
        let (native, cedar) = (needs.decide(&caller, &()), list.decide(&caller, &()));
        assert!(same(&native, &cedar), "{caller:?}: {native:?} {cedar:?}");
    }
}

#[test]
fn the_same_name_at_another_issuer_owns_nothing() {
    let read = quickstart().action("read").expect("an action");
    let of = |issuer: &'static str| Document {
        owner: Principal::new(issuer, "alice"),
    };
    let alice = scopes(person("alice"), "documents:read");
    assert_eq!(read.decide(&alice, &of(ISSUER)), Decision::Granted);
    assert!(matches!(
        read.decide(&alice, &of("https://other.example")),
        Decision::Denied(_)
    ));
}
