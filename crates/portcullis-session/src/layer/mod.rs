//! Hands the session of a request to handlers, and writes its cookie.
//!
//! # Decision rules
//!
//! 1. The cookie is looked for in every `Cookie` line, by its exact name. One that is not of the form we set, or that occurs
//!    twice, counts as none, and the answer deletes it.
//! 2. Nothing is loaded until a handler, or a method that authenticates, asks; then once per request.
//! 3. An id that is unknown, expired or of a session that was ended counts as none. It is never adopted and causes no
//!    write; the answer deletes the cookie.
//! 4. What a handler changed is written before its answer goes out. Where that cannot be, the answer is thrown away, and
//!    503 is sent: nothing is half said.
//! 5. The session's own word about its cookie is the last: no other of that name is in the answer.
//! 6. A session is not handed to a handler on an unsafe request, or an upgrade, that another site may have provoked, whatever
//!    credential decided about it: see [`Session::of`](crate::Session::of). A request that brings no cookie at all, and does not
//!    say where it comes from, is no browser's and passes. One that comes from elsewhere does not, also where it has no
//!    session yet: nobody is signed in as somebody else.
//!
//! # What the answer receives
//!
//! `Set-Cookie` where the id is new or the cookie is to go, and `Cache-Control: no-store` with it. `Vary: Cookie` and, where the
//! handler said nothing, `Cache-Control: private`, where the session was asked for. `Vary: origin, sec-fetch-site` for
//! unsafe requests. `Clear-Site-Data` after a sign-out.
//!
//! # What lands in extensions
//!
//! The [`Session`](crate::Session), for [`Session::of`](crate::Session::of); and
//! [`TokenVerified`](portcullis_tower::csrf::TokenVerified) where a [token](SessionLayer::csrf_token_header) was.
//!
//! # What this trusts
//!
//! The store, and what [`csrf`](portcullis_tower::csrf) trusts. That it stands outside of the layers that authenticate, so that
//! they share its session: without it, they delete no cookie and renew no id.
//!
//! # What this does not check
//!
//! Who may do what. Handlers that change something on GET.
//!
//! # Example
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use portcullis_session::{Session, Sessions};
//! use portcullis_store::MemoryStore;
//! use portcullis_tower::response::refuse;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sessions = Sessions::builder(MemoryStore::new()).build()?;
//! let app = ServiceBuilder::new()
//!     .layer(sessions.layer())
//!     .service(service_fn(|request: Request<()>| async move {
//!         Ok::<Response<Bytes>, Infallible>(match Session::of(request.extensions()) {
//!             Ok(session) => match session.insert("basket", "apples").await {
//!                 Ok(()) => Response::new(Bytes::new()),
//!                 Err(error) => refuse(error.into()),
//!             },
//!             Err(error) => refuse(error),
//!         })
//!     }));
//!
//! let from = |site: &'static str| Request::post("/basket").header("sec-fetch-site", site).body(());
//! let kept = app.clone().oneshot(from("same-origin")?).await?;
//! assert_eq!(kept.status(), 200);
//! assert!(kept.headers().contains_key("set-cookie"));
//!
//! let refused = app.oneshot(from("cross-site")?).await?;
//! assert_eq!(refused.status(), 403);
//! assert!(!refused.headers().contains_key("set-cookie"));
//! # Ok(())
//! # }
//! ```

mod future;
#[allow(clippy::module_inception)] // The house's names for the parts of a middleware.
mod layer;
mod service;

pub use self::future::ResponseFuture;
pub use self::layer::SessionLayer;
pub use self::service::WithSession;
pub(crate) use self::service::presented;
