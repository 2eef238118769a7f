//! The threat table: which test answers which attack, read from the doc comments of the tests.

use std::collections::{BTreeMap, BTreeSet};

/// One test function.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Test {
    /// Its name.
    pub name: String,
    /// The ids of attacks that its doc comment names.
    pub ids: BTreeSet<String>,
}

/// The test functions in a source file.
#[must_use]
pub fn tests(source: &str) -> Vec<Test> {
    let mut found = Vec::new();
    let mut ids = BTreeSet::new();
    let mut is_test = false;
    let mut open_attribute = false;
    for line in source.lines().map(str::trim) {
        if open_attribute || line.starts_with("#[") {
            is_test |= ["#[test]", "#[tokio::test"]
                .iter()
                .any(|test| line.starts_with(test));
            let code = line.split(" //").next().unwrap_or_default();
            open_attribute = !code.trim_end().ends_with(']');
        } else if let Some(doc) = line.strip_prefix("///") {
            ids.extend(ids_in(doc));
        } else if !line.starts_with("//") {
            if let (true, Some(name)) = (is_test, function_name(line)) {
                let ids = std::mem::take(&mut ids);
                found.push(Test { name, ids });
            }
            ids.clear();
            is_test = false;
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().skip_while(|word| *word != "fn");
    words.next()?;
    let name = words.next()?.split(['(', '<']).next()?;
    Some(name.to_owned())
}

/// The ids in a text: `T-ALG-1`, `R5`.
fn ids_in(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '-'))
        .filter(|word| is_id(word))
        .map(str::to_owned)
}

fn is_id(word: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(number) = word.strip_prefix('R') {
        return is_number(number);
    }
    let family = word
        .strip_prefix("T-")
        .and_then(|rest| rest.rsplit_once('-'))
        .filter(|(_, number)| is_number(number))
        .map(|(family, _)| family);
    family.is_some_and(|family| !family.is_empty() && family.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// The names of the tests for each id.
#[must_use]
pub fn by_id(tests: impl IntoIterator<Item = Test>) -> BTreeMap<String, BTreeSet<String>> {
    let mut map = BTreeMap::<String, BTreeSet<String>>::new();
    for test in tests {
        for id in test.ids {
            map.entry(id).or_default().insert(test.name.clone());
        }
    }
    map
}

/// The rows of a page: every table row whose first cell is an id.
fn row(line: &str) -> Option<(&str, Vec<&str>)> {
    let cells: Vec<&str> = line
        .strip_prefix('|')?
        .strip_suffix('|')?
        .split('|')
        .map(str::trim)
        .collect();
    let id = *cells.first()?;
    (cells.len() == 4 && is_id(id)).then_some((id, cells))
}

/// The ids that have a row.
#[must_use]
pub fn rows(page: &str) -> BTreeSet<String> {
    page.lines()
        .filter_map(row)
        .map(|(id, _)| id.to_owned())
        .collect()
}

/// The page with the last cell of every row filled from the tests that exist.
#[must_use]
pub fn filled(page: &str, by_id: &BTreeMap<String, BTreeSet<String>>) -> String {
    let mut filled = String::with_capacity(page.len());
    for line in page.lines() {
        match row(line).as_ref().map(|(id, cells)| (*id, cells.as_slice())) {
            Some((id, [_, attack, place, _])) => {
                let names: Vec<String> = by_id
                    .get(id)
                    .into_iter()
                    .flatten()
                    .map(|name| format!("`{name}`"))
                    .collect();
                let tests = if names.is_empty() {
                    "not yet".to_owned()
                } else {
                    names.join(", ")
                };
                filled.push_str(&format!("| {id} | {attack} | {place} | {tests} |"));
            }
            _ => filled.push_str(line),
        }
        filled.push('\n');
    }
    filled
}

/// The source files that the page's rows point at: what stands in back-quotes and ends with `.rs`.
#[must_use]
pub fn places(page: &str) -> BTreeSet<String> {
    page.lines()
        .filter_map(row)
        .filter_map(|(_, cells)| cells.get(2).map(|place| (*place).to_owned()))
        .flat_map(|place| {
            let quoted: Vec<String> = place.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            quoted
        })
        .filter(|quoted| quoted.ends_with(".rs"))
        .collect()
}
