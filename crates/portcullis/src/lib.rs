#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! Everything an application needs for its first routes is re-exported here; each module holds the
//! whole of one crate.
//!
//! | module | crate | feature |
//! |---|---|---|
//! | [`core`] | `portcullis-core`: the words, the wire table | |
//! | [`jwt`] | `portcullis-jwt`: verifying and signing tokens | |
//! | [`tower`] | `portcullis-tower`: the layers | |
#![cfg_attr(
    feature = "axum",
    doc = "| [`axum`] | `portcullis-axum`: the extractors, the gate | `axum` |"
)]
#![cfg_attr(
    feature = "jwks",
    doc = "| [`jwks`] | `portcullis-jwks`: keys that an issuer publishes, or that instances share | `jwks` |"
)]
#![cfg_attr(
    feature = "jwks",
    doc = "| [`fetch`] | `portcullis-fetch`: outbound HTTP | `jwks` |"
)]
#![cfg_attr(
    feature = "store",
    doc = "| [`store`] | `portcullis-store`: records that expire | `store` |"
)]
#![cfg_attr(
    feature = "session",
    doc = "| [`session`] | `portcullis-session`: server-side sessions | `session` |"
)]
#![cfg_attr(
    feature = "apikey",
    doc = "| [`apikey`] | `portcullis-apikey`: API keys | `apikey` |"
)]
#![cfg_attr(
    feature = "seal",
    doc = "| [`seal`] | `portcullis-seal`: sealed values, digests of secrets | `seal` |"
)]
#![cfg_attr(
    feature = "cedar",
    doc = "| [`cedar`] | `portcullis-cedar`: Cedar policies | `cedar` |"
)]
#![cfg_attr(
    feature = "redis",
    doc = "| [`redis`] | `portcullis-redis`: records in Redis | `redis` |"
)]
#![cfg_attr(
    feature = "sqlx",
    doc = "| [`sqlx`] | `portcullis-sqlx`: records in SQLite and PostgreSQL | `sqlx` |"
)]
//!
#![cfg_attr(feature = "full", doc = "\nThe [manual] has a page for each task.\n")]
//!
//! # Features
//!
//! Nothing is on by default. `full` turns on all of them but the adapters, which bring a third party with an
//! opinion: `cedar`, `redis` (with `redis-cluster` and `redis-tls`), `sqlx`; nor `github-scanning`. A feature adds API and never changes what is decided.

#[cfg(all(feature = "axum", feature = "session"))]
pub use portcullis_axum::{FormSession, Session};
#[cfg(feature = "cedar")]
pub use portcullis_cedar as cedar;
pub use portcullis_core as core;
pub use portcullis_core::{
    AnyOf, AuditEvent, AuditKind, AuditSink, AuthError, AuthErrorKind, AuthenticateRequest, Authentication,
    Caller, Challenge, Challenges, Clock, ConfigError, Decision, Description, Granted, Guarded, HasRole,
    HasScope, Invalid, Ledger, MemoryRevocations, Needs, Outcome, Policy, Principal, Requirement, ReturnTo,
    RevocationList, Role, Scheme, Scope, Secret, SignedIn, SignedInUser, Standing, SystemClock, Timestamp,
    TokenId, any_of, authenticate_fn, place, policy,
};
pub use portcullis_jwt as jwt;
pub use portcullis_jwt::{
    Algorithm, ClaimMap, FixedSigningKeys, JwtBearer, JwtSigner, KeyRing, KeySet, LocalKeySet,
    MemorySigningKeys, Profile, RotationSchedule, SigningKey, SigningKeys, StaticKeySet, TokenRequest,
    TrustedIssuer, VerifiedClaims, Verifier, VerifyingKey,
};
#[cfg(feature = "redis")]
pub use portcullis_redis as redis;
#[cfg(feature = "seal")]
pub use portcullis_seal as seal;
#[cfg(feature = "sqlx")]
pub use portcullis_sqlx as sqlx;
#[cfg(feature = "store")]
pub use portcullis_store as store;
pub use portcullis_tower as tower;
pub use portcullis_tower::{
    AnyBodyLayer, AuthenticateLayer, AuthorizeLayer, CsrfLayer, Grpc, LedgerLayer, PublicLayer, RefusalLayer,
    RefusalStyle, Rendering, SignInRedirect, TracingAudit, until_invalid,
};
#[cfg(feature = "apikey")]
pub use {
    portcullis_apikey as apikey,
    portcullis_apikey::{ApiKeyFormat, ApiKeyService, ApiKeys},
};
#[cfg(feature = "axum")]
pub use {
    portcullis_axum as axum,
    portcullis_axum::{
        AuthRejection, Authenticated, Authorized, Claims, Gate, Inventory, JwksEndpoint, Verified, gate,
    },
};
#[cfg(feature = "jwks")]
pub use {
    portcullis_fetch as fetch,
    portcullis_fetch::ReqwestFetch,
    portcullis_jwks as jwks,
    portcullis_jwks::{FileRingStore, KeySnapshot, RemoteKeySet, SharedSigningKeys},
};
#[cfg(feature = "session")]
pub use {
    portcullis_session as session,
    portcullis_session::{Sessions, SignIn},
};

#[cfg(all(any(doc, doctest), feature = "full"))]
pub mod manual;

/// The repository's README, compiled and run.
#[cfg(all(doctest, feature = "full"))]
#[doc = include_str!("../../../README.md")]
#[derive(Debug)]
#[non_exhaustive]
pub struct Readme;
