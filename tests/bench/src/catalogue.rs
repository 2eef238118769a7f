//! The names of everything that is measured.

use http::StatusCode;
use tower::layer::util::Identity;

use crate::bare::{request08, router};
use crate::signature::Signature;
use crate::{Fixture, InProcess, Subject, ours, stored};

/// The algorithms of the fixtures.
pub const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];

/// The group of requests without a token.
const ANONYMOUS: &str = "anonymous";

/// One thing that is measured. Compared within its group, over its bare router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// The token's algorithm, or `anonymous`.
    pub group: &'static str,
    /// `bare`, `signature`, `ours` or a peer.
    pub who: &'static str,
    /// What is special about it.
    pub what: &'static str,
}

impl Case {
    /// `RS256/ours/typed`: the words of the tables and of the command lines.
    pub fn name(&self) -> String {
        [self.group, self.who, self.what]
            .join("/")
            .trim_end_matches('/')
            .to_owned()
    }

    /// Whether its time says anything: one record that is asked for again and again lies in the processor's
    /// cache, however many others there are.
    pub fn is_timed(&self) -> bool {
        !["stored-", "known-"]
            .iter()
            .any(|growing| self.what.starts_with(growing))
    }
}

const OURS: [&str; 6] = [
    "typed",
    "borrowed",
    "unread",
    "router-layer",
    "cached",
    "cached-typed",
];
/// How cost grows; measured with one algorithm.
const GROWTH: [&str; 5] = ["keys-10", "keys-100", "issuers-2", "issuers-10", "issuers-100"];
/// What deciding costs; measured with one algorithm, over `unread`.
pub(crate) const DECIDING: [&str; 5] = ["requirement", "policy", "gate", "ledger", "audited"];
const WITHOUT_TOKEN: [&str; 4] = ["refused", "refused/router-layer", "passed", "passed/router-layer"];

/// Everything that is measured.
pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for group in ALGORITHMS {
        let mut add = |who, what| all.push(Case { group, who, what });
        add("bare", "");
        add("signature", "");
        OURS.into_iter().for_each(|what| add("ours", what));
        if group == "RS256" {
            GROWTH.into_iter().for_each(|what| add("ours", what));
            DECIDING.into_iter().for_each(|what| add("ours", what));
        }
    }
    let mut add = |who, what| {
        all.push(Case {
            group: ANONYMOUS,
            who,
            what,
        })
    };
    add("bare", "");
    add("bare", "router-layer");
    WITHOUT_TOKEN.into_iter().for_each(|what| add("ours", what));
    #[cfg(feature = "peers")]
    all.extend(crate::peers::cases(&ALGORITHMS, ANONYMOUS));
    all.extend(stored::cases());
    all
}

/// Builds and warms up what a name of [`cases`] stands for.
pub fn subject(name: &str) -> Box<dyn Subject> {
    let case = cases().into_iter().find(|case| case.name() == name);
    let case = case.unwrap_or_else(|| panic!("nothing is called {name}"));
    if [stored::SESSION, stored::API_KEY].contains(&case.group) {
        return stored::subject(case);
    }
    let fixture = (case.group != ANONYMOUS).then(|| Fixture::of(case.group));
    match (case.who, fixture) {
        ("bare", None) if case.what == "router-layer" => {
            let app = router().layer(Identity::new());
            Box::new(InProcess::new(app, StatusCode::OK, || request08(None)))
        }
        ("bare", fixture) => {
            let token = fixture.map(|fixture| fixture.token);
            Box::new(InProcess::new(router(), StatusCode::OK, move || request08(token)))
        }
        ("signature", Some(fixture)) => Box::new(Signature::new(fixture)),
        ("ours", Some(fixture)) => ours::with_token(fixture, case.what),
        ("ours", None) => ours::without_token(case.what),
        #[cfg(feature = "peers")]
        (who, fixture) => crate::peers::subject(who, fixture),
        #[cfg(not(feature = "peers"))]
        _ => panic!("nothing is called {name}"),
    }
}
