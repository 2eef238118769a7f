//! Cross-site request forgery: a decision over a request's head, without tokens.
//!
//! Only requests that carry an *ambient* credential can be forged: a browser attaches cookies and
//! client certificates to whatever any site makes it send. [`AuthenticateLayer`](crate::AuthenticateLayer)
//! asks this module before it verifies such a credential, and never for explicit ones.
//!
//! # Decision rules
//!
//! In this order:
//!
//! 1. A safe method (GET, HEAD, OPTIONS) that is no upgrade passes. A WebSocket handshake is a GET that
//!    browsers send across sites without asking, so an upgrade does not.
//! 2. `Sec-Fetch-Site: same-origin` or `none` passes. Any other value, unknown ones included, is refused
//!    unless `Origin` is a trusted origin. `same-site` is refused: a sibling domain is not this site.
//! 3. Without `Sec-Fetch-Site`, `Origin` must be the configured external origin, or a trusted one. With no
//!    external origin configured, its authority must be that of the request (`:authority` or `Host`).
//!    `null` is refused.
//! 4. With neither header, the request is refused: its credential is ambient, and a browser that sends
//!    neither cannot be told from an attack. It passes where a token that is bound to the session was verified
//!    before ([`TokenVerified`]).
//!
//! Routes that *create* an ambient credential, sign-in forms above all, need the check as well, before there is
//! a credential: another site could sign a visitor in as somebody else. [`CsrfLayer`] checks every request that reaches it;
//! with neither header and no cookie at all, one passes: no browser with anything to lose is behind it.
//!
//! The order is that of Go's `net/http.CrossOriginProtection` and `tower_http::csrf`. They differ from
//! this in three points, on purpose: they let upgrades pass (rule 1), compare with `Host` even where the
//! external origin is known (rule 3), and let requests with neither header pass (rule 4), which they must,
//! not knowing whether a credential is ambient.
//!
//! # What this trusts
//!
//! The browser's `Sec-Fetch-Site` and `Origin`, which scripts cannot forge; and, with no external origin
//! configured, that a proxy in front passes `Host` on unchanged.
//!
//! # What this does not check
//!
//! Requests whose credential is explicit, and GET: a handler that changes something on GET is open to every image tag.
//! The method that counts is the one of the request line, whatever `X-HTTP-Method-Override` says.

mod future;
mod layer;
mod policy;
mod service;

pub use self::future::ResponseFuture;
pub use self::layer::CsrfLayer;
pub(crate) use self::policy::INSPECTED;
pub use self::policy::{CrossSiteRequest, OriginPolicy, TokenVerified};
pub use self::service::Csrf;

#[cfg(test)]
mod tests;
