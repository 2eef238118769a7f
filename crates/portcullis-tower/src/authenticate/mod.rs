//! Authenticates requests before the inner service sees them.
//!
//! [`AuthenticateLayer`] asks an [`AuthenticateRequest`](portcullis_core::AuthenticateRequest) method,
//! or several with [`any_of`](portcullis_core::any_of), who a request comes from, and leaves the
//! [`Outcome`](portcullis_core::Outcome) in its extensions. It decides *who*, not *may they*: routes
//! behind it state their needs, with extractors or layers that read the outcome.
//!
//! # Decision rules
//!
//! 1. The request is sorted as [`examine`](portcullis_core::examine) says; malformed or doubled
//!    credentials are refused with 400.
//! 2. No credentials: refused with 401 by [`required`](AuthenticateLayer::required), let through as
//!    anonymous by [`optional`](AuthenticateLayer::optional) and [`on_demand`](AuthenticateLayer::on_demand).
//! 3. Ambient credentials on a request that another site may have provoked: refused with 403 before
//!    anything is verified (see [`csrf`](crate::csrf)).
//! 4. Credentials are verified. Bad ones are refused, also by `optional`: anonymous means that nothing
//!    was sent, never that something did not hold (RFC 6750 §3.1). A method that answers "nobody" to
//!    explicit credentials has refused them.
//! 5. What cannot be decided is refused with 503. Nothing is let through in doubt.
//! 6. `on_demand` applies rules 1 to 5 when the first extractor, layer or policy behind asks, once, to the
//!    request as it was here. Until then nothing is verified, and a request that nobody asks about is never
//!    refused.
//!
//! # What a refused request receives
//!
//! The status and challenges of the wire table
//! ([`AuthErrorKind::wire`](portcullis_core::AuthErrorKind::wire)), a problem+json body, and
//! `Cache-Control: no-store`. The inner service is not called. A refusal that a handler makes up, an
//! [`AuthError`](portcullis_core::AuthError) in the extensions of its answer, is given the challenges of
//! this place where it has none, and is never stored either, whatever layers in between say about caches. A
//! request that is one of [gRPC](crate::grpc) beyond doubt is refused in the
//! form of gRPC; other forms are a matter of [`RefusalLayer`](crate::RefusalLayer).
//!
//! # What lands in extensions and headers
//!
//! - Request: [`Outcome<P>`](portcullis_core::Outcome), also for anonymous callers. Nothing is ever put
//!   into, or read back from, a request header.
//! - Response: the refusal's [`AuthError`](portcullis_core::AuthError); `Vary` with every header the
//!   verdict read (on demand: only if somebody asked for it, or still can, because a body that is to be streamed
//!   holds the outcome); `Cache-Control: private` where the caller was authenticated by anything but
//!   `Authorization` and the handler said nothing; the verdict's response effects, if it was there in time.
//!
//! # What this trusts
//!
//! The method. A request's extensions, which only code in this process can write.
//!
//! While a check waits (for an issuer's keys, two seconds at most), the inner service stays reserved: its
//! readiness, a permit of a concurrency limit for one, was taken before the check began. Put limits that
//! anonymous callers must not use up outside this layer.
//!
//! # What this does not check
//!
//! Whether the caller may do what they ask. A preflight (`OPTIONS`) is a request like any other: put CORS
//! outside this layer, so that preflights are answered before they get here. The log says so when one is
//! refused.
//!
//! # Example
//!
//! ```
//! use std::convert::Infallible;
//! use std::future::{Ready, ready};
//!
//! use bytes::Bytes;
//! use http::{Request, Response, request::Parts};
//! use portcullis_core::{
//!     AuthError, AuthenticateRequest, Authentication, Challenge, Challenges, Method, Outcome, Presence,
//!     Delivery, Scheme,
//! };
//! use portcullis_tower::AuthenticateLayer;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! /// Whoever knows the word may enter.
//! struct Password(Challenges);
//!
//! impl AuthenticateRequest for Password {
//!     type Principal = ();
//!     type Future = Ready<Result<Option<Authentication<()>>, AuthError>>;
//!
//!     fn presence(&self, parts: &Parts) -> Presence {
//!         match parts.headers.contains_key("authorization") {
//!             true => Presence::Present(Delivery::Explicit),
//!             false => Presence::Absent,
//!         }
//!     }
//!
//!     fn authenticate_request(&self, parts: &Parts) -> Self::Future {
//!         ready(match parts.headers["authorization"].as_bytes() {
//!             b"Word friend" => Ok(Some(Authentication::assertion((), Method::new("word")))),
//!             _ => Err(AuthError::invalid_credentials("wrong_word")),
//!         })
//!     }
//!
//!     fn challenges(&self) -> &Challenges {
//!         &self.0
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let challenge = Challenge::new(Scheme::new("Word")?).realm("Moria")?;
//! let door = ServiceBuilder::new()
//!     .layer(AuthenticateLayer::required(Password(Challenges::new([challenge])?)))
//!     .service(service_fn(|request: Request<()>| async move {
//!         assert!(Outcome::<()>::of(request.extensions()).is_ok());
//!         Ok::<_, Infallible>(Response::new(Bytes::from("come in")))
//!     }));
//!
//! let knock = |word: &'static str| Request::builder().header("authorization", word).body(());
//! assert_eq!(door.clone().oneshot(knock("Word friend")?).await?.status(), 200);
//!
//! let refused = door.oneshot(knock("Word melon")?).await?;
//! assert_eq!(refused.status(), 401);
//! assert_eq!(refused.headers()["www-authenticate"], r#"Word realm="Moria", error="invalid_token""#);
//! # Ok(())
//! # }
//! ```

mod decision;
mod future;
mod layer;
mod response_half;
mod service;

pub use self::future::ResponseFuture;
pub use self::layer::AuthenticateLayer;
pub use self::service::Authenticate;

#[cfg(test)]
mod tests;
