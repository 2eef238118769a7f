//! A gRPC server on tonic whose calls are authenticated and authorized by portcullis.
//!
//! | file | shows |
//! |---|---|
//! | `server.rs` | where the layers stand, and how the health service stays public |
//! | `access.rs` | a requirement per method, a refusal as a [`tonic::Status`], a stream that ends with its token |
//! | `documents.rs` | handlers: unary, server streaming, bidirectional |
//! | `account.rs` | a service that one layer guards as a whole |

mod access;
mod account;
mod documents;
/// The messages and services of `proto/documents.proto`.
#[allow(
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::restriction
)] // Generated: see src/proto/README.md.
pub mod proto {
    include!("proto/portcullis.example.v1.rs");
}
mod server;

pub use self::server::{routes, verifier};
