//! Keys that are somewhere else: those an issuer publishes, fetched and cached; and those that several
//! instances of an issuer sign with.
//!
//! | to | look at |
//! |---|---|
//! | verify with the keys an issuer publishes | [`RemoteKeySet`] |
//! | see how these are doing | [`Status`] |
//! | sign with keys that several instances share | [`SharedSigningKeys`] |
//! | keep them in a directory | [`FileRingStore`] |
//! | keep them elsewhere | [`RingStore`], and feature `contract` to test it |
//!
//! [`RemoteKeySet`] is a [`KeySet`](portcullis_jwt::KeySet): give it to a
//! [`TrustedIssuer`](portcullis_jwt::TrustedIssuer) and forget it. [`SharedSigningKeys`] are
//! [`SigningKeys`](portcullis_jwt::SigningKeys): give them to a [`JwtSigner`](portcullis_jwt::JwtSigner);
//! their rules stand there, the following are those of fetched keys.
//!
//! # Decision rules
//!
//! 1. A set is *fresh* for as long as `Cache-Control: max-age` says, within 5 minutes and 1 hour, 10
//!    minutes when it says nothing. It is *due* from 80 % of that on, less up to 10 % of jitter; *stale*
//!    when the time is over; *dead* one hour after that.
//! 2. Fresh, due and stale sets answer at once. Due and stale ones start one fetch in the background.
//! 3. Only two requests may wait, at most 2 s: one that finds no keys at all (none yet, or dead ones), and
//!    one whose key id is not in the set. All of them share one fetch, which lives up to 5 s whether
//!    anybody still waits or not.
//! 4. An unknown key id forces a fetch only when 30 s have passed since the last *attempt started*,
//!    whatever came of it. Otherwise it is decided with the keys at hand: unknown, 401; or, while the last
//!    attempt failed and the key may be a new one, 503.
//! 5. A known key whose signature does not hold never causes a fetch. The caller's key id goes nowhere.
//! 6. A failure (no answer, another status than 200, a redirect, too large, unreadable, no usable key)
//!    backs off from 1 s to 60 s with full jitter, or as long as `Retry-After` says, up to 5 minutes. The
//!    last good set stays until it is dead.
//! 7. A success replaces everything: a key that is no longer published stops verifying.
//! 8. With no keys, or dead ones, the answer is 503 with `Retry-After`.
//! 9. A set that was [imported](RemoteKeySetBuilder::import) is stale from the start, and dies when it
//!    would have died in the process that exported it. Only a success replaces it; none of its validators
//!    is carried over, so that a server which confirms everything cannot keep it alive.
//!
//! # What this trusts
//!
//! The issuer's address as configured, TLS below it, and a discovery document only when its `issuer` is
//! byte for byte the configured one. The configured origin may be anywhere, inside a cluster too; a
//! `jwks_uri` elsewhere must be on the public internet or [listed](RemoteKeySetBuilder::allow_host).
//! An imported [`KeySnapshot`]: whoever can write it can mint tokens.
//!
//! # What is recorded
//!
//! `tracing` events, `warn` for failures, for keys left out and for snapshots that are not used, `info`
//! for one that is, never with key material; and `metrics`,
//! labelled `issuer`:
//!
//! | name | kind | meaning |
//! |---|---|---|
//! | `portcullis_jwks_fetches_total` | counter | attempts, labelled `outcome`: `replaced`, `not_modified`, `failed` |
//! | `portcullis_jwks_imports_total` | counter | snapshots, labelled `outcome`: `taken`, `dead`, `future` |
//! | `portcullis_jwks_unavailable_total` | counter | verdicts that became 503 |
//! | `portcullis_jwks_keys` | gauge | usable keys in the current set |
//!
//! # Features
//!
//! | feature | adds | default |
//! |---|---|---|
//! | `contract` | the module `contract` | no |

mod cache;
mod cache_control;
#[cfg(feature = "contract")]
pub mod contract;
mod discovery;
mod error;
mod refresh;
mod remote;
mod signing;
mod snapshot;
mod status;

pub use self::error::{JwksFetchError, JwksFetchErrorKind};
pub use self::remote::{RemoteKeySet, RemoteKeySetBuilder};
pub use self::signing::{
    FileRingStore, Replaced, RingStore, RingStoreError, RingVersion, SharedKeysError, SharedSigningKeys,
    SharedSigningKeysBuilder, StoredRing,
};
pub use self::snapshot::KeySnapshot;
pub use self::status::{KeyState, Status};
