//! What a row of the inventory demands.

use std::fmt;

use portcullis_core::Description;

/// What is demanded of callers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// Nothing, by the author's word.
    Public,
    /// This.
    Needs(Description),
    /// Nothing: the route has no such method, and axum says so to everybody.
    MethodNotAllowed,
    /// Nothing: there is no route, and axum says so to everybody.
    NotFound,
}

impl Need {
    /// Whether everybody gets an answer.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        !matches!(self, Self::Needs(_))
    }

    /// Whether axum answers by itself: no handler was given.
    #[must_use]
    pub const fn is_unhandled(&self) -> bool {
        matches!(self, Self::MethodNotAllowed | Self::NotFound)
    }

    /// Which scopes would do, as [`Description::scopes`]; empty where nothing is demanded.
    #[must_use]
    pub fn scopes(&self) -> &[Vec<&'static str>] {
        match self {
            Self::Needs(description) => description.scopes(),
            _ => &[],
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Needs(description) => description.fmt(f),
            Self::MethodNotAllowed => f.write_str("public (405)"),
            Self::NotFound => f.write_str("public (404)"),
        }
    }
}
