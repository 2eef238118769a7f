//! Tokens that were verified before.
//!
//! A signature is worth checking once. Everything else about a token may change while it lives, and is
//! checked on every hit: its times against the clock, the issuer's keys, the revocation list. An entry holds
//! only while the issuer's key set is the very one it was verified with; any newer set, for whatever reason,
//! makes the token new.
//!
//! An entry that has ended is of no use, and keeps replaced keys alive. Whoever looks it up drops it; every few
//! minutes, one who remembers another token drops all of them.
//!
//! The cache belongs to one verifier, whose rules are part of every verdict. Its key is the SHA-256 of the
//! whole token, so that it holds no token and no other text finds an entry.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use crate::{JwtError, VerifiedToken};

/// Between two searches for entries that have ended.
const SWEEP_INTERVAL: Duration = Duration::from_secs(300);

/// The SHA-256 of a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn of(token: &[u8]) -> Option<Self> {
        let digest = digest(&SHA256, token);
        digest.as_ref().try_into().ok().map(Self)
    }
}

pub(super) struct TokenCache {
    tokens: Cache<Fingerprint, VerifiedToken, UnitWeighter, BuildHasherDefault<Leading>>,
    /// When entries that have ended were last searched for: seconds of the monotonic clock, plus one.
    swept: AtomicU64,
}

impl TokenCache {
    pub(super) fn new(capacity: usize) -> Self {
        let weight = u64::try_from(capacity).unwrap_or(u64::MAX);
        let tokens = Cache::with(
            capacity,
            weight,
            UnitWeighter,
            BuildHasherDefault::default(),
            DefaultLifecycle::default(),
        );
        // Its shards are of one size, which is rounded up: what they hold together must not exceed the capacity.
        let shards = u64::try_from(tokens.num_shards()).unwrap_or(1);
        tokens.set_capacity(weight - weight % shards);
        Self {
            tokens,
            swept: AtomicU64::new(0),
        }
    }

    /// The verdict about a token that was verified before, unless it must be verified (again).
    pub(super) fn look_up(&self, token: &[u8]) -> Looked {
        let Some(fingerprint) = Fingerprint::of(token) else {
            return Looked::Missing(None);
        };
        let Some(known) = self.tokens.get(&fingerprint) else {
            return Looked::Missing(Some(fingerprint));
        };
        let claims = known.claims();
        let origin = claims.origin();
        // Withdrawn or renewed keys, keys that are too old to be trusted, a time that is over or has not come:
        // let the verifier decide, which says why as it does of any other token.
        let stands =
            origin.key_set_is_current() == Ok(true) && origin.check_still_in_time(claims.times()).is_ok();
        if !stands {
            self.tokens.remove(&fingerprint);
            return Looked::Missing(Some(fingerprint));
        }
        match origin.check_revocation(claims) {
            Ok(()) => Looked::Decided(Ok(known)),
            Err(error) => {
                // What cannot be decided now may be decided later; what is over is over.
                if !matches!(error, JwtError::RevocationUnavailable { .. }) {
                    self.tokens.remove(&fingerprint);
                }
                Looked::Decided(Err(error))
            }
        }
    }

    pub(super) fn insert(&self, fingerprint: Fingerprint, verified: VerifiedToken) {
        let origin = verified.claims().origin();
        if self.begins_sweep(origin.monotonic()) {
            // Keys and clock are asked before: theirs is foreign code, and shards are locked meanwhile.
            let moment = origin.moment();
            self.tokens.retain(|_, known| moment.bears(known.claims()));
        }
        self.tokens.insert(fingerprint, verified);
    }

    /// Whether it is time to search for entries that have ended; says so to one caller.
    fn begins_sweep(&self, monotonic: Duration) -> bool {
        let now = monotonic.as_secs().saturating_add(1);
        let last = self.swept.load(Ordering::Relaxed);
        if last > 0 && now.saturating_sub(last) < SWEEP_INTERVAL.as_secs() {
            return false;
        }
        let won = self
            .swept
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed);
        last > 0 && won.is_ok()
    }

    /// Takes in a token that was looked up before.
    pub(super) fn remember(&self, token: &[u8], verified: &VerifiedToken) {
        if let Some(fingerprint) = Fingerprint::of(token) {
            self.insert(fingerprint, verified.clone());
        }
    }
}

pub(super) enum Looked {
    Decided(Result<VerifiedToken, JwtError>),
    /// Not there; under which name it belongs there once it is verified.
    Missing(Option<Fingerprint>),
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("tokens", &self.tokens.len())
            .finish_non_exhaustive()
    }
}

/// Takes the first eight bytes as they are: a digest needs no more hashing.
#[derive(Default)]
pub(super) struct Leading(u64);

impl Hasher for Leading {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }
}
