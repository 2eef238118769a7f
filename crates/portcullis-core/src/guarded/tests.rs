use std::sync::Arc;

use super::*;
use crate::{
    AuthErrorKind, Authentication, Challenge, Challenges, Ledger, Method, Reason, Scheme, Standing, StepUp,
};

#[derive(Clone, Debug, PartialEq)]
struct Document {
    owner: &'static str,
    title: &'static str,
}

const HERS: Document = Document {
    owner: "alice",
    title: "secret",
};

struct CanRead;

impl Policy<&'static str, Document> for CanRead {
    fn decide(&self, caller: &Authentication<&'static str>, document: &Document) -> Decision {
        match document.owner {
            "nobody knows" => Decision::Unavailable,
            "stronger" => Decision::StepUp(StepUp::new()),
            "scope" => Decision::Denied(Reason::insufficient_scope("read".into())),
            owner => Decision::granted_if(owner == *caller.principal(), "not_the_owner"),
        }
    }
}

fn caller(name: &'static str) -> (Caller<&'static str>, Ledger) {
    let challenge = Challenge::new(Scheme::BEARER).realm("api").expect("realm");
    let evidence = Arc::new(Authentication::assertion(name, Method::JWT));
    let ledger = Ledger::new(http::Method::GET);
    let caller = Caller::new(evidence, Challenges::new([challenge]).expect("challenges"));
    (caller.with_ledger(Some(ledger.clone())), ledger)
}

fn of(owner: &'static str) -> Document {
    Document { owner, ..HERS }
}

#[test]
fn asvs_8_2_2_the_owner_gets_her_document_and_others_the_refusal_of_the_place() {
    let (alice, ledger) = caller("alice");
    let granted = Guarded::new(HERS).authorize(&alice, CanRead).expect("hers");
    assert_eq!(granted.title, "secret");
    assert_eq!(ledger.standing(), Standing::Granted);

    let (bob, ledger) = caller("bob");
    let refused = Guarded::new(HERS).authorize(&bob, CanRead).expect_err("not his");
    assert_eq!(
        (refused.kind(), refused.reason()),
        (AuthErrorKind::Denied, "not_the_owner")
    );
    assert!(refused.challenges().is_some());
    assert_eq!(ledger.standing(), Standing::Refused);
}

#[test]
fn each_decision_has_its_own_refusal() {
    for (owner, kind) in [
        ("nobody knows", AuthErrorKind::Unavailable),
        ("stronger", AuthErrorKind::StepUpRequired),
        ("scope", AuthErrorKind::InsufficientScope),
    ] {
        let refused = Guarded::new(of(owner)).authorize(&caller("alice").0, CanRead);
        assert_eq!(refused.expect_err(owner).kind(), kind);
    }
}

#[test]
fn not_found_stands_for_denied_and_for_nothing_else() {
    let find = |owner| Guarded::new(of(owner)).authorize_or_not_found(&caller("alice").0, CanRead);
    assert!(find("alice").expect("hers").is_some());
    for denied in ["bob", "scope"] {
        assert!(find(denied).expect("hidden").is_none());
    }
    assert_eq!(
        find("nobody knows").expect_err("down").kind(),
        AuthErrorKind::Unavailable
    );
    assert_eq!(
        find("stronger").expect_err("step up").kind(),
        AuthErrorKind::StepUpRequired
    );
}

#[test]
fn a_collection_is_filtered_and_half_a_list_is_none() {
    let list = |owners: &[&'static str]| {
        let documents: Vec<_> = owners.iter().map(|owner| of(owner)).collect();
        let (alice, ledger) = caller("alice");
        let granted = Guarded::new(documents).authorize_each::<_, _, Vec<_>>(&alice, &CanRead);
        (granted.map(|granted| granted.len()), ledger.standing())
    };
    let (some, standing) = list(&["alice", "bob", "stronger", "alice"]);
    assert_eq!((some.expect("list"), standing), (2, Standing::Granted));
    let (none, standing) = list(&["bob"]);
    assert_eq!((none.expect("list"), standing), (0, Standing::Granted));
    let (refused, standing) = list(&["alice", "nobody knows"]);
    assert_eq!(refused.expect_err("down").kind(), AuthErrorKind::Unavailable);
    assert_eq!(standing, Standing::Refused);
}

#[test]
fn asvs_8_2_3_a_field_is_revealed_or_left_out() {
    let salary = || Guarded::new(7_u32);
    let reveal = |owner| salary().reveal(&caller("alice").0, &CanRead, &of(owner));
    assert_eq!(reveal("alice").expect("decided"), Some(7));
    assert_eq!(reveal("bob").expect("decided"), None);
    assert!(reveal("nobody knows").is_err());
    let (alice, ledger) = caller("alice");
    assert!(salary().reveal(&alice, &CanRead, &of("bob")).is_ok());
    assert_eq!(ledger.standing(), Standing::Undecided);
}

#[test]
fn debug_shows_nothing_before_and_the_object_after() {
    let guarded = Guarded::new(HERS);
    assert_eq!(format!("{guarded:?}"), "Guarded(..)");
    let granted = guarded.authorize(&caller("alice").0, CanRead).expect("hers");
    assert!(format!("{granted:?}").contains("secret"));
    let changed = granted.edit(|document| document.title = "new");
    assert_eq!(changed.into_inner().title, "new");
}

#[test]
fn what_may_be_is_asked_without_a_trace() {
    let (alice, ledger) = caller("alice");
    assert!(alice.may(&CanRead, &HERS).expect("decided"));
    assert!(!alice.may(&CanRead, &of("bob")).expect("decided"));
    assert!(alice.may(&CanRead, &of("nobody knows")).is_err());
    assert_eq!(ledger.standing(), Standing::Undecided);
}
