//! How refusals look, for the whole application in one place.
//!
//! Layers and extractors refuse with problem details (RFC 9457), and in gRPC's own form where a request is
//! gRPC's beyond doubt. [`RefusalLayer`], put outside all of them, shows them in another style: a
//! [redirect to the sign-in page](SignInRedirect) for people, [gRPC](crate::Grpc) for everybody, or one's own
//! [`RefusalStyle`].
//!
//! # Decision rules
//!
//! 1. The style looks at the head of each request, before anything is decided, and says whether it would
//!    render a refusal of it.
//! 2. When the answer is a refusal (an [`AuthError`](portcullis_core::AuthError) in its extensions, with the
//!    status of that error, that no layer inside has rendered yet), its rendering takes the place of status and
//!    body; of a refused HEAD, the body is left out. Other answers pass unchanged.
//! 3. Whatever the style does: `Cache-Control: no-store` and the refusal's response effects stay. While the
//!    status stays that of the wire table, so do challenges and `Retry-After`.
//!
//! # What this trusts
//!
//! The style. An answer that looks like a success to a refused request is a lie that only gRPC asks for.
//!
//! # Example
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use portcullis_core::AuthError;
//! use portcullis_tower::{RefusalLayer, SignInRedirect, response::refuse};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let app = ServiceBuilder::new()
//!     .layer(RefusalLayer::new(SignInRedirect::to("/sign-in")?))
//!     .service(service_fn(|_: Request<()>| async {
//!         Ok::<_, Infallible>(refuse::<Bytes>(AuthError::missing_credentials()))
//!     }));
//!
//! let navigation = Request::get("/invoices?year=2026").header("sec-fetch-mode", "navigate").body(())?;
//! let answer = app.clone().oneshot(navigation).await?;
//! assert_eq!(answer.status(), 303);
//! assert_eq!(answer.headers()["location"], "/sign-in?return_to=/invoices%3Fyear%3D2026");
//!
//! let script = Request::get("/invoices").body(())?;
//! assert_eq!(app.oneshot(script).await?.status(), 401);
//! # Ok(())
//! # }
//! ```

mod future;
mod layer;
mod service;
mod sign_in;
mod style;

pub use self::future::ResponseFuture;
pub use self::layer::RefusalLayer;
pub use self::service::Refusal;
pub use self::sign_in::SignInRedirect;
pub use self::style::{RefusalStyle, Rendering};
pub(crate) use self::style::{refusal_of, restyle, unrendered};

#[cfg(test)]
mod tests;
