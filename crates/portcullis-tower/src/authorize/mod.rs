//! Demands something of every caller before the inner service sees the request.
//!
//! [`AuthorizeLayer`] reads the [`Outcome`](portcullis_core::Outcome) that
//! [`AuthenticateLayer`](crate::AuthenticateLayer) left, and asks a
//! [`Requirement`](portcullis_core::Requirement) or a [`Policy`](portcullis_core::Policy) about it. For a whole
//! service, a group of routes, a gRPC service; a need of one route stands better in the route's own signature.
//!
//! # Decision rules
//!
//! 1. No outcome for principals of type `P`: 500. No layer has authenticated, or it stands inside this one.
//! 2. An anonymous caller: 401 with the challenges of the place.
//! 3. The decision: granted, the request goes on; denied, 403; more scope would do, 403 with the scope; stronger
//!    or fresher authentication would do, 401; cannot be decided, 503.
//!
//! Where the outer layer decides on demand, this one asks. While it waits, the inner service stays reserved.
//!
//! # What a refused request receives
//!
//! The status and challenges of the wire table, as from the outer layer. The inner service is not called.
//!
//! # What this trusts
//!
//! The outer layer, and the policy.
//!
//! # What this does not check
//!
//! Objects: whether the invoice in the path is the caller's is known only when it is loaded. A policy may look at
//! the head of the request, but a path is text, and text has many spellings: bind needs to the route that runs,
//! with `Router::route_layer` or in the handler.
//!
//! # Example
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//!
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use portcullis_core::{
//!     Authentication, Challenge, Challenges, HasScope, Method, Outcome, Principal, Scheme, Scope, Scopes,
//! };
//! use portcullis_tower::AuthorizeLayer;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! struct Reports;
//!
//! impl Scope for Reports {
//!     const NAME: &str = "reports";
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let reports = ServiceBuilder::new()
//!     .layer(AuthorizeLayer::needs::<HasScope<Reports>>())
//!     .service(service_fn(|_: Request<()>| async {
//!         Ok::<_, Infallible>(Response::new(Bytes::from("the reports")))
//!     }));
//!
//! // What `AuthenticateLayer` does in an application.
//! let challenges = Challenges::new([Challenge::new(Scheme::BEARER).realm("api")?])?;
//! let request = |scope: &str| -> Result<_, Box<dyn std::error::Error>> {
//!     let alice = Authentication::assertion(Principal::new("https://issuer.example", "alice"), Method::JWT)
//!         .with_scopes(Scopes::parse(scope)?);
//!     let mut request = Request::new(());
//!     request.extensions_mut().insert(Outcome::authenticated(Arc::new(alice), challenges.clone()));
//!     Ok(request)
//! };
//! assert_eq!(reports.clone().oneshot(request("reports")?).await?.status(), 200);
//!
//! let refused = reports.oneshot(request("invoices")?).await?;
//! assert_eq!(refused.status(), 403);
//! assert_eq!(
//!     refused.headers()["www-authenticate"],
//!     r#"Bearer realm="api", error="insufficient_scope", scope="reports""#
//! );
//! # Ok(())
//! # }
//! ```

mod future;
mod judge;
mod layer;
mod service;

pub use self::future::ResponseFuture;
pub use self::judge::judge;
pub use self::layer::{AuthorizeLayer, OfCaller};
pub use self::service::Authorize;

#[cfg(test)]
mod tests;
