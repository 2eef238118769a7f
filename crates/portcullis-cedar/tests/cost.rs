//! What a decision costs, in allocations: they do not vary with the machine.

use portcullis_cedar::{CedarEntity, CedarPolicies, EntityRef, Record};
use portcullis_core::{Authentication, Decision, Method, Policy, Principal, Roles, Scopes};

struct Document(Principal);

impl CedarEntity for Document {
    fn uid(&self) -> EntityRef {
        EntityRef::new("Document", "1")
    }

    fn attributes(&self) -> Record {
        Record::new().with("owner", EntityRef::account(&self.0))
    }
}

/// The README names 166.
const MOST: u64 = 175;

#[test]
fn a_decision_costs_what_the_readme_says() {
    let policies = CedarPolicies::builder()
        .schema(include_str!("quickstart/quickstart.cedarschema"))
        .policies(include_str!("quickstart/quickstart.cedar"))
        .build()
        .expect("valid policies");
    let read = policies.action("read").expect("an action");
    let alice = Principal::new("https://issuer.example", "alice");
    let document = Document(alice.clone());
    let caller = Authentication::assertion(alice, Method::JWT)
        .with_scopes(Scopes::parse("documents:read documents:delete").expect("scopes"))
        .with_roles(["editor"].into_iter().collect::<Roles>());
    assert_eq!(read.decide(&caller, &document), Decision::Granted);

    let counted = allocation_counter::measure(|| {
        let _ = read.decide(&caller, &document);
    });
    assert!(counted.count_total <= MOST, "{}", counted.count_total);
    assert_eq!(counted.count_current, 0, "a decision keeps nothing");
}
