//! What is promised, and whether it holds.

use crate::results::{
    ALLOCATIONS, CACHED, INSTRUCTIONS, LOOPBACK, Results, TIME, number, row, verdict, with_range,
};

/// A layer of axum 0.7 around the router, two extractors, two layers within the router on aws-lc.
pub(crate) const PEERS: [&str; 5] = [
    "jwt-authorizer",
    "axum-jwks",
    "axum-jwt-auth",
    "tower-oauth2-resource-server",
    "by-hand",
];

/// Metric, what is promised, the case, and the most it may be.
const BUDGETS: [(&str, &str, &str, f64); 26] = [
    (
        TIME,
        "RS256: time over bare ÷ signature check",
        "RS256/ours/typed",
        1.15,
    ),
    (
        TIME,
        "ES256: time over bare ÷ signature check",
        "ES256/ours/typed",
        1.06,
    ),
    (
        TIME,
        "EdDSA: time over bare ÷ signature check",
        "EdDSA/ours/typed",
        1.06,
    ),
    (
        INSTRUCTIONS,
        "RS256: instructions over bare and signature check",
        "RS256/ours/typed",
        28_000.0,
    ),
    (INSTRUCTIONS, "ES256: the same", "ES256/ours/typed", 28_000.0),
    (INSTRUCTIONS, "EdDSA: the same", "EdDSA/ours/typed", 28_000.0),
    (
        ALLOCATIONS,
        "allocations over bare, nine owned texts",
        "RS256/ours/typed",
        14.0,
    ),
    (
        ALLOCATIONS,
        "the same, borrowed claims",
        "RS256/ours/borrowed",
        6.0,
    ),
    (ALLOCATIONS, "the same, claims not read", "RS256/ours/unread", 6.0),
    (
        CACHED,
        "token seen before: time over bare ÷ bare",
        "RS256/ours/cached",
        1.7,
    ),
    (
        ALLOCATIONS,
        "the same: allocations over bare",
        "RS256/ours/cached",
        4.0,
    ),
    (
        INSTRUCTIONS,
        "no credentials, refused: instructions over bare",
        "anonymous/ours/refused",
        1_500.0,
    ),
    (
        INSTRUCTIONS,
        "the same behind `Router::layer`",
        "anonymous/ours/refused/router-layer",
        1_500.0,
    ),
    (
        INSTRUCTIONS,
        "no credentials, optional: instructions over bare",
        "anonymous/ours/passed",
        1_500.0,
    ),
    (
        ALLOCATIONS,
        "no credentials, refused: allocations over bare",
        "anonymous/ours/refused",
        0.0,
    ),
    (
        ALLOCATIONS,
        "the same behind `Router::layer`",
        "anonymous/ours/refused/router-layer",
        0.0,
    ),
    (
        ALLOCATIONS,
        "no credentials, optional: allocations over bare",
        "anonymous/ours/passed",
        0.0,
    ),
    (
        CACHED,
        "session, a value read: time over bare ÷ bare",
        "session/ours/read",
        0.9,
    ),
    (
        INSTRUCTIONS,
        "the same: instructions over bare and one SHA-256",
        "session/ours/read",
        4_000.0,
    ),
    (
        ALLOCATIONS,
        "the same: allocations over bare",
        "session/ours/read",
        4.0,
    ),
    (
        CACHED,
        "session, who is signed in: time over bare ÷ bare",
        "session/ours/caller",
        0.9,
    ),
    (
        INSTRUCTIONS,
        "the same: instructions over bare and one SHA-256",
        "session/ours/caller",
        4_000.0,
    ),
    (
        ALLOCATIONS,
        "the same: allocations over bare",
        "session/ours/caller",
        4.0,
    ),
    (
        CACHED,
        "API key, cached: time over bare ÷ bare",
        "api-key/ours/cached",
        0.7,
    ),
    (
        INSTRUCTIONS,
        "the same: instructions over bare and one SHA-256",
        "api-key/ours/cached",
        3_000.0,
    ),
    (
        ALLOCATIONS,
        "the same: allocations over bare",
        "api-key/ours/cached",
        4.0,
    ),
];

pub(crate) fn budgets(results: &Results) -> String {
    let mut table = "| what | budget | measured | best peer | |\n|---|---|---|---|---|\n".to_owned();
    for (metric, what, name, most) in BUDGETS {
        let measured = results.over(metric, name);
        assert!(measured.is_some(), "{metric} of {name} was not measured");
        let range = results.quartiles(metric, name);
        let peer = best(results, metric, name).map(|(who, name, value)| {
            let range = results.quartiles(metric, &name);
            format!("{} {who}", with_range(metric, value, range))
        });
        let verdict = verdict(measured, range, |is| is <= most);
        let measured = measured.map(|value| with_range(metric, value, range));
        row(
            &mut table,
            [
                Some(what),
                Some(&number(metric, most)),
                measured.as_deref(),
                peer.as_deref(),
                Some(verdict),
            ],
        );
    }
    for (who, what, least) in [
        ("ours typed", "HTTP on the loopback: requests/s ÷ bare", None),
        ("ours cached", "the same, token seen before", Some(0.9)),
    ] {
        let show = |who: &str| {
            Some(with_range(
                LOOPBACK,
                results.share(who)?,
                results.share_range(who),
            ))
        };
        let share = |peer: &'static str| Some((peer, results.share(peer)?));
        let peer = PEERS
            .into_iter()
            .filter_map(share)
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let peer = peer.and_then(|(peer, _)| Some(format!("{} {peer}", show(peer)?)));
        let verdict = match least {
            Some(least) => verdict(results.share(who), results.share_range(who), |is| is >= least),
            None => "",
        };
        let budget = least.map(|least| number(LOOPBACK, least));
        row(
            &mut table,
            [
                Some(what),
                budget.as_deref(),
                show(who).as_deref(),
                peer.as_deref(),
                Some(verdict),
            ],
        );
    }
    let crates = results.value("crates", "ours");
    let verdict = verdict(crates, None, |is| is <= 60.0);
    let crates = crates.map(|crates| number(ALLOCATIONS, crates));
    row(
        &mut table,
        [
            Some("crates of core, tower, jwt and axum"),
            Some("60"),
            crates.as_deref(),
            None,
            Some(verdict),
        ],
    );
    table
}

/// The best of the peers at the same thing: who, the case and its value.
fn best<'p>(results: &Results, metric: &str, name: &str) -> Option<(&'p str, String, f64)> {
    let (group, what) = name.split_once("/ours/")?;
    let (theirs, who) = match (group, what, metric) {
        ("session", "read", _) => ("read", &["tower-sessions"][..]),
        ("session", "caller", _) => ("caller", &["axum-login"][..]),
        ("api-key", "cached", _) => ("cached", &["by-hand"][..]),
        // Over the signature check of aws-lc only those who use it can be compared.
        (_, "typed", INSTRUCTIONS) => ("typed", &PEERS[3..]),
        (_, "typed", _) => ("typed", &PEERS[..]),
        // In front of the router, and behind it.
        (_, "refused", _) => ("refused", &PEERS[..1]),
        (_, "refused/router-layer", _) => ("refused", &PEERS[3..]),
        _ => return None,
    };
    let of = |peer: &&'p str| {
        let name = format!("{group}/{peer}/{theirs}");
        let value = results.over(metric, &name)?;
        Some((*peer, name, value))
    };
    who.iter().filter_map(of).min_by(|a, b| a.2.total_cmp(&b.2))
}
