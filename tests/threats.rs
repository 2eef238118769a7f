//! `docs/THREATS.md` names tests that exist, and every attack we promise to answer has one.
//!
//! The last column of the page is derived from the doc comments of the tests:
//! `PORTCULLIS_BLESS=1 cargo test -p portcullis-tests --test threats` writes it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{fs, io};

use portcullis_tests::graph::root;
use portcullis_tests::{sources, threats};

/// The attacks that must be answered by a test, as families and how many there are of each.
const REQUIRED: [(&str, u32); 14] = [
    ("T-ALG-", 4),
    ("T-CACHE-", 2),
    ("T-CNF-", 1),
    ("T-DOS-", 4),
    ("T-ERR-", 1),
    ("T-HDR-", 2),
    ("T-ISS-", 2),
    ("T-JWKS-", 13),
    ("T-PATH-", 2),
    ("T-REV-", 1),
    ("T-SIG-", 1),
    ("T-SIGN-", 10),
    ("T-WIRE-", 3),
    ("R", 8),
];

/// Those whose test has not been written yet. To be empty.
const PENDING: &[&str] = &[];

fn required() -> impl Iterator<Item = String> {
    REQUIRED
        .iter()
        .flat_map(|(family, count)| (1..=*count).map(move |number| format!("{family}{number}")))
}

fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n  {}\n", violations.join("\n  "));
}

/// Every test of the repository, except the test kit's own: they show that it can attack, not that
/// anything holds.
fn all_tests() -> io::Result<Vec<threats::Test>> {
    let mut files = Vec::new();
    for folder in ["crates", "examples", "tests"] {
        sources::collect(&root().join(folder), &mut files)?;
    }
    let mut tests = Vec::new();
    let kit: PathBuf = root().join("crates/portcullis-test");
    for file in files.iter().filter(|file| !file.starts_with(&kit)) {
        tests.extend(threats::tests(&fs::read_to_string(file)?));
    }
    Ok(tests)
}

fn page() -> io::Result<String> {
    fs::read_to_string(root().join("docs/THREATS.md"))
}

#[test]
fn ids_are_read_from_the_doc_comments_of_tests_only() {
    let source = "\
/// X-ALG-1 T-ALG-9x.\n/// T-ALG-1 and R5: so.\n#[test]\nfn one() {}\n\
/// T-ALG-2\nfn helper() {}\n\
#[test]\nfn two() {\n    // T-ALG-3\n}\n\
/// T-ALG-4\n#[tokio::test(\n    start_paused = true\n)]\nasync fn three() {}\n\
/// RFC R T- T-A- PR7 R12\n#[test] // So.\npub(crate) fn four<T>() {}\n";
    let tests = threats::tests(source);
    let read: Vec<(String, String)> = tests
        .into_iter()
        .map(|test| (test.name, test.ids.into_iter().collect::<Vec<_>>().join(" ")))
        .collect();
    let expected = [
        ("one", "R5 T-ALG-1"),
        ("two", ""),
        ("three", "T-ALG-4"),
        ("four", "R12"),
    ]
    .map(|(name, ids)| (name.to_owned(), ids.to_owned()));
    assert_eq!(read, expected);
}

#[test]
fn a_row_names_the_tests_that_exist_and_no_others() {
    let page =
        "# t\n| id | a | b | c |\n|---|---|---|---|\n| R1 | x | `a/b.rs` | `gone` |\n| R2 | y | z | |\n";
    let tests = threats::tests("/// R1\n#[test]\nfn there() {}\n");
    let filled = threats::filled(page, &threats::by_id(tests));
    assert!(
        filled.contains("| R1 | x | `a/b.rs` | `there` |\n| R2 | y | z | not yet |\n"),
        "{filled}"
    );
    assert_eq!(threats::rows(page).len(), 2);
    assert_eq!(threats::places(page).len(), 1);
}

#[test]
fn the_page_names_the_tests_that_exist() -> io::Result<()> {
    let page = page()?;
    let filled = threats::filled(&page, &threats::by_id(all_tests()?));
    if page == filled {
        return Ok(());
    }
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        return fs::write(root().join("docs/THREATS.md"), filled);
    }
    let different: Vec<String> = page
        .lines()
        .zip(filled.lines())
        .filter(|(old, new)| old != new)
        .map(|(_, new)| format!("the tests say: {new}"))
        .collect();
    panic!(
        "docs/THREATS.md is not what the tests say; run\n  \
         PORTCULLIS_BLESS=1 cargo test -p portcullis-tests --test threats\n  {}",
        different.join("\n  ")
    );
}

#[test]
fn every_place_the_page_names_exists() -> io::Result<()> {
    let gone: Vec<String> = threats::places(&page()?)
        .into_iter()
        .filter(|place| !root().join("crates").join(place).is_file() && !root().join(place).is_file())
        .map(|place| format!("docs/THREATS.md names {place}, which is not there"))
        .collect();
    assert_none(&gone);
    Ok(())
}

#[test]
fn every_attack_we_promise_to_answer_has_a_row_and_a_test() -> io::Result<()> {
    let by_id: BTreeMap<_, _> = threats::by_id(all_tests()?);
    let rows = threats::rows(&page()?);
    let mut violations = Vec::new();
    for id in required() {
        if !rows.contains(&id) {
            violations.push(format!("{id} has no row in docs/THREATS.md"));
        }
        match (by_id.contains_key(&id), PENDING.contains(&id.as_str())) {
            (false, false) => violations.push(format!("{id} has no test whose doc comment names it")),
            (true, true) => violations.push(format!("{id} has a test; strike it off the pending list")),
            (true, false) | (false, true) => {}
        }
    }
    assert_none(&violations);
    Ok(())
}
