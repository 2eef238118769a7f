//! The inventory in the words of an OpenAPI document.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Need, Row};

/// What callers of an operation need, as its `security` field says it (OpenAPI 3.1 §4.8.10, §4.8.30).
///
/// A list of alternatives, each of which names the security scheme and every scope it takes. Empty: the operation is
/// public, whatever the document says for all operations. A need that is no scope, such as a role, is an alternative
/// without scopes: OpenAPI has no words for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperationSecurity {
    route: String,
    methods: Vec<&'static str>,
    security: Vec<BTreeMap<String, Vec<&'static str>>>,
}

impl OperationSecurity {
    pub(super) fn of(row: &Row, scheme: &str) -> Option<Self> {
        if row.need().is_unhandled() {
            return None;
        }
        let way = |scopes: &Vec<_>| BTreeMap::from([(scheme.to_owned(), scopes.clone())]);
        let security = match row.need() {
            Need::Needs(description) => description.scopes().iter().map(way).collect(),
            _ => Vec::new(),
        };
        Some(Self {
            route: row.route().to_owned(),
            methods: row.methods().to_vec(),
            security,
        })
    }

    /// The route's template. OpenAPI writes parameters alike, `/documents/{id}`; it has none for the rest of a
    /// path, `{*rest}`.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The methods, in upper case; `*` for every method that is not listed for the route.
    #[must_use]
    pub fn methods(&self) -> &[&'static str] {
        &self.methods
    }

    /// The `security` of the operations.
    #[must_use]
    pub fn security(&self) -> &[BTreeMap<String, Vec<&'static str>>] {
        &self.security
    }
}
