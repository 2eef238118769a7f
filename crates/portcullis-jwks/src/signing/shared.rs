//! The ring of a store, in memory, with a task that keeps it up to date.

mod builder;
mod snapshot;
mod state;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_jwt::{Algorithm, KeyRing, SigningKeys, SigningKeysUnavailable};

pub use self::builder::SharedSigningKeysBuilder;
use self::state::Shared;
use super::round::Wish;
use super::{RingStore, SharedKeysError};

/// Signing keys that several instances of one issuer share: they sign with one key at a time and publish one
/// set. Clones are handles on the same keys; when the last one is dropped, a round that is under way ends.
///
/// # Decision rules
///
/// 1. All instances read one ring from one [`RingStore`], and look again every minute: a *round*.
///    [`current`](SigningKeys::current) starts one in the background when it is due, one at a time, and
///    never waits for it.
/// 2. When a new key is due, every instance may add it, and exactly one does: the store compares and swaps.
///    The others discard theirs and take that one. No key signs, or is published, before it is in the store.
/// 3. Whose turn it is says the ring, by the clock; nobody has to look at the store in that moment.
///    The clock is [steady](portcullis_jwt::SteadyTime): a step of the wall clock is believed when it has
///    lasted for ten minutes. Until then this machine may have been suspended, or its clock set wrong: the
///    keys go on if the same key signs either way, and are unavailable otherwise. That is asked whenever the
///    keys are.
/// 4. After a failed round the next one starts five seconds later, and the keys at hand go on.
/// 5. When no round has succeeded for half of
///    [`publish_ahead`](portcullis_jwt::RotationSchedule::publish_ahead), by either reading of the clock, the keys are
///    unavailable: 503. Until then every change that others made leaves at least as much time again before a
///    key that is not known here signs; after that, this instance would sign and publish what others have
///    long replaced.
/// 6. A [withdrawn](Self::withdraw) key is gone here at once, and elsewhere with the next round.
/// 7. A store that had a ring and has none is a store that failed: nobody who knew of it makes another.
///
/// # What this trusts
///
/// The store, entirely. That the wall clocks of all instances are right within minutes when they start.
///
/// # What is recorded
///
/// `tracing` events, `warn` for failed rounds; and the counter `portcullis_signing_rounds_total`, labelled
/// `outcome`: `done`, or [what failed](SharedKeysError::as_str).
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis_jwks::{FileRingStore, SharedSigningKeys};
/// use portcullis_jwt::{Algorithm, JwtSigner};
///
/// let store = FileRingStore::in_directory("/var/lib/app/keys")?;
/// let keys = SharedSigningKeys::builder(store, Algorithm::Es256).open().await?;
/// let signer = JwtSigner::builder("https://app.example", keys).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SharedSigningKeys(Arc<Owner>);

/// Ends the background work with the last handle. Tasks hold [`Shared`] only.
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl SharedSigningKeys {
    /// Starts a configuration. New keys are for `algorithm`; those that are in the store already go on until
    /// their time is over, whatever they are for.
    pub fn builder(store: impl RingStore, algorithm: Algorithm) -> SharedSigningKeysBuilder {
        SharedSigningKeysBuilder::new(Arc::new(store), algorithm)
    }

    /// Does one round now: for services that keep time themselves, and for tests.
    ///
    /// # Errors
    ///
    /// When the round failed. The keys at hand go on, as long as rule 5 lets them.
    pub async fn maintain(&self) -> Result<(), SharedKeysError> {
        self.0.0.round(Wish::Nothing).await
    }

    /// Plans a change of keys although none is due, with the usual notice.
    ///
    /// # Errors
    ///
    /// When a key waits for its turn already, or the round failed.
    pub async fn rotate(&self) -> Result<(), SharedKeysError> {
        self.0.0.round(Wish::Rotate).await
    }

    /// Takes a key out, because it is no longer secret: here and in the store at once, in other instances
    /// with their next round, and in verifiers when they fetch the keys again. If none is left that may
    /// sign, a new one is added, which signs at once.
    ///
    /// # Errors
    ///
    /// When there is no such key, neither here nor in the store. When the round failed: then it is **not**
    /// withdrawn here, and only the store knows whether it is elsewhere. Do it again; it may be repeated.
    pub async fn withdraw(&self, kid: &str) -> Result<(), SharedKeysError> {
        self.0.0.round(Wish::Withdraw(kid)).await
    }
}

impl SigningKeys for SharedSigningKeys {
    /// # Errors
    ///
    /// When no round has succeeded for half of `publish_ahead`, or a step of the wall clock leaves it open whose
    /// turn it is.
    fn current(&self) -> Result<Arc<KeyRing>, SigningKeysUnavailable> {
        self.0.0.current()
    }
}

impl fmt::Debug for SharedSigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSigningKeys")
            .field("ring", &self.0.0.ring())
            .finish_non_exhaustive()
    }
}

/// How long after the start of a failed round the next one starts.
const RETRY: Duration = Duration::from_secs(5);

/// How long a round may take, a new RSA key included.
const LONGEST_ROUND: Duration = Duration::from_secs(30);

/// How long a step of the wall clock has to last to be believed: time enough to notice a mistake.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// How much later than promised a round may end before it is given up.
const GRACE: Duration = Duration::from_secs(1);
