//! What a gate remembers of what it was told.

use super::Need;

/// What no route answers.
pub(super) const REST: &str = "/{*rest}";

/// Which requests to a path a handler answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gate) enum Reach {
    Method(&'static str),
    /// Every method without a handler.
    Any,
    /// A service: everything under the path.
    Under,
    /// A fallback: what no route answers.
    Otherwise,
}

impl Reach {
    pub(in crate::gate) const DELETE: Self = Self::Method("DELETE");
    pub(in crate::gate) const GET: Self = Self::Method("GET");
    pub(in crate::gate) const HEAD: Self = Self::Method("HEAD");
    pub(in crate::gate) const OPTIONS: Self = Self::Method("OPTIONS");
    pub(in crate::gate) const PATCH: Self = Self::Method("PATCH");
    pub(in crate::gate) const POST: Self = Self::Method("POST");
    pub(in crate::gate) const PUT: Self = Self::Method("PUT");
}

/// One decision, at one path.
#[derive(Clone, Debug)]
pub(in crate::gate) struct Entry {
    pub(super) path: String,
    pub(super) reach: Reach,
    pub(super) need: Need,
}

impl Entry {
    pub(in crate::gate) fn new(path: &str, reach: Reach, need: Need) -> Self {
        Self {
            path: path.to_owned(),
            reach,
            need,
        }
    }

    pub(in crate::gate) fn under(prefix: &str, need: Need) -> Self {
        Self::new(&nested(prefix, REST), Reach::Under, need)
    }

    pub(in crate::gate) fn otherwise(need: Need) -> Self {
        Self::new(REST, Reach::Otherwise, need)
    }

    pub(in crate::gate) fn nested(self, prefix: &str) -> Self {
        Self {
            path: nested(prefix, &self.path),
            ..self
        }
    }
}

/// The path of a nested route, as axum makes it up.
pub(in crate::gate) fn nested(prefix: &str, path: &str) -> String {
    if prefix.ends_with('/') {
        format!("{prefix}{}", path.trim_start_matches('/'))
    } else if path == "/" {
        prefix.to_owned()
    } else {
        format!("{prefix}{path}")
    }
}
