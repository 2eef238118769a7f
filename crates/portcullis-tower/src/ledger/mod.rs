//! Withholds answers that nobody decided about.
//!
//! Of a request that changes something the answer comes when it is done: about those the layer raises an **alarm**, and
//! `Gate` of `portcullis-axum` is the guard.
//!
//! [`LedgerLayer`] puts a [`Ledger`](portcullis_core::Ledger) into the extensions of each request. Whatever of portcullis
//! enforces a decision writes it there: [`AuthorizeLayer`](crate::AuthorizeLayer), the extractor `Authorized`, `Gate`,
//! [`Caller`](portcullis_core::Caller), [`Guarded`](portcullis_core::Guarded). When the answer comes, the layer looks.
//!
//! # Decision rules
//!
//! 1. Where the request has a ledger already, this layer writes into that one, and its own sink hears nothing. It
//!    judges only if it is stricter than every layer outside of it: a lenient one switches off none inside.
//! 2. Only success is judged: 2xx, 101 and 3xx, unless the answer is a refusal in another form: one with an
//!    [`AuthError`](portcullis_core::AuthError) in its extensions, such as a redirect to a sign-in page, or one of gRPC
//!    (by its media type) with a `grpc-status` other than 0.
//! 3. At least one decision, all of them granted, or a route that was declared public: the answer passes.
//! 4. No decision (`authorization_forgotten`), or one that refused (`refusal_ignored`, whatever else was granted):
//!
//! | | every other method | POST, PUT, PATCH, DELETE |
//! |---|---|---|
//! | [`LedgerLayer::new`] | withheld | alarm |
//! | [`withhold_writes`](LedgerLayer::withhold_writes) | withheld | withheld |
//! | [`LedgerLayer::report_only`] | reported | reported |
//! | [`LedgerLayer::audit_only`] | – | – |
//!
//! Knowing who calls is no decision; "anyone signed in" is [`SignedIn`](portcullis_core::SignedIn). Neither is
//! [`Caller::may`](portcullis_core::Caller::may).
//!
//! # What a withheld answer becomes
//!
//! 500, as any other wiring fault looks: nothing of the handler's answer goes out, its cookies included. The log gets an
//! error that names the method, the template of the route (`Gate` names it; a layer around a finished router sees
//! none) and the cure; the audit gets [`Undecided`](portcullis_core::AuditKind::Undecided). An alarm is the same line
//! and event, and the answer passes. A report is a warning.
//!
//! # Where it stands
//!
//! Outside [`AuthenticateLayer`](crate::AuthenticateLayer), so that authentications are audited, and inside CORS and
//! catch-panic: a preflight is none of its business.
//!
//! # What this trusts
//!
//! Policies: a decision that grants everything counts. Whoever declares a route public.
//!
//! # What this does not check
//!
//! Whether a write is one: a handler of `any` method, a service or a fallback answers POST as it answers GET, and the
//! answer passes with an alarm. A layer that changes the method by a header stands outside of this one.
//!
//! Whether the decision was about what the answer shows. What is decided after the head of the answer was sent: a stream
//! that asks only then comes too late, and so does a spawned task that the handler does not wait for; one that it does
//! wait for may decide. Failures that come in gRPC trailers behind a 200 count as success.
//!
//! # Example
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use portcullis_tower::{LedgerLayer, PublicLayer};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Infallible> {
//! let forgetful = || {
//!     service_fn(|_: Request<()>| async {
//!         Ok::<_, Infallible>(Response::new(Bytes::from("everybody's salary")))
//!     })
//! };
//!
//! let public = ServiceBuilder::new().layer(LedgerLayer::new()).layer(PublicLayer::new()).service(forgetful());
//! assert_eq!(public.oneshot(Request::new(())).await?.status(), 200);
//!
//! let forgotten = ServiceBuilder::new().layer(LedgerLayer::new()).service(forgetful());
//! let answer = forgotten.oneshot(Request::new(())).await?;
//! assert_eq!(answer.status(), 500);
//! assert_eq!(answer.body(), r#"{"title":"Internal Server Error","status":500}"#);
//! # Ok(())
//! # }
//! ```

mod future;
mod judge;
mod layer;
mod public;
mod service;

pub use self::future::ResponseFuture;
pub use self::layer::LedgerLayer;
pub use self::public::{Public, PublicLayer};
pub use self::service::KeepLedger;

#[cfg(test)]
mod tests;
