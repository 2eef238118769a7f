//! A router in which no method lacks a decision about who may call it: leaving it out does not compile.
//!
//! [`Gate`] builds an axum router. A route is either public as a whole, or each of its methods says what it
//! demands:
//!
//! | to say | write |
//! |---|---|
//! | everybody may call this route | `.public("/healthz", get(health))` |
//! | callers of these methods meet a requirement | `.guarded("/documents", get(list).post(create).needs::<SignedIn>())` |
//! | this method is public, that is not | `.guarded("/posts", get(list).public().post(create).needs::<SignedIn>())` |
//! | a policy about the caller and the head of the request | `.guarded("/files", put(store).policy("own tenant", policy))` |
//! | one handler for every method | `.guarded("/all", any(handler).needs::<SignedIn>())`, `.any_public("/echo", handler)` |
//! | a foreign router under a prefix | `.public_service("/assets", files)`, `.guarded_service::<SignedIn, _>("/legacy", router)` |
//! | what no route answers | nothing (404), `.fallback_public(page)`, `.fallback_guarded::<SignedIn, _>(page)` |
//!
//! [`Gate::inventory`] is the table of all of it.
//!
//! # Decision rules
//!
//! 1. What a method demands is decided about the route that axum matched, where its handler would run. No path is
//!    compared, so no spelling of one leads past it.
//! 2. `HEAD` is answered by the handler of `GET` and needs what that needs. A `head` handler of its own needs its
//!    own decision.
//! 3. What axum answers by itself it tells everybody: 404, 405, and `OPTIONS` without a handler, which is 405.
//! 4. A guarded method reads the [`Outcome`](portcullis_core::Outcome) that
//!    [`AuthenticateLayer`](portcullis_tower::AuthenticateLayer) left, and lets the layer decide where it does so on
//!    demand. None for principals of type `P`: 500.
//! 5. An anonymous caller: 401 with the challenges of the place. Then the requirement or policy: granted, the handler
//!    runs; denied, 403; more scope would do, 403 with the scope; stronger or fresher authentication would do, 401;
//!    cannot be decided, 503. A refused handler is not called, and none of its extractors.
//! 6. Where there is a [`Ledger`](portcullis_core::Ledger), the route is named in it by its template (a service and a
//!    fallback by their prefix with `/{*rest}`), and the decision, or the word "public", written down.
//!
//! # Which layer stands around it
//!
//! One that lets anonymous requests through: [`on_demand`](portcullis_tower::AuthenticateLayer::on_demand) or
//! [`optional`](portcullis_tower::AuthenticateLayer::optional). Around a gate,
//! [`required`](portcullis_tower::AuthenticateLayer::required) refuses anonymous callers of public routes too, and of
//! those that do not exist. CORS stands outside of everything, since preflights carry no credentials.
//!
//! # What this trusts
//!
//! The layer outside, the requirements and policies, and axum's matching of paths. Also the handler's author, who may
//! need less than the handler does.
//!
//! # What this does not check
//!
//! Objects: whether the document in the path is the caller's is known when it is loaded; see
//! [`Guarded`](portcullis_core::Guarded). Routes that are added to the router once it is finished. What a service
//! under a prefix does with its requests.
//!
//! # Costs
//!
//! A requirement costs no allocation: it takes no space in the handler, and only a wait for the layer outside is boxed.
//!
//! # Example
//!
//! ```
//! use axum::Router;
//! use axum::body::Body;
//! use http::{Method, Request};
//! use portcullis_axum::gate::{Gate, get};
//! use portcullis_core::{AuthErrorKind, HasScope, Principal, Scope, SignedIn};
//! use portcullis_test::{TestRequest, assert_refused, assert_status, caller};
//! use tower::ServiceExt;
//!
//! struct DocumentsDelete;
//!
//! impl Scope for DocumentsDelete {
//!     const NAME: &str = "documents:delete";
//! }
//!
//! async fn read() -> &'static str {
//!     "a document"
//! }
//!
//! async fn remove() {}
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let app: Router = Gate::<(), Principal>::new()
//!     .public("/healthz", get(async || "well"))
//!     .guarded(
//!         "/documents/{id}",
//!         get(read).needs::<SignedIn>().delete(remove).needs::<HasScope<DocumentsDelete>>(),
//!     )
//!     .into_router();
//!
//! let ask = |method: Method, path: &str, scope: &str| {
//!     let request = Request::builder().method(method).uri(path).signed_in_as(caller("alice").scope(scope));
//!     let app = app.clone();
//!     async move { Ok::<_, Box<dyn std::error::Error>>(app.oneshot(request.body(Body::empty())?).await?) }
//! };
//! assert_status(&ask(Method::GET, "/documents/1", "documents:read").await?, 200);
//! assert_status(&ask(Method::DELETE, "/documents/1", "documents:delete").await?, 200);
//! let refused = ask(Method::DELETE, "/documents/1", "documents:read").await?;
//! assert_refused(&refused, AuthErrorKind::InsufficientScope);
//! # Ok(())
//! # }
//! ```
//!
//! A route whose author forgot does not compile:
//!
//! ```compile_fail
//! use portcullis_axum::gate::{Gate, get};
//! use portcullis_core::SignedIn;
//!
//! # async fn read() {}
//! # async fn remove() {}
//! let gate: Gate = Gate::new().guarded("/documents/{id}", get(read).needs::<SignedIn>().delete(remove));
//! ```

mod answer;
mod builder;
mod foreign;
mod inventory;
mod routes;
mod rule;
mod ruled;
mod stage;

pub use self::builder::Gate;
pub use self::inventory::{Inventory, Need, OperationSecurity, Row};
pub use self::routes::{MethodRoutes, any, delete, get, head, options, patch, post, put};
pub use self::stage::{
    AnyMethod, Complete, Decided, Every, Free, Listed, On, Open, Stage, Undecided, Untouched,
};
