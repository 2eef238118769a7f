//! Writes what was measured into the tables of docs/PERFORMANCE.md, between their markers.
//!
//!     tables RESULTS PAGE
//!
//! A line of RESULTS is a metric, the name of a case and a value, separated by tabs.

mod budgets;
mod results;
mod stored;
mod tokens;

use std::fs;

use self::budgets::budgets;
use self::results::Results;
use self::tokens::{deciding, growth, peers, place};

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
        ("stored", stored::beside_others(&results)),
        ("stored growth", stored::growth(&results)),
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

fn machine(results: &Results) -> String {
    let mut table = "| | |\n|---|---|\n".to_owned();
    for fact in results.words("fact") {
        let (what, value) = fact.split_once('\t').unwrap_or((&fact, ""));
        table.push_str(&format!("| {what} | {value} |\n"));
    }
    table
}
