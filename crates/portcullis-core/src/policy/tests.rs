use std::borrow::Cow;
use std::time::Duration;

use futures_util::FutureExt;
use http::Request;

use super::*;
use crate::{
    Authentication, Decision, Factor, HasScope, Method, Needs, Policy, Reason, Requirement, Roles, Scope,
    Scopes, SignedIn, StepUp, Timestamp,
};

fn denied(code: &'static str) -> Decision {
    Decision::Denied(Reason::new(code))
}

fn no_scope(scope: &'static str) -> Decision {
    Decision::Denied(Reason::insufficient_scope(Cow::Borrowed(scope)))
}

fn step_up() -> Decision {
    Decision::StepUp(StepUp::new().with_max_age(Duration::from_secs(60)))
}

/// In the order of their strength in `all`.
fn four() -> [Decision; 4] {
    [denied("x"), Decision::Unavailable, step_up(), Decision::Granted]
}

#[test]
fn the_algebra_is_the_table() {
    // Rows and columns: denied, unavailable, step-up, granted. Each cell names the stronger of the two.
    let and = [[0, 0, 0, 0], [0, 1, 1, 1], [0, 1, 2, 2], [0, 1, 2, 3]];
    let or = [[0, 1, 2, 3], [1, 1, 2, 3], [2, 2, 2, 3], [3, 3, 3, 3]];
    let not = [
        Decision::Granted,
        Decision::Unavailable,
        step_up(),
        denied("negated_policy_granted"),
    ];
    for (row, one) in four().into_iter().enumerate() {
        for (column, other) in four().into_iter().enumerate() {
            let expected = |table: [[usize; 4]; 4]| four()[table[row][column]].clone();
            assert_eq!(
                one.clone().and(other.clone()),
                expected(and),
                "{one:?} and {other:?}"
            );
            assert_eq!(
                one.clone().or(other.clone()),
                expected(or),
                "{one:?} or {other:?}"
            );
        }
        assert_eq!(one.negate(), not[row]);
    }
}

#[test]
fn scope_is_named_only_where_more_scope_alone_would_grant() {
    assert_eq!(no_scope("a").and(Decision::Granted), no_scope("a"));
    assert_eq!(no_scope("a b").and(no_scope("b c")), no_scope("a b c"));
    // Odd spaces neither make scopes nor are handed on to the client.
    for (one, other) in [("a  b", " b b  c "), ("", "a b c"), (" a", "b c"), ("a b c", " ")] {
        assert_eq!(
            no_scope(one).and(no_scope(other)),
            no_scope("a b c"),
            "{one:?} {other:?}"
        );
    }
    assert_eq!(no_scope("a").and(denied("x")), denied("x"));
    assert_eq!(denied("x").and(no_scope("a")), denied("x"));
    for other in [Decision::Unavailable, step_up()] {
        assert_eq!(
            no_scope("a").and(other.clone()),
            denied("scope_missing_among_others")
        );
        assert_eq!(other.and(no_scope("a")), denied("scope_missing_among_others"));
    }
    assert_eq!(denied("x").or(no_scope("a")), no_scope("a"));
    assert_eq!(no_scope("a").or(no_scope("b")), no_scope("a"));
}

/// Every kind of answer, beside each other and in each other.
#[test]
fn grouping_changes_nothing_and_no_outage_grants() {
    // Which of several codes the log gets may differ.
    fn wire(answer: &Decision) -> (std::mem::Discriminant<Decision>, Option<&str>) {
        let scope = match answer {
            Decision::Denied(reason) => reason.missing_scope().map(|scope| &**scope),
            _ => None,
        };
        (std::mem::discriminant(answer), scope)
    }
    let answers = [four().to_vec(), vec![no_scope("a"), no_scope("b")]].concat();
    for one in &answers {
        for two in &answers {
            for three in &answers {
                let [a, b, c] = [one, two, three].map(|answer| answer.clone());
                let left = a.clone().and(b.clone()).and(c.clone());
                let right = a.clone().and(b.clone().and(c.clone()));
                assert_eq!(wire(&left), wire(&right), "{a:?} {b:?} {c:?}");
                let left = a.clone().or(b.clone()).or(c.clone());
                let right = a.clone().or(b.clone().or(c.clone()));
                assert_eq!(wire(&left), wire(&right), "{a:?} {b:?} {c:?}");
                let grants = |answer: &Decision| *answer == Decision::Granted;
                assert_eq!(grants(&left), grants(&a) || grants(&b) || grants(&c));
                let not_both = a.clone().and(b.clone()).negate();
                if grants(&not_both) {
                    assert!(matches!(a, Decision::Denied(_)) || matches!(b, Decision::Denied(_)));
                }
            }
        }
    }
}

#[test]
fn two_demands_for_step_up_are_one_that_meets_both() {
    let demand = |values: &'static str, age| {
        Decision::StepUp(
            StepUp::new()
                .with_acr_values(values)
                .with_max_age(Duration::from_secs(age)),
        )
    };
    assert_eq!(demand("phr mfa", 300).and(demand("mfa", 60)), demand("mfa", 60));
    assert_eq!(demand("phr", 60).and(demand("otp", 300)), demand("phr", 60));
    assert_eq!(step_up().and(demand("phr", 300)), demand("phr", 60));
}

fn always(decision: Decision) -> impl Policy<()> {
    move |_: &Authentication<()>, (): &()| decision.clone()
}

fn anybody() -> Authentication<()> {
    Authentication::assertion((), Method::JWT)
}

#[test]
fn tuples_are_the_algebra_in_any_order() {
    for one in four() {
        for other in four() {
            for third in four() {
                let (a, b, c) = (
                    || always(one.clone()),
                    || always(other.clone()),
                    || always(third.clone()),
                );
                let and = one.clone().and(other.clone()).and(third.clone());
                let or = one.clone().or(other.clone()).or(third.clone());
                for all in [
                    all((a(), b(), c())).decide(&anybody(), &()),
                    all((c(), a(), b())).decide(&anybody(), &()),
                    all((all((b(), c())), a())).decide(&anybody(), &()),
                ] {
                    assert_eq!(all, and);
                }
                for any in [
                    any((a(), b(), c())).decide(&anybody(), &()),
                    any((c(), b(), a())).decide(&anybody(), &()),
                ] {
                    assert_eq!(any, or);
                }
                assert_eq!(not(a()).decide(&anybody(), &()), one.clone().negate());
            }
        }
    }
}

#[test]
fn an_outage_of_is_she_blocked_lets_nobody_in() {
    let blocked = |answer| not(always(answer)).decide(&anybody(), &());
    assert_eq!(blocked(denied("not_blocked")), Decision::Granted);
    assert_eq!(blocked(Decision::Unavailable), Decision::Unavailable);
}

struct Read;
impl Scope for Read {
    const NAME: &str = "read";
}

struct Write;
impl Scope for Write {
    const NAME: &str = "write";
}

fn with_scopes(scopes: &str) -> Authentication<()> {
    anybody().with_scopes(Scopes::parse(scopes).expect("scopes"))
}

#[test]
fn requirements_combine_as_types() {
    type Both = All<(HasScope<Read>, HasScope<Write>)>;
    type Either = Any<(HasScope<Read>, HasScope<Write>)>;
    assert_eq!(Both::decide(&with_scopes("read write")), Decision::Granted);
    assert_eq!(Both::decide(&with_scopes("read")), no_scope("write"));
    assert_eq!(Both::decide(&with_scopes("")), no_scope("read write"));
    assert_eq!(Either::decide(&with_scopes("write")), Decision::Granted);
    assert_eq!(Either::decide(&with_scopes("")), no_scope("read"));
    assert_eq!(
        Not::<HasScope<Read>>::decide(&with_scopes("write")),
        Decision::Granted
    );
    assert_ne!(
        Not::<HasScope<Read>>::decide(&with_scopes("read")),
        Decision::Granted
    );
    assert_eq!(
        <All<(SignedIn, Not<HasScope<Read>>)> as Requirement<()>>::describe().as_str(),
        "signed in and not (scope read)"
    );
}

struct User {
    name: &'static str,
    tenant: Option<&'static str>,
    features: &'static [&'static str],
}

impl Tenanted for User {
    type Tenant = str;
    fn tenant(&self) -> Option<&str> {
        self.tenant
    }
}

impl Subscriber for User {
    fn plan_includes(&self, feature: &str) -> bool {
        self.features.contains(&feature)
    }
}

struct Invoice {
    owner: &'static str,
    tenant: Option<&'static str>,
}

impl Owned<User> for Invoice {
    fn is_owned_by(&self, user: &User) -> bool {
        self.owner == user.name
    }
}

impl Tenanted for Invoice {
    type Tenant = str;
    fn tenant(&self) -> Option<&str> {
        self.tenant
    }
}

struct Admin;
impl crate::Role for Admin {
    const NAME: &str = "admin";
}

const HERS: Invoice = Invoice {
    owner: "alice",
    tenant: Some("acme"),
};

fn user(name: &'static str, tenant: Option<&'static str>, roles: &[&'static str]) -> Authentication<User> {
    let user = User {
        name,
        tenant,
        features: &["exports"],
    };
    Authentication::assertion(user, Method::SESSION).with_roles(roles.iter().copied().collect::<Roles>())
}

#[test]
fn asvs_8_3_3_the_owner_is_granted_and_a_client_owns_nothing() {
    assert_eq!(
        IsOwner.decide(&user("alice", None, &[]), &HERS),
        Decision::Granted
    );
    assert_eq!(
        IsOwner.decide(&user("bob", None, &[]), &HERS),
        denied("not_the_owner")
    );
    let client = user("alice", None, &[]).acting_for_itself();
    assert_eq!(IsOwner.decide(&client, &HERS), denied("client_is_not_a_user"));
}

#[test]
fn asvs_8_4_1_crossing_tenants_is_a_denial_even_for_an_admin() {
    let policy = all((SameTenant, any((IsOwner, Needs::<crate::HasRole<Admin>>::new()))));
    let table = [
        ("alice", Some("acme"), &[][..], true),
        ("bob", Some("acme"), &["admin"], true),
        ("bob", Some("acme"), &[], false),
        ("bob", Some("globex"), &["admin"], false),
        ("alice", Some("globex"), &["admin"], false),
        ("alice", None, &["admin"], false),
    ];
    for (name, tenant, roles, granted) in table {
        let decision = policy.decide(&user(name, tenant, roles), &HERS);
        assert_eq!(
            decision == Decision::Granted,
            granted,
            "{name} {tenant:?} {roles:?}"
        );
    }
    let nobodys = Invoice {
        owner: "alice",
        tenant: None,
    };
    assert_eq!(
        SameTenant.decide(&user("alice", None, &[]), &nobodys),
        denied("other_tenant")
    );
}

struct Exports;
impl Feature for Exports {
    const NAME: &str = "exports";
}

struct Sso;
impl Feature for Sso {
    const NAME: &str = "sso";
}

#[test]
fn a_plan_includes_a_feature_or_the_client_is_told_that_it_does_not() {
    let caller = user("alice", None, &[]);
    assert_eq!(PlanIncludes::<Exports>::decide(&caller), Decision::Granted);
    let Decision::Denied(reason) = PlanIncludes::<Sso>::decide(&caller) else {
        panic!("granted");
    };
    assert_eq!(reason.public_code(), Some("plan_lacks_feature"));
}

struct CloseBooks;
impl Permission for CloseBooks {
    const NAME: &str = "books:close";
    const GRANTED_TO: &[&str] = &["accountant"];
}

#[test]
fn a_permission_comes_by_a_role_or_by_name() {
    let decide = |caller: Authentication<()>| HasPermission::<CloseBooks>::decide(&caller);
    let role = |role: &str| anybody().with_roles(Roles::from_iter([role]));
    assert_eq!(decide(role("accountant")), Decision::Granted);
    assert_eq!(
        decide(anybody().with_permissions(Roles::from_iter(["books:close"]))),
        Decision::Granted
    );
    for refused in [
        role("books:close"),
        anybody().with_permissions(Roles::from_iter(["accountant"])),
        with_scopes("books:close accountant"),
        anybody(),
    ] {
        assert_eq!(decide(refused), denied("permission_missing"));
    }
}

const NOW: Timestamp = Timestamp::from_unix_seconds(1_000_000);

fn ago(seconds: u64) -> Timestamp {
    NOW.saturating_sub(Duration::from_secs(seconds))
}

fn ahead(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

/// SU1: the age of a sign-in counts to the moment of the check.
#[test]
fn a_sign_in_is_fresh_up_to_its_age_and_unknown_is_not_fresh() {
    let at = |at| anybody().with_checked_at(NOW).with_authenticated_at(at);
    for fresh in [ago(0), ago(60), ahead(300)] {
        assert_eq!(
            FreshWithin::<60>::decide(&at(fresh)),
            Decision::Granted,
            "{fresh:?}"
        );
    }
    for stale in [ago(61), ahead(301), Timestamp::EPOCH] {
        assert_eq!(FreshWithin::<60>::decide(&at(stale)), step_up(), "{stale:?}");
    }
    let unknown = [
        anybody(),
        anybody().with_checked_at(NOW),
        anybody().with_authenticated_at(NOW),
    ];
    for unknown in unknown {
        assert_eq!(FreshWithin::<60>::decide(&unknown), step_up());
    }
}

struct SecurityKey;
impl AuthenticationFactor for SecurityKey {
    const AMR: &str = "hwk";
    const ACR_VALUES: &str = "phrh";
}

#[test]
fn a_factor_is_required_and_may_have_to_be_recent() {
    let with = |name: &str, at| {
        anybody()
            .with_checked_at(NOW)
            .with_authenticated_at(ago(5))
            .with_factors([Factor::new(name, at)])
    };
    let asked = StepUp::new().with_acr_values("phrh");
    assert_eq!(
        HasFactor::<SecurityKey>::decide(&with("hwk", None)),
        Decision::Granted
    );
    assert_eq!(
        HasFactor::<SecurityKey>::decide(&with("pwd", None)),
        Decision::StepUp(asked.clone())
    );
    assert_eq!(
        HasFactor::<SecurityKey, 60>::decide(&with("hwk", Some(ago(60)))),
        Decision::Granted
    );
    let asked = Decision::StepUp(asked.with_max_age(Duration::from_secs(60)));
    assert_eq!(
        HasFactor::<SecurityKey, 60>::decide(&with("hwk", Some(ago(61)))),
        asked
    );
    assert_eq!(
        HasFactor::<SecurityKey, 60>::decide(&with("hwk", None)),
        Decision::Granted
    );
}

#[test]
fn asvs_8_4_2_administration_takes_a_role_a_recent_sign_in_and_a_strong_factor() {
    type Administration = All<(crate::HasRole<Admin>, FreshWithin<300>, HasFactor<SecurityKey>)>;
    let admin = || anybody().with_roles(Roles::from_iter(["admin"]));
    let recent = |caller: Authentication<()>| caller.with_checked_at(NOW).with_authenticated_at(ago(300));
    let strong = |caller: Authentication<()>| caller.with_factors([Factor::new("hwk", None)]);
    assert_eq!(
        Administration::decide(&strong(recent(admin()))),
        Decision::Granted
    );
    assert_eq!(
        Administration::decide(&strong(recent(anybody()))),
        denied("role_missing")
    );
    for lacking in [recent(admin()), strong(admin()), admin()] {
        assert!(
            matches!(Administration::decide(&lacking), Decision::StepUp(_)),
            "{lacking:?}"
        );
    }
}

struct Strong;
impl Acr for Strong {
    const VALUES: &str = "phrh phr";
}

#[test]
fn a_class_is_one_of_those_that_will_do() {
    for class in ["phr", "phrh"] {
        assert_eq!(
            HasAcr::<Strong>::decide(&anybody().with_acr(class)),
            Decision::Granted
        );
    }
    let asked = Decision::StepUp(StepUp::new().with_acr_values("phrh phr"));
    for caller in [
        anybody(),
        anybody().with_acr(""),
        anybody().with_acr("phr phrh"),
        anybody().with_acr("0"),
    ] {
        assert_eq!(HasAcr::<Strong>::decide(&caller), asked);
    }
}

#[test]
fn asvs_8_2_4_requests_and_times_are_looked_at() {
    let policy = of_request("not_from_inside", |parts| {
        parts.extensions.get::<u8>() == Some(&7)
    });
    let (mut parts, ()) = Request::new(()).into_parts();
    assert_eq!(policy.decide(&anybody(), &parts), denied("not_from_inside"));
    parts.extensions.insert(7_u8);
    assert_eq!(policy.decide(&anybody(), &parts), Decision::Granted);

    #[derive(Debug)]
    struct At(u64);
    impl crate::Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_seconds(self.0)
        }
        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }
    let open = |hour: u64| {
        at_time(At(hour * 3600), "closed", |now| {
            (8..18).contains(&(now.as_unix_seconds() / 3600 % 24))
        })
    };
    assert_eq!(open(24 + 8).decide(&anybody(), &()), Decision::Granted);
    assert_eq!(open(18).decide(&anybody(), &()), denied("closed"));
}

#[test]
fn a_hierarchy_adds_nothing_to_nothing() {
    let hierarchy = Hierarchy::parse("admin > editor\r\n\n  viewer  \n").expect("a hierarchy");
    let none = hierarchy.expand_scopes(&Scopes::default()).expect("scopes");
    assert_eq!(none.iter().count(), 0);
    assert_eq!(hierarchy.expand(&Roles::default()).iter().count(), 0);
    for weird in [
        "a >",
        "> a",
        "a >> b",
        "a > a",
        "a b > c",
        "a > b\nb > c\nc > a",
        ">",
        "a\rb > c",
        "a\u{2028}b",
    ] {
        assert!(Hierarchy::parse(weird).is_err(), "{weird:?}");
    }
}

#[test]
fn a_hierarchy_reaches_all_the_way_down_and_never_up() {
    let hierarchy =
        Hierarchy::parse("admin > editor > viewer\n\nauditor > viewer\nroot > admin").expect("hierarchy");
    let held = |name: &str| {
        let expanded = hierarchy.expand(&Roles::from_iter([name]));
        expanded.iter().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(held("root"), "admin editor root viewer");
    assert_eq!(held("editor"), "editor viewer");
    assert_eq!(held("auditor"), "auditor viewer");
    assert_eq!(held("stranger"), "stranger");
    let scopes = hierarchy
        .expand_scopes(&Scopes::parse("editor").expect("scopes"))
        .expect("scopes");
    assert!(scopes.contains("viewer") && !scopes.contains("admin"));
    for bad in ["a > b\nb > a", "a > a", "a > b > c > a", "a >", "> a", "a b > c"] {
        assert!(Hierarchy::parse(bad).is_err(), "{bad}");
    }
}

enum Loads {
    Answers(bool),
    Fails,
    Panics,
    Hangs,
}

struct Member(Loads);

#[async_trait::async_trait]
impl LoadPolicy<()> for Member {
    type Facts = bool;

    async fn load(
        &self,
        _: &Authentication<()>,
        (): &(),
    ) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        match self.0 {
            Loads::Answers(member) => Ok(member),
            Loads::Fails => Err("no connection".into()),
            Loads::Panics => panic!("a bug"),
            Loads::Hangs => std::future::pending().await,
        }
    }

    fn decide(&self, _: &Authentication<()>, (): &(), member: &bool) -> Decision {
        Decision::granted_if(*member, "not_a_member")
    }
}

#[test]
fn facts_decide_and_their_absence_never_does() {
    let caller = anybody();
    let never = std::future::pending::<()>;
    let decide = |loads| {
        let policy = Member(loads);
        load_and_decide(&policy, &caller, &(), never())
            .now_or_never()
            .expect("ready")
    };
    assert_eq!(decide(Loads::Answers(true)).expect("facts"), Decision::Granted);
    assert_eq!(
        decide(Loads::Answers(false)).expect("facts"),
        denied("not_a_member")
    );
    assert!(decide(Loads::Fails).is_err());
    assert!(decide(Loads::Panics).is_err());
    let out_of_time = load_and_decide(&Member(Loads::Hangs), &caller, &(), std::future::ready(()));
    assert!(out_of_time.now_or_never().expect("ready").is_err());
    // Facts that are there when the time is up are facts.
    let just = load_and_decide(
        &Member(Loads::Answers(true)),
        &caller,
        &(),
        std::future::ready(()),
    );
    assert_eq!(
        just.now_or_never().expect("ready").expect("facts"),
        Decision::Granted
    );
}
