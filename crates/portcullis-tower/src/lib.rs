//! Tower middleware that authenticates and authorizes requests.
//!
//! | to | look at |
//! |---|---|
//! | authenticate every request to a service | [`authenticate`], [`AuthenticateLayer`] |
//! | demand something of every caller of a service | [`authorize`], [`AuthorizeLayer`] |
//! | decide on facts that have to be loaded | [`enforce_loaded`], [`authorize_loaded`] |
//! | withhold answers that nobody decided about | [`ledger`], [`LedgerLayer`], [`PublicLayer`] |
//! | keep account of authentications and decisions | [`audit`], [`TracingAudit`] |
//! | show refusals in another form: a sign-in page, gRPC | [`refusal`], [`RefusalLayer`], [`grpc`] |
//! | find the client's address behind proxies | [`client_address`], [`ClientAddress`] |
//! | know which cross-site requests are refused | [`csrf`] |
//! | turn an [`AuthError`](portcullis_core::AuthError) into a response | [`response::refuse`] |
//! | put a layer around a service with another body | [`AnyBodyLayer`] |
//! | notice that a caller's evidence ended while a connection lives on | [`until_invalid`] |
//!
//! # Features
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `metrics` | [`audit`]: `MetricsAudit`, counters and histograms with the crate `metrics` | no |
//!
//! Every layer passes readiness on, calls the instance that was polled ready, and fails only as the service
//! inside does: a refusal is a response.

pub mod any_body;
pub mod audit;
pub mod authenticate;
pub mod authorize;
pub mod client_address;
pub mod csrf;
pub mod grpc;
pub mod ledger;
mod load;
mod missing;
pub mod refusal;
pub mod response;
mod until_invalid;

pub use self::any_body::{AnyBody, AnyBodyLayer, ResponseBody};
pub use self::audit::TracingAudit;
pub use self::authenticate::{Authenticate, AuthenticateLayer};
pub use self::authorize::{Authorize, AuthorizeLayer};
pub use self::client_address::ClientAddress;
pub use self::csrf::CsrfLayer;
pub use self::grpc::Grpc;
pub use self::ledger::{KeepLedger, LedgerLayer, PublicLayer};
pub use self::load::{authorize_loaded, enforce_loaded};
pub use self::refusal::{Refusal, RefusalLayer, RefusalStyle, Rendering, SignInRedirect};
pub use self::until_invalid::until_invalid;
