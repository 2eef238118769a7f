//! axum extractors that hand authenticated, authorized callers to handlers.
//!
//! | argument | anonymous caller | caller who lacks the right | no layer outside |
//! |---|---|---|---|
//! | [`Authenticated<P>`] | 401 | – | 500 |
//! | `Option<Authenticated<P>>` | `None` | – | 500 |
//! | [`Authorized<R, P>`] | 401 | 403 (401 for step-up) | 500 |
//! | `Claims<T, P>` (feature `jwt`) | 401 | – | 500 |
//! | [`Verified<A>`] | 401 | – | does not compile |
//! | `Session` (feature `session`) | a session of nobody's | – | 500 |
//!
//! All but the last two read the [`Outcome`](portcullis_core::Outcome) that
//! [`AuthenticateLayer`](portcullis_tower::AuthenticateLayer) left in the request's extensions, and ask the layer
//! to decide where it does so on demand. None looks at headers, and none takes absence for permission: where no layer decided, the answer is 500
//! and one log line that names the cure.
//!
//! `Option` means "no credentials", never "bad credentials": those were refused by the layer.
//!
//! [`Verified<A>`] decides by itself, with a method out of the router's state.
//!
//! With the feature `gate`, `Gate` builds a router in which no method lacks a decision about who may call it.
//!
//! # Features
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `gate` | `Gate`, a router builder; `Inventory`, the table of its routes | no |
//! | `jwt` | `Claims<T>`, the claims of a verified token in a type of one's own; `JwksEndpoint`, which publishes the keys that this application signs tokens with | no |
//! | `session` | `Session`, the session of the request, for visitors and users; `FormSession`, for the forms of old browsers | no |
//!
//! # Example
//!
//! ```
//! use axum::{Router, routing::get};
//! use portcullis_axum::{Authenticated, Authorized};
//! use portcullis_core::{HasScope, Scope};
//!
//! struct DocumentsRead;
//!
//! impl Scope for DocumentsRead {
//!     const NAME: &str = "documents:read";
//! }
//!
//! async fn hello(caller: Option<Authenticated>) -> String {
//!     match caller {
//!         Some(caller) => format!("hello, {}", caller.principal().subject()),
//!         None => "hello, whoever you are".to_owned(),
//!     }
//! }
//!
//! async fn documents(_caller: Authorized<HasScope<DocumentsRead>>) -> &'static str {
//!     "the documents"
//! }
//!
//! let app: Router = Router::new().route("/", get(hello)).route("/documents", get(documents));
//! # use tower::ServiceExt;
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! // The layer is missing: closed, not open.
//! let request = http::Request::builder().uri("/documents").body(axum::body::Body::empty()).unwrap();
//! assert_eq!(app.oneshot(request).await.unwrap().status(), 500);
//! # });
//! ```

mod authenticated;
mod authorized;
#[cfg(feature = "jwt")]
mod claims;
#[cfg(feature = "gate")]
pub mod gate;
#[cfg(feature = "jwt")]
mod jwks;
mod rejection;
mod route;
#[cfg(feature = "session")]
mod session;
mod verified;

pub use self::authenticated::Authenticated;
pub use self::authorized::Authorized;
#[cfg(feature = "jwt")]
pub use self::claims::Claims;
#[cfg(feature = "gate")]
pub use self::gate::{Gate, Inventory};
#[cfg(feature = "jwt")]
pub use self::jwks::JwksEndpoint;
pub use self::rejection::AuthRejection;
#[cfg(feature = "gate")]
pub use self::route::matched_path;
#[cfg(feature = "session")]
pub use self::session::{FormSession, Session};
pub use self::verified::Verified;
