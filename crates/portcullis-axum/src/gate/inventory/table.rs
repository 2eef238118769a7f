//! The rows, and how they are shown.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Inventory, Need};

/// One row of an [`Inventory`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    route: String,
    methods: Vec<&'static str>,
    need: Need,
}

impl Row {
    pub(super) fn new(route: &str, methods: Vec<&'static str>, need: Need) -> Self {
        Self {
            route: route.to_owned(),
            methods,
            need,
        }
    }

    /// The route's template: `/documents/{id}`.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The methods: one, `GET` and `HEAD` where one handler answers both, or `*`, every method that has no row of its
    /// own.
    #[must_use]
    pub fn methods(&self) -> &[&'static str] {
        &self.methods
    }

    /// What is demanded of callers.
    #[must_use]
    pub const fn need(&self) -> &Need {
        &self.need
    }

    /// By route and method; `*`, the rest, is last, and what axum answers by itself after that.
    pub(super) fn order(&self) -> (&str, bool, bool, &[&'static str]) {
        let is_rest = self.methods.first() == Some(&"*");
        (&self.route, is_rest, self.need.is_unhandled(), &self.methods)
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("Row", 5)?;
        row.serialize_field("route", &self.route)?;
        row.serialize_field("methods", &self.methods)?;
        row.serialize_field("need", &self.need.to_string())?;
        row.serialize_field("public", &self.need.is_public())?;
        row.serialize_field("scopes", self.need.scopes())?;
        row.end()
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["ROUTE", "METHODS", "NEED"].map(str::to_owned);
        let rows = self.rows.iter().map(|row| {
            let methods = row.methods.join(", ");
            [row.route.clone(), methods, row.need.to_string()]
        });
        let lines: Vec<_> = std::iter::once(head).chain(rows).collect();
        let width = |longest: usize, cell: &String| longest.max(cell.chars().count());
        let route = lines.iter().map(|[route, ..]| route).fold(0, width);
        let methods = lines.iter().map(|[_, methods, _]| methods).fold(0, width);
        for [one, two, three] in &lines {
            writeln!(f, "{one:route$}  {two:methods$}  {three}")?;
        }
        Ok(())
    }
}
