//! Verifies and signs JSON Web Tokens.
//!
//! Bytes in, verdict out: no I/O, no runtime, no clock of its own. Keys come from a [`KeySet`], the time
//! from a [`Clock`](portcullis_core::Clock).
//!
//! | to | look at |
//! |---|---|
//! | decide about a token, in HTTP or out of it | [`Verifier`] |
//! | trust an issuer, with its keys and algorithms | [`TrustedIssuer`] |
//! | use keys from a file or a secret | [`VerifyingKey`], [`StaticKeySet`] |
//! | say where an issuer puts scopes and roles | [`ClaimMap`] |
//! | accept only RFC 9068 access tokens | [`Profile`] |
//! | authenticate requests | [`JwtBearer`] |
//! | read claims into types of one's own | [`VerifiedClaims::read`] |
//! | sign access tokens, and tokens of one's own | [`JwtSigner`] |
//! | have keys that sign and take turns | [`MemorySigningKeys`], [`SigningKey`], [`KeyRing`] |
//! | publish them, or verify with them directly | [`KeyRing::jwks`], [`LocalKeySet`] |
//!
//! # What is refused
//!
//! See the decision rules of [`Verifier`]. `none` does not exist here; symmetric algorithms work with
//! local keys only; a key serves an algorithm only if `kty`, `crv`, `use`, `key_ops` and `alg` agree;
//! nothing inside a token is ever a key or an address.
//!
//! # What this does not check
//!
//! Revocation before expiry; possession of a key or certificate: a token that is bound to one (`cnf`)
//! is refused, not downgraded.

mod algorithm;
mod base64url;
mod bearer;
mod claims;
mod compact;
mod error;
mod header;
mod json;
mod key;
mod key_set;
mod profile;
mod signer;
mod verifier;

pub use self::algorithm::Algorithm;
pub use self::bearer::{FoundToken, JwtBearer, JwtCheck, TokenPlace};
pub use self::claims::{ClaimMap, VerifiedClaims, VerifiedToken};
pub use self::compact::MAX_TOKEN_LEN;
pub use self::error::JwtError;
pub use self::key::{KeyError, VerifyingKey};
pub use self::key_set::{
    JwksError, JwksLimits, KeySet, Keys, KeysUnavailable, Refresh, RefreshReason, SkippedKeys, StaticKeySet,
};
pub use self::profile::Profile;
pub use self::signer::{
    ClaimFault, FixedSigningKeys, JwkSet, JwtSigner, JwtSignerBuilder, KeyRing, KeyRingError, LocalKeySet,
    MemorySigningKeys, MemorySigningKeysBuilder, RingKey, RotationSchedule, SignError, SignedToken,
    SigningKey, SigningKeys, SigningKeysUnavailable, SteadyTime, TokenRequest,
};
pub use self::verifier::{TrustedIssuer, Verifier, VerifierBuilder};
