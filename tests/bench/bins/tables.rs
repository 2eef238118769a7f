//! Writes what was measured into the tables of docs/PERFORMANCE.md, between their markers.
//!
//!     tables RESULTS PAGE
//!
//! A line of RESULTS is a metric, the name of a case and a value, separated by tabs.

use std::collections::BTreeMap;
use std::fs;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [results, page] = &arguments[..] else {
        panic!("tables RESULTS PAGE");
    };
    let results = Results::read(&fs::read_to_string(results).expect("the results"));
    let mut text = fs::read_to_string(page).expect("the page");
    for (marker, table) in [
        ("machine", machine(&results)),
        ("budgets", budgets(&results)),
        ("deciding", deciding(&results)),
        ("peers", peers(&results)),
        ("growth", growth(&results)),
        ("place", place(&results)),
        (
            "who",
            format!("```text\n{}\n```", results.words("who").join("\n")),
        ),
    ] {
        text = between(&text, marker, &table);
    }
    fs::write(page, text).expect("writes the page");
}

/// Replaces what stands between `<!-- marker -->` and `<!-- /marker -->`.
fn between(text: &str, marker: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {marker} -->"), format!("<!-- /{marker} -->"));
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
    format!("{before}{begin}\n{}\n{end}{after}", table.trim_end())
}

const TIME: &str = "time over bare / signature";
const CACHED: &str = "time over bare / bare";
const INSTRUCTIONS: &str = "instructions";
const ALLOCATIONS: &str = "allocations";
const LOOPBACK: &str = "loopback";

struct Results(BTreeMap<(String, String), Vec<String>>);

impl Results {
    fn read(text: &str) -> Self {
        let mut all = BTreeMap::<_, Vec<String>>::new();
        for line in text.lines() {
            let mut words = line.splitn(3, '\t').map(str::to_owned);
            let (Some(metric), Some(name), Some(value)) = (words.next(), words.next(), words.next()) else {
                panic!("not a result: {line}");
            };
            all.entry((metric, name)).or_default().push(value);
        }
        Self(all)
    }

    /// The values of a metric that are words, whatever they are about.
    fn words(&self, metric: &str) -> Vec<String> {
        let of = self.0.iter().filter(|((of, _), _)| of == metric);
        of.flat_map(|(_, values)| values).cloned().collect()
    }

    /// The median of what was measured; of a ratio, the median that was printed first.
    fn value(&self, metric: &str, name: &str) -> Option<f64> {
        let values = self.0.get(&(metric.to_owned(), name.to_owned()))?;
        let number = |value: &String| value.split('\t').next().and_then(|first| first.parse().ok());
        let mut numbers: Vec<f64> = values.iter().filter_map(number).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.get(numbers.len() / 2).copied()
    }

    /// The quartiles of a ratio of times: how much it varied within the run.
    fn quartiles(&self, metric: &str, name: &str) -> Option<(f64, f64)> {
        let values = self.0.get(&(metric.to_owned(), name.to_owned()))?;
        let mut numbers = values
            .first()?
            .split('\t')
            .skip(1)
            .filter_map(|text| text.parse().ok());
        Some((numbers.next()?, numbers.next()?))
    }

    /// A count over the bare router and the signature check.
    fn over(&self, metric: &str, name: &str) -> Option<f64> {
        let value = self.value(metric, name)?;
        if metric == TIME || metric == CACHED {
            return Some(value);
        }
        let (group, _) = name.split_once('/')?;
        let bare = if name.contains("jwt-authorizer") {
            "bare07"
        } else {
            "bare"
        };
        let bare = self.value(metric, &format!("{group}/{bare}"))?;
        let signature = self.value(metric, &format!("{group}/signature")).unwrap_or(0.0);
        Some(value - bare - signature)
    }

    /// Requests per second as shares of the bare router's, one for each round, the least first.
    fn shares(&self, who: &str) -> Option<Vec<f64>> {
        let of = |who: &str| -> Option<Vec<f64>> {
            let values = self.0.get(&(LOOPBACK.to_owned(), who.to_owned()))?;
            Some(values.iter().filter_map(|value| value.parse().ok()).collect())
        };
        let bare = of(if who == "jwt-authorizer" { "bare07" } else { "bare" })?;
        let mut shares: Vec<f64> = of(who)?
            .iter()
            .zip(&bare)
            .map(|(mine, bare)| mine / bare)
            .collect();
        shares.sort_by(f64::total_cmp);
        Some(shares)
    }

    fn share(&self, who: &str) -> Option<f64> {
        let shares = self.shares(who)?;
        shares.get(shares.len() / 2).copied()
    }

    /// The least and the most of the rounds.
    fn share_range(&self, who: &str) -> Option<(f64, f64)> {
        let shares = self.shares(who)?;
        Some((*shares.first()?, *shares.last()?))
    }

    fn show(&self, metric: &str, name: &str) -> String {
        let Some(value) = self.over(metric, name) else {
            return "—".to_owned();
        };
        with_range(metric, value, self.quartiles(metric, name))
    }
}

/// A value, and in brackets between what it varied.
fn with_range(metric: &str, value: f64, range: Option<(f64, f64)>) -> String {
    match range {
        Some((low, high)) => {
            format!(
                "{} ({}…{})",
                number(metric, value),
                number(metric, low),
                number(metric, high)
            )
        }
        None => number(metric, value),
    }
}

fn number(metric: &str, value: f64) -> String {
    if ![INSTRUCTIONS, ALLOCATIONS].contains(&metric) {
        return format!("{value:.2}").replace('-', "−");
    }
    let digits = format!("{:.0}", value.abs());
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if value < 0.0 { format!("−{shown}") } else { shown }
}

/// A layer of axum 0.7 around the router, two extractors, two layers within the router on aws-lc.
const PEERS: [&str; 5] = [
    "jwt-authorizer",
    "axum-jwks",
    "axum-jwt-auth",
    "tower-oauth2-resource-server",
    "by-hand",
];

/// Metric, what is promised, the case, and the most it may be.
const BUDGETS: [(&str, &str, &str, f64); 17] = [
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
];

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
fn deciding(results: &Results) -> String {
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

fn budgets(results: &Results) -> String {
    let mut table = "| what | budget | measured | best peer | |\n|---|---|---|---|---|\n".to_owned();
    for (metric, what, name, most) in BUDGETS {
        let measured = results.over(metric, name);
        assert!(measured.is_some(), "{metric} of {name} was not measured");
        let range = results.quartiles(metric, name);
        let peer = best(results, metric, name).map(|(who, value)| {
            let range = results.quartiles(metric, &format!("{}/{who}/typed", group(name)));
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

/// What varies within a run is judged by all that it varied between, or not at all.
fn verdict(measured: Option<f64>, range: Option<(f64, f64)>, met: impl Fn(f64) -> bool) -> &'static str {
    let Some(measured) = measured else {
        return "not measured";
    };
    let (low, high) = range.unwrap_or((measured, measured));
    match (met(low), met(high)) {
        (true, true) => "met",
        (false, false) => "**not met**",
        _ => "undecided: varied too much",
    }
}

fn row(table: &mut String, cells: [Option<&str>; 5]) {
    let cells = cells.map(|cell| cell.unwrap_or("—"));
    table.push_str(&format!("| {} |\n", cells.join(" | ")));
}

fn group(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

/// The best of the peers at the same thing.
fn best<'p>(results: &Results, metric: &str, name: &str) -> Option<(&'p str, f64)> {
    let (group, what) = name.split_once("/ours/")?;
    let (theirs, who) = match (what, metric) {
        // Over the signature check of aws-lc only those who use it can be compared.
        ("typed", INSTRUCTIONS) => ("typed", &PEERS[3..]),
        ("typed", _) => ("typed", &PEERS[..]),
        // In front of the router, and behind it.
        ("refused", _) => ("refused", &PEERS[..1]),
        ("refused/router-layer", _) => ("refused", &PEERS[3..]),
        _ => return None,
    };
    let of = |peer: &&'p str| Some((*peer, results.over(metric, &format!("{group}/{peer}/{theirs}"))?));
    who.iter().filter_map(of).min_by(|a, b| a.1.total_cmp(&b.1))
}

fn peers(results: &Results) -> String {
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

fn rows(results: &Results, rows: &[(&str, &str)]) -> String {
    let mut table =
        "| | instructions | allocations | time over bare ÷ bare |\n|---|---|---|---|\n".to_owned();
    for (what, name) in rows {
        let [instructions, allocations, time] =
            [INSTRUCTIONS, ALLOCATIONS, CACHED].map(|metric| results.show(metric, name));
        table.push_str(&format!("| {what} | {instructions} | {allocations} | {time} |\n"));
    }
    table
}

fn growth(results: &Results) -> String {
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

fn place(results: &Results) -> String {
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

fn machine(results: &Results) -> String {
    let mut table = "| | |\n|---|---|\n".to_owned();
    for fact in results.words("fact") {
        let (what, value) = fact.split_once('\t').unwrap_or((&fact, ""));
        table.push_str(&format!("| {what} | {value} |\n"));
    }
    table
}
