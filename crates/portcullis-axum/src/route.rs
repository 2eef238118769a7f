//! How the route that runs is called.

use http::Extensions;
use portcullis_core::Ledger;
#[cfg(feature = "gate")]
use portcullis_core::SharedStr;

/// The template of the route, as axum matched it; for
/// [`LedgerLayer::routes`](portcullis_tower::LedgerLayer::routes).
#[cfg(feature = "gate")]
#[must_use]
pub fn matched_path(extensions: &Extensions) -> Option<SharedStr> {
    let path = extensions.get::<axum::extract::MatchedPath>()?;
    Some(path.as_str().into())
}

/// Tells the request's ledger, if there is one.
#[cfg(feature = "gate")]
pub(crate) fn name_route(ledger: Option<&Ledger>, extensions: &Extensions) {
    if let Some(ledger) = ledger
        && ledger.route().is_none()
        && let Some(template) = matched_path(extensions)
    {
        ledger.name_route(template);
    }
}

/// Without axum's router nobody knows it.
#[cfg(not(feature = "gate"))]
pub(crate) const fn name_route(_: Option<&Ledger>, _: &Extensions) {}
