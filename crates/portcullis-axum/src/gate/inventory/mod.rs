//! What a gate holds: route, methods, need.

mod entry;
mod need;
mod open_api;
mod table;

use std::collections::BTreeMap;

use serde::Serialize;

pub(super) use self::entry::{Entry, Reach, nested};
pub use self::need::Need;
pub use self::open_api::OperationSecurity;
pub use self::table::Row;

/// The table of a gate's routes: which methods each has, and what those demand.
///
/// Sorted by route, then by method. As text it is an aligned table, made to be printed (`--print-inventory`), kept
/// in the repository and compared in a test, so that a change of what a route demands is seen in a review. Serialized,
/// it is a list of `{route, methods, need, public, scopes}`.
///
/// ```
/// use portcullis_axum::gate::{Gate, get};
/// use portcullis_core::{HasScope, Scope, SignedIn};
///
/// struct DocumentsDelete;
///
/// impl Scope for DocumentsDelete {
///     const NAME: &str = "documents:delete";
/// }
///
/// # async fn health() {}
/// # async fn read() {}
/// # async fn remove() {}
/// let gate: Gate = Gate::new().public("/healthz", get(health)).guarded(
///     "/documents/{id}",
///     get(read).needs::<SignedIn>().delete(remove).needs::<HasScope<DocumentsDelete>>(),
/// );
/// assert_eq!(
///     gate.inventory().to_string(),
///     "\
/// ROUTE            METHODS    NEED
/// /documents/{id}  DELETE     scope documents:delete
/// /documents/{id}  GET, HEAD  signed in
/// /documents/{id}  *          public (405)
/// /healthz         GET, HEAD  public
/// /healthz         *          public (405)
/// /{*rest}         *          public (404)
/// "
/// );
/// ```
///
/// The method `*` is every method that has no row of its own. What axum answers by itself is listed too: 405 for
/// methods a route does not have, `OPTIONS` among them, and 404 where no route is (`/{*rest}`). A service has one row,
/// its prefix with `/{*rest}`, which includes the prefix alone. So has the fallback of a gate nested under `/a`, which
/// answers `/a` and `/a/b`; what no route answers at `/a/` goes to the fallback outside, as with axum.
///
/// It lists what the gate was told. A layer that refuses everything, and routes added to the finished router, are not
/// in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Inventory {
    rows: Vec<Row>,
}

impl Inventory {
    pub(super) fn of(entries: &[Entry]) -> Self {
        // A handler's own `/{*rest}` is another place than what no route answers.
        let mut places = BTreeMap::<(&str, bool), Vec<&Entry>>::new();
        for entry in entries {
            let place = (entry.path.as_str(), entry.reach == Reach::Otherwise);
            places.entry(place).or_default().push(entry);
        }
        let mut rows: Vec<_> = places
            .iter()
            .flat_map(|((path, _), entries)| rows(path, entries))
            .collect();
        if !places.contains_key(&(entry::REST, true)) {
            rows.push(Row::new(entry::REST, vec!["*"], Need::NotFound));
        }
        rows.sort_by(|one, other| one.order().cmp(&other.order()));
        Self { rows }
    }

    /// The rows, in order.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// What an OpenAPI document says about the security of each operation, under this name of a security scheme. What
    /// axum answers by itself is no operation, and left out.
    ///
    /// ```
    /// use portcullis_axum::gate::{Gate, get};
    /// use portcullis_core::SignedIn;
    ///
    /// # async fn health() {}
    /// # async fn read() {}
    /// let gate: Gate = Gate::new()
    ///     .public("/healthz", get(health))
    ///     .guarded("/documents/{id}", get(read).needs::<SignedIn>());
    ///
    /// // The document comes from elsewhere; its operations get their `security` from here.
    /// let mut document = serde_json::json!({
    ///     "paths": { "/documents/{id}": { "get": {} }, "/healthz": { "get": {} } },
    ///     "components": { "securitySchemes": { "oauth": { "type": "http", "scheme": "bearer" } } }
    /// });
    /// for operation in gate.inventory().open_api_security("oauth") {
    ///     for method in operation.methods() {
    ///         let documented = &mut document["paths"][operation.route()][method.to_ascii_lowercase()];
    ///         if documented.is_object() {
    ///             documented["security"] = serde_json::to_value(operation.security())?;
    ///         }
    ///     }
    /// }
    /// assert_eq!(
    ///     document["paths"]["/documents/{id}"]["get"]["security"],
    ///     serde_json::json!([{ "oauth": [] }])
    /// );
    /// assert_eq!(document["paths"]["/healthz"]["get"]["security"], serde_json::json!([]));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn open_api_security(&self, scheme: &str) -> Vec<OperationSecurity> {
        self.rows
            .iter()
            .filter_map(|row| OperationSecurity::of(row, scheme))
            .collect()
    }
}

/// The rows of one place.
fn rows(path: &str, entries: &[&Entry]) -> Vec<Row> {
    let has_head = entries.iter().any(|entry| entry.reach == Reach::HEAD);
    let mut rows: Vec<_> = entries
        .iter()
        .map(|entry| {
            let methods = match entry.reach {
                Reach::GET if !has_head => vec!["GET", "HEAD"],
                Reach::Method(method) => vec![method],
                Reach::Any | Reach::Under | Reach::Otherwise => vec!["*"],
            };
            Row::new(path, methods, entry.need.clone())
        })
        .collect();
    if entries
        .iter()
        .all(|entry| matches!(entry.reach, Reach::Method(_)))
    {
        rows.push(Row::new(path, vec!["*"], Need::MethodNotAllowed));
    }
    rows
}
