use std::fmt;

/// The rules that were broken, as sentences that were expected to be true.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

#[derive(Debug)]
struct Violation {
    rule: &'static str,
    found: String,
}

impl Violations {
    /// The rules that were broken.
    pub fn rules(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|violation| violation.rule)
    }

    pub(super) fn expect(&mut self, rule: &'static str, holds: bool, found: impl fmt::Debug) {
        if !holds {
            let found = format!("{found:?}");
            self.0.push(Violation { rule, found });
        }
    }

    pub(super) fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store breaks the contract")?;
        for violation in &self.0 {
            write!(f, "; {}, but: {}", violation.rule, violation.found)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}
