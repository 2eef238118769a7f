//! Room for a refusal beside any body.
//!
//! A layer that refuses answers in the type of the service inside, so that it can stand around a finished axum
//! router. That type must be one that a refusal can be written into: `axum::body::Body`, `Bytes`, `Full<Bytes>`
//! are. A compressed body is not, nor is tonic's: where such a service is directly inside one of our layers,
//! put [`AnyBodyLayer`] between them.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Empty;
//! use portcullis_core::{AuthError, Principal, SignedIn};
//! use portcullis_tower::{AnyBodyLayer, AuthorizeLayer};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = ServiceBuilder::new()
//!     .layer(AuthorizeLayer::needs::<SignedIn>())
//!     .layer(AnyBodyLayer::new())
//!     // `Empty` can hold nothing, and certainly no refusal.
//!     .service(service_fn(|_: Request<()>| async {
//!         Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
//!     }));
//! assert_eq!(service.oneshot(Request::new(())).await?.status(), 500, "no layer has authenticated");
//! # Ok(())
//! # }
//! ```

mod body;
mod service;

pub use self::body::ResponseBody;
pub use self::service::{AnyBody, AnyBodyLayer, ResponseFuture};

#[cfg(test)]
mod tests;
