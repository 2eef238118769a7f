//! The table of ASVS 5.0 requirements: which test shows which, read from the names of the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A requirement of the OWASP Application Security Verification Standard 5.0, in our words.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Demand {
    /// `8.2.1`.
    pub id: &'static str,
    /// 1 to 3.
    pub level: u8,
    /// What it asks for.
    pub asks: &'static str,
    /// What of ours answers it; nothing where it is the application's to answer.
    pub answer: &'static str,
    /// Whether a test must show it.
    pub is_tested: bool,
}

impl Demand {
    /// One that a test must show.
    #[must_use]
    pub const fn tested(id: &'static str, level: u8, asks: &'static str, answer: &'static str) -> Self {
        Self {
            id,
            level,
            asks,
            answer,
            is_tested: true,
        }
    }

    /// One that no library can meet alone.
    #[must_use]
    pub const fn of_application(
        id: &'static str,
        level: u8,
        asks: &'static str,
        answer: &'static str,
    ) -> Self {
        Self {
            id,
            level,
            asks,
            answer,
            is_tested: false,
        }
    }
}

/// The id in the name of a test: `asvs_8_2_1_functions_are_…` shows 8.2.1.
#[must_use]
pub fn id_of(test: &str) -> Option<String> {
    let rest = test.strip_prefix("asvs_")?;
    let numbers: Vec<_> = rest
        .split('_')
        .take(3)
        .take_while(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    (numbers.len() == 3).then(|| numbers.join("."))
}

/// The names of the tests for each id.
#[must_use]
pub fn by_id<'n>(names: impl IntoIterator<Item = &'n str>) -> BTreeMap<String, BTreeSet<String>> {
    let mut map = BTreeMap::<String, BTreeSet<String>>::new();
    for name in names {
        if let Some(id) = id_of(name) {
            map.entry(id).or_default().insert(name.to_owned());
        }
    }
    map
}

/// The page.
#[must_use]
pub fn page(demands: &[Demand], tests: &BTreeMap<String, BTreeSet<String>>) -> String {
    let mut page = String::from(
        "# ASVS 5.0\n\n\
         What the OWASP Application Security Verification Standard asks for, in our words, what answers it here, and the tests \
         that show\nit. Generated from the names of the tests: \
         `PORTCULLIS_BLESS=1 cargo test -p portcullis-tests --test asvs` writes this page.\n",
    );
    let mut chapter = "";
    for demand in demands {
        let this = demand.id.split('.').next().unwrap_or_default();
        if this != chapter {
            chapter = this;
            let _ = write!(
                page,
                "\n## V{chapter}\n\n| id | level | asks | answer | tests |\n|---|---|---|---|---|\n"
            );
        }
        let shown = tests.get(demand.id).into_iter().flatten();
        let shown: Vec<_> = shown.map(|name| format!("`{name}`")).collect();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            demand.id,
            demand.level,
            demand.asks,
            demand.answer,
            if shown.is_empty() {
                "–".to_owned()
            } else {
                shown.join(", ")
            },
        );
    }
    page
}

/// What is wrong: a demand without its test, or a test for a demand that is not listed.
#[must_use]
pub fn violations(demands: &[Demand], tests: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let missing = demands
        .iter()
        .filter(|demand| demand.is_tested && !tests.contains_key(demand.id))
        .map(|demand| format!("no test shows {}", demand.id));
    let unlisted = tests
        .keys()
        .filter(|id| !demands.iter().any(|demand| demand.id == id.as_str()))
        .map(|id| format!("a test shows {id}, which is not listed"));
    missing.chain(unlisted).collect()
}
