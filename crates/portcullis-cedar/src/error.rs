//! What is wrong with a schema, with policies or with their files.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use miette::Diagnostic;
use portcullis_core::ConfigError;

/// How many findings are written out; the rest is counted.
const MOST_FINDINGS: usize = 8;

/// Policies or a schema that are not taken: at start-up, or by a reload, which then keeps what it had.
///
/// The text names the place, `policies, line 3, column 9: …`, and quotes names and fragments of what is wrong there.
#[derive(Clone, Debug)]
pub struct CedarError {
    kind: CedarErrorKind,
    message: String,
    line: Option<usize>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CedarErrorKind {
    /// No schema was given, or no policy.
    Missing,
    /// A text is larger, or nested deeper, than the bounds.
    TooLarge,
    /// A file cannot be read.
    Unreadable,
    /// The schema does not parse or contradicts itself.
    Schema,
    /// The policies do not parse.
    Syntax,
    /// The policies do not fit the schema.
    Validation,
    /// The schema has no such action, or not with the context that callers come with.
    Action,
}

impl CedarError {
    pub(crate) fn new(kind: CedarErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            line: None,
            source: None,
        }
    }

    pub(crate) fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// From what Cedar found in `text`, which is called `name`.
    pub(crate) fn findings<'d>(
        kind: CedarErrorKind,
        name: &str,
        text: &str,
        findings: impl IntoIterator<Item = &'d dyn Diagnostic>,
    ) -> Self {
        let mut findings = findings.into_iter();
        let mut messages = Vec::new();
        let mut line = None;
        for finding in findings.by_ref().take(MOST_FINDINGS) {
            let place = place(finding, text);
            line = line.or_else(|| place.map(|(line, _)| line));
            messages.push(match place {
                Some((line, column)) => format!("{name}, line {line}, column {column}: {finding}"),
                None => format!("{name}: {finding}"),
            });
        }
        let more = findings.count();
        if more > 0 {
            messages.push(format!("and {more} more"));
        }
        Self {
            line,
            ..Self::new(kind, messages.join("; "))
        }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> CedarErrorKind {
        self.kind
    }

    /// In which line of the schema or of the policies, counted from one, the first thing is wrong, if that is known.
    #[must_use]
    pub const fn line(&self) -> Option<usize> {
        self.line
    }
}

/// Line and column, both from one, of the first place that a finding points at.
fn place(finding: &dyn Diagnostic, text: &str) -> Option<(usize, usize)> {
    let offset = finding.labels()?.next()?.offset();
    let before = text.get(..offset)?;
    let start_of_line = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(start_of_line..)?.chars().count() + 1;
    Some((before.matches('\n').count() + 1, column))
}

impl fmt::Display for CedarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for CedarError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_ref()?;
        Some(&**source)
    }
}

impl From<CedarError> for ConfigError {
    fn from(error: CedarError) -> Self {
        Self::new("the Cedar policies are not taken").with_source(error)
    }
}
