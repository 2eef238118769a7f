//! Sessions and API keys: beside other crates, and with ever more of them stored.

use crate::results::{ALLOCATIONS, INSTRUCTIONS, Results, number, rows};

pub(crate) fn beside_others(results: &Results) -> String {
    rows(
        results,
        &[
            ("session, a value read: ours", "session/ours/read"),
            ("tower-sessions", "session/tower-sessions/read"),
            ("session, who is signed in: ours", "session/ours/caller"),
            ("the same without `SessionLayer`: ours", "session/ours/alone"),
            ("axum-login", "session/axum-login/caller"),
            ("session, nobody asks: ours", "session/ours/unread"),
            ("tower-sessions", "session/tower-sessions/unread"),
            ("no cookie, let through: ours", "session/ours/absent"),
            ("tower-sessions", "session/tower-sessions/absent"),
            ("no cookie, refused: ours", "session/ours/refused"),
            ("axum-login", "session/axum-login/refused"),
            ("API key, cached: ours", "api-key/ours/cached"),
            ("by hand, keys in clear", "api-key/by-hand/cached"),
            ("API key, of a fixed set: ours", "api-key/ours/fixed"),
            ("API key, asked for in the store: ours", "api-key/ours/asked"),
            ("no key, refused: ours", "api-key/ours/refused"),
            ("by hand, keys in clear", "api-key/by-hand/refused"),
        ],
    )
}

const STORED: [(&str, &str); 4] = [
    ("1,000", "1000"),
    ("10,000", "10000"),
    ("100,000", "100000"),
    ("1,000,000", "1000000"),
];

/// Instructions and allocations of one request over bare; of a session, of a key that is looked up, and of one that is cached.
pub(crate) fn growth(results: &Results) -> String {
    let columns = ["session/ours/stored", "api-key/ours/stored", "api-key/ours/known"];
    let mut table = "| stored | session read: instructions | allocations | key, asked for: instructions \
                     | allocations | key, cached: instructions | allocations |\n|---|---|---|---|---|---|---|\n"
        .to_owned();
    for (shown, stored) in STORED {
        table.push_str(&format!("| {shown} |"));
        for column in columns {
            for metric in [INSTRUCTIONS, ALLOCATIONS] {
                let name = format!("{column}-{stored}");
                let value = results.over(metric, &name);
                let value = value.unwrap_or_else(|| panic!("{metric} of {name} was not measured"));
                table.push_str(&format!(" {} |", number(metric, value)));
            }
        }
        table.push('\n');
    }
    table
}
