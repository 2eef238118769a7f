//! `docs/ASVS.md` says which test shows which requirement, and is what the names of the tests say.

use std::{fs, io};

use portcullis_tests::asvs::{self, Demand};
use portcullis_tests::graph::root;
use portcullis_tests::{sources, threats};

const DEMANDS: &[Demand] = &[
    Demand::tested(
        "3.3.1",
        1,
        "cookies are `Secure`, with `__Host-` or `__Secure-` in their name",
        "`SessionCookie`, which refuses contradictory settings",
    ),
    Demand::tested(
        "3.5.1",
        1,
        "requests that another site provoked are told apart (CSRF)",
        "`OriginPolicy`, before anything is verified; `Session` is not handed out on such a request",
    ),
    Demand::of_application(
        "7.1.1",
        2,
        "how long sessions last, idle and at most, is written down",
        "`Timeouts::standard`, `sensitive`, `long`",
    ),
    Demand::tested(
        "7.1.2",
        2,
        "how many sessions a user may have, and what becomes of one more, is written down",
        "`AtMost`: the oldest goes, or the new one is refused",
    ),
    Demand::tested(
        "7.2.1",
        1,
        "session tokens are verified by the server",
        "the id is looked up in the store on every request that asks; an unknown one is never adopted",
    ),
    Demand::tested(
        "7.2.2",
        1,
        "sessions are dynamic tokens, not fixed keys",
        "an id is made at every sign-in; API keys are another method, and manage no sessions",
    ),
    Demand::tested(
        "7.2.3",
        1,
        "session tokens are unique and have 128 bits of randomness",
        "32 bytes of the system's generator",
    ),
    Demand::tested(
        "7.2.4",
        1,
        "a new token at every authentication, and the old one ends",
        "`sign_in`, `step_up`, `rotate`: the old record is taken before the new one is made",
    ),
    Demand::tested(
        "7.3.1",
        2,
        "sessions end when they are not used",
        "`Timeouts::idle`",
    ),
    Demand::tested(
        "7.3.2",
        2,
        "sessions end however much they are used",
        "`Timeouts::absolute`",
    ),
    Demand::tested(
        "7.4.1",
        1,
        "a session that was ended is of no use",
        "the record is gone, on every instance; a late save brings nothing back",
    ),
    Demand::tested(
        "7.4.2",
        1,
        "when an account is closed, its sessions end",
        "`Sessions::revoke_all`, which also refuses what is under way",
    ),
    Demand::tested(
        "7.4.3",
        2,
        "all others can be ended after a change of the password or a factor",
        "`Sessions::revoke_others` and `rotate`",
    ),
    Demand::of_application(
        "7.4.4",
        2,
        "signing out is on every page",
        "the application's pages",
    ),
    Demand::tested(
        "7.4.5",
        2,
        "administrators can end the sessions of a user",
        "`Sessions::revoke`, `revoke_all`: by principal, outside any request of theirs",
    ),
    Demand::of_application(
        "7.5.1",
        2,
        "changing sensitive data takes authentication anew",
        "`FreshWithin` and `step_up`",
    ),
    Demand::tested(
        "7.5.2",
        2,
        "users see and end their sessions",
        "`Sessions::list`, `revoke`, `revoke_others`",
    ),
    Demand::tested(
        "7.5.3",
        3,
        "sensitive actions take a further proof",
        "`step_up`, whose factor is evidence; `HasFactor`, `FreshWithin`",
    ),
    Demand::of_application(
        "7.6.1",
        2,
        "how long sessions of an identity provider and ours last depends on each other as written down",
        "the session has its own times; `SignIn::authenticated_at` keeps the provider's",
    ),
    Demand::tested(
        "7.6.2",
        2,
        "a session begins only with the user's doing",
        "nothing is stored and no cookie set before something is written or somebody signs in",
    ),
    Demand::tested(
        "8.1.1",
        1,
        "the rules for functions and data are written down",
        "the inventory of a `Gate`, held against a written table",
    ),
    Demand::of_application(
        "8.1.2",
        2,
        "the rules for single fields are written down",
        "policies that are types: `Guarded::reveal` takes one for a field",
    ),
    Demand::of_application(
        "8.1.3",
        3,
        "attributes of environment and context that decide are written down",
        "`of_request`, `at_time`: the application says which",
    ),
    Demand::of_application(
        "8.1.4",
        3,
        "how environment and context decide is written down",
        "as 8.1.3",
    ),
    Demand::tested(
        "8.2.1",
        1,
        "functions are for those with an explicit permission",
        "`Gate`: a method without a need does not compile; `LedgerLayer`: an answer without a decision is withheld",
    ),
    Demand::tested(
        "8.2.2",
        1,
        "data is for those with an explicit permission to that item (IDOR, BOLA)",
        "`Guarded<T>`: no way to the object but by a decision about it",
    ),
    Demand::tested(
        "8.2.3",
        2,
        "fields are for those with an explicit permission to them (BOPLA)",
        "`Guarded::reveal`",
    ),
    Demand::tested(
        "8.2.4",
        3,
        "environment and context (time, place, device) are part of decisions",
        "`of_request`, `at_time`, `FreshWithin`, `HasFactor`",
    ),
    Demand::tested(
        "8.3.1",
        1,
        "rules are enforced where the client cannot change them",
        "nothing that decides is read from a path, a query or a header but the credentials",
    ),
    Demand::tested(
        "8.3.2",
        3,
        "changes of what decides take effect at once, or what slips through is noticed",
        "`RevocationList`, the key set's generation, `until_invalid`, `.load` of the user on each request",
    ),
    Demand::tested(
        "8.3.3",
        3,
        "a service decides by the rights of the one who asked, not by those of the service between",
        "a client that acts for itself owns nothing and is no user",
    ),
    Demand::tested(
        "8.4.1",
        2,
        "nobody reaches another tenant's data",
        "`SameTenant`: a denial that no role outweighs",
    ),
    Demand::tested(
        "8.4.2",
        3,
        "administration has more than one layer of security",
        "`All<(HasRole<Admin>, FreshWithin<300>, HasFactor<…>)>` and step-up (RFC 9470)",
    ),
    Demand::tested(
        "14.2.1",
        1,
        "no keys and tokens in addresses",
        "neither keys nor ids are read from there",
    ),
    Demand::tested(
        "14.3.1",
        1,
        "the browser forgets the user's data at sign-out",
        "`Clear-Site-Data`",
    ),
    Demand::tested(
        "16.2.5",
        2,
        "tokens are not logged",
        "none is printed, by `Debug` or in events",
    ),
    Demand::tested(
        "16.4.1",
        2,
        "nobody can forge a line of the log",
        "`Escaped`; `TracingAudit`",
    ),
];

fn names() -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in ["crates", "examples", "tests"] {
        sources::collect(&root().join(folder), &mut files)?;
    }
    let mut names = Vec::new();
    for file in files {
        names.extend(
            threats::tests(&fs::read_to_string(file)?)
                .into_iter()
                .map(|test| test.name),
        );
    }
    Ok(names)
}

#[test]
fn the_page_is_what_the_tests_say() -> io::Result<()> {
    let names = names()?;
    let tests = asvs::by_id(names.iter().map(String::as_str));
    let page = asvs::page(DEMANDS, &tests);
    let path = root().join("docs/ASVS.md");
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        fs::write(&path, &page)?;
    }
    assert_eq!(asvs::violations(DEMANDS, &tests), [""; 0]);
    assert_eq!(fs::read_to_string(path)?, page, "PORTCULLIS_BLESS=1 writes it");
    Ok(())
}

#[test]
fn a_demand_without_a_test_and_a_test_without_a_demand_are_noticed() {
    let demands = [
        Demand::tested("8.2.1", 1, "", ""),
        Demand::of_application("8.1.3", 3, "", ""),
    ];
    let complaints = |names: &[&str]| asvs::violations(&demands, &asvs::by_id(names.iter().copied()));
    assert_eq!(complaints(&["asvs_8_2_1_it_holds", "another_test"]), [""; 0]);
    assert_eq!(complaints(&["asvs_8_2_it_holds"]), ["no test shows 8.2.1"]);
    assert_eq!(
        complaints(&["asvs_8_2_1_a", "asvs_9_1_1_b"]),
        ["a test shows 9.1.1, which is not listed"]
    );
}
