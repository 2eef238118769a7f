//! Verified tokens: beside other crates, with more keys, in another place, with a decision.

use crate::budgets::PEERS;
use crate::results::{ALLOCATIONS, INSTRUCTIONS, LOOPBACK, Results, TIME, number, rows, with_range};

/// What is decided, the case, the one it is compared with, and the most instructions and allocations it may cost.
const DECIDING: [(&str, &str, &str, f64, f64); 5] = [
    (
        "`Authorized<SignedIn>` in place of `Authenticated`",
        "RS256/ours/requirement",
        "RS256/ours/unread",
        1_000.0,
        0.0,
    ),
    (
        "a guarded object, owner or role",
        "RS256/ours/policy",
        "RS256/ours/unread",
        1_000.0,
        0.0,
    ),
    (
        "a route of a `Gate` that needs `SignedIn`",
        "RS256/ours/gate",
        "RS256/ours/unread",
        1_000.0,
        0.0,
    ),
    (
        "`LedgerLayer` around that object",
        "RS256/ours/ledger",
        "RS256/ours/policy",
        1_500.0,
        3.0,
    ),
    (
        "`LedgerLayer` with `TracingAudit`, nobody listening",
        "RS256/ours/audited",
        "RS256/ours/policy",
        3_000.0,
        3.0,
    ),
];

/// What deciding adds to a verified request.
pub(crate) fn deciding(results: &Results) -> String {
    let mut table =
        "| what | instructions | at most | allocations | at most | |\n|---|---|---|---|---|---|\n".to_owned();
    for (what, name, base, instructions, allocations) in DECIDING {
        let more = |metric| Some(results.value(metric, name)? - results.value(metric, base)?);
        let (Some(counted), Some(allocated)) = (more(INSTRUCTIONS), more(ALLOCATIONS)) else {
            panic!("{name} was not measured");
        };
        let met = counted <= instructions && allocated <= allocations;
        let [counted, instructions] = [counted, instructions].map(|value| number(INSTRUCTIONS, value));
        let [allocated, allocations] = [allocated, allocations].map(|value| number(ALLOCATIONS, value));
        let verdict = if met { "met" } else { "**not met**" };
        table.push_str(&format!(
            "| {what} | {counted} | {instructions} | {allocated} | {allocations} | {verdict} |\n"
        ));
    }
    table
}

pub(crate) fn peers(results: &Results) -> String {
    let mut table = "| who | time RS256 | ES256 | EdDSA | instructions RS256 | ES256 | EdDSA \
                     | allocations RS256 | no credentials: instructions | allocations | requests/s ÷ bare |\n\
                     |---|---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for who in ["ours"].into_iter().chain(PEERS) {
        let mut cells = vec![who.to_owned()];
        for (metric, groups) in [
            (TIME, &["RS256", "ES256", "EdDSA"][..]),
            (INSTRUCTIONS, &["RS256", "ES256", "EdDSA"]),
            (ALLOCATIONS, &["RS256"]),
        ] {
            let show = |group: &&str| results.show(metric, &format!("{group}/{who}/typed"));
            cells.extend(groups.iter().map(show));
        }
        for metric in [INSTRUCTIONS, ALLOCATIONS] {
            cells.push(results.show(metric, &format!("anonymous/{who}/refused")));
        }
        let server = if who == "ours" { "ours typed" } else { who };
        let share = results.share(server);
        let range = results.share_range(server);
        cells.push(share.map_or_else(|| "—".to_owned(), |share| with_range(LOOPBACK, share, range)));
        table.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    table
}

pub(crate) fn growth(results: &Results) -> String {
    rows(
        results,
        &[
            ("1 key, 1 issuer", "RS256/ours/typed"),
            ("10 keys, 1 issuer", "RS256/ours/keys-10"),
            ("100 keys, 1 issuer", "RS256/ours/keys-100"),
            ("1 key each, 2 issuers", "RS256/ours/issuers-2"),
            ("1 key each, 10 issuers", "RS256/ours/issuers-10"),
            ("1 key each, 100 issuers", "RS256/ours/issuers-100"),
        ],
    )
}

pub(crate) fn place(results: &Results) -> String {
    rows(
        results,
        &[
            ("verified, around the finished router", "RS256/ours/typed"),
            ("verified, `Router::layer`", "RS256/ours/router-layer"),
            (
                "no credentials, refused, around the finished router",
                "anonymous/ours/refused",
            ),
            (
                "no credentials, refused, `Router::layer`",
                "anonymous/ours/refused/router-layer",
            ),
            (
                "no credentials, let through, around the finished router",
                "anonymous/ours/passed",
            ),
            (
                "no credentials, let through, `Router::layer`",
                "anonymous/ours/passed/router-layer",
            ),
            (
                "`Router::layer` with a layer that does nothing",
                "anonymous/bare/router-layer",
            ),
        ],
    )
}
