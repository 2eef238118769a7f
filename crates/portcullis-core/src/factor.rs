//! What somebody proved it with.

use crate::{SharedStr, Timestamp};

/// One proof the caller gave: an `amr` value (RFC 8176) and when, if known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    name: SharedStr,
    at: Option<Timestamp>,
}

impl Factor {
    /// A factor, such as `pwd` or `hwk`, and the time it was proven.
    #[must_use]
    pub fn new(name: impl Into<SharedStr>, at: Option<Timestamp>) -> Self {
        Self {
            name: name.into(),
            at,
        }
    }

    /// The `amr` value.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it was proven.
    #[must_use]
    pub const fn at(&self) -> Option<Timestamp> {
        self.at
    }
}
