//! Why nothing can be decided.

use std::fmt::Display;

/// Why nothing can be decided: a code for every log, and the whole story, in which values of attributes may stand, for
/// those who ask for it.
#[derive(Debug)]
pub(crate) struct Undecidable {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

impl Undecidable {
    pub(crate) fn new(code: &'static str, detail: impl Display) -> Self {
        Self {
            code,
            detail: detail.to_string(),
        }
    }
}
