//! Keys of a single process, which take turns by themselves.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use arc_swap::ArcSwap;
use portcullis_core::{Clock, ConfigError, SystemClock};

use super::{
    KeyRing, KeyRingError, RotationSchedule, SigningKey, SigningKeys, SigningKeysUnavailable, SteadyTime,
};
use crate::{Algorithm, KeyError};

/// How long a key that could not be generated is waited for.
const RETRY: Duration = Duration::from_secs(60);

type Generate = Box<dyn Fn() -> Result<SigningKey, KeyError> + Send + Sync>;

/// Keys in the memory of one process. A clone is a handle on the same keys.
///
/// They take turns when somebody asks for them: who asks first when a new key is due generates it, once,
/// and everybody else goes on with the keys at hand. With EC and Ed25519 that is not noticed; RSA takes up
/// to some seconds, so that a service may rather call [`rotate_if_due`](Self::rotate_if_due) now and then,
/// away from requests.
///
/// # What this is not for
///
/// Several instances: each would publish its own keys. And restarts: what was signed before no longer
/// verifies, unless the ring is [written down](KeyRing::to_secret_bytes) and
/// [taken up again](MemorySigningKeysBuilder::ring). `SharedSigningKeys` of `portcullis-jwks` does both.
#[derive(Clone)]
pub struct MemorySigningKeys(Arc<Memory>);

struct Memory {
    clock: Box<dyn Clock>,
    /// Nobody else knows these keys: their time may be this process's alone.
    time: SteadyTime,
    generate: Generate,
    /// What is read without a lock.
    snapshot: ArcSwap<Snapshot>,
    /// Held by whoever changes the snapshot.
    turn: Mutex<()>,
}

struct Snapshot {
    ring: Arc<KeyRing>,
    /// When somebody has to look again, on the monotonic clock.
    due_at: Duration,
}

impl MemorySigningKeys {
    /// Keys for `algorithm`, on the default schedule and the system's clock.
    ///
    /// # Errors
    ///
    /// When no key could be generated.
    pub fn new(algorithm: Algorithm) -> Result<Self, ConfigError> {
        Self::builder(algorithm).build()
    }

    /// Starts a configuration.
    pub fn builder(algorithm: Algorithm) -> MemorySigningKeysBuilder {
        MemorySigningKeysBuilder {
            schedule: RotationSchedule::new(),
            clock: Box::new(SystemClock::new()),
            generate: Box::new(move || SigningKey::generate(algorithm)),
            ring: None,
        }
    }

    /// Adds a key if one is due, as [`current`](SigningKeys::current) would. Waits for whoever is at it.
    pub fn rotate_if_due(&self) {
        let turn = self.0.turn();
        self.0.renew(&turn);
    }

    /// Plans a change of keys although none is due, with the usual notice.
    ///
    /// # Errors
    ///
    /// When a key waits for its turn already, or none could be generated.
    pub fn rotate(&self) -> Result<(), KeyRingError> {
        let turn = self.0.turn();
        // Whoever signs meanwhile does it with the key whose turn it is.
        self.0.pass_time(&turn);
        let key = (self.0.generate)()?;
        // After that: generating may have taken its time, and notice counts from publication.
        let now = self.0.clock.monotonic();
        let mut ring = self.0.ring();
        ring.rotate(self.0.time.at(now), key)?;
        self.0.store(ring, now);
        Ok(())
    }

    /// Takes a key out at once, because it is no longer secret. If none is left that may sign, a new one
    /// is generated, which signs at once.
    ///
    /// # Errors
    ///
    /// When there is no such key.
    pub fn withdraw(&self, kid: &str) -> Result<(), KeyRingError> {
        let turn = self.0.turn();
        let now = self.0.clock.monotonic();
        let mut ring = self.0.ring();
        ring.withdraw(self.0.time.at(now), kid)?;
        // Gone first; what a new key takes, nobody waits for.
        self.0.store(ring, now);
        self.0.renew(&turn);
        Ok(())
    }
}

impl Memory {
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) -> KeyRing {
        (*self.snapshot.load().ring).clone()
    }

    /// Publishes `ring`, and reckons when to look again.
    fn store(&self, ring: KeyRing, now: Duration) {
        let due = ring.rotation_due_at();
        let next = ring.next_change().map_or(due, |change| change.min(due));
        let due_at = now.saturating_add(next.saturating_since(self.time.at(now)));
        let ring = Arc::new(ring);
        self.snapshot.store(Arc::new(Snapshot { ring, due_at }));
    }

    /// Lets time pass, and nothing else. The caller holds the turn.
    fn pass_time(&self, _turn: &MutexGuard<'_, ()>) {
        let now = self.clock.monotonic();
        let mut ring = self.ring();
        if ring.advance_to(self.time.at(now)) {
            self.store(ring, now);
        }
    }

    /// The keys at hand, at the present time, for whoever does not hold the turn.
    fn meanwhile(&self) -> Arc<KeyRing> {
        let ring = Arc::clone(&self.snapshot.load().ring);
        let mut present = (*ring).clone();
        if present.advance_to(self.time.at(self.clock.monotonic())) {
            Arc::new(present)
        } else {
            ring
        }
    }

    /// Lets time pass, and adds a key if one is due. The caller holds the turn.
    fn renew(&self, _turn: &MutexGuard<'_, ()>) {
        let now = self.clock.monotonic();
        if now < self.snapshot.load().due_at {
            return;
        }
        let mut ring = self.ring();
        ring.advance_to(self.time.at(now));
        let due = ring.is_rotation_due();
        self.store(ring.clone(), now);
        if !due {
            return;
        }
        let generated = (self.generate)().map_err(KeyRingError::from);
        // As above.
        let now = self.clock.monotonic();
        let added = generated.and_then(|key| ring.rotate_if_due(self.time.at(now), key));
        if let Err(error) = added {
            tracing::warn!(%error, "no new signing key could be had; it is tried again in a minute");
            let due_at = now.saturating_add(RETRY);
            let ring = Arc::new(ring);
            self.snapshot.store(Arc::new(Snapshot { ring, due_at }));
            return;
        }
        self.store(ring, now);
    }
}

impl SigningKeys for MemorySigningKeys {
    fn current(&self) -> Result<Arc<KeyRing>, SigningKeysUnavailable> {
        let snapshot = self.0.snapshot.load();
        if self.0.clock.monotonic() < snapshot.due_at {
            return Ok(Arc::clone(&snapshot.ring));
        }
        let turn = match self.0.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Somebody is at it, and the keys at hand are good for as long as that takes.
            Err(TryLockError::WouldBlock) => return Ok(self.0.meanwhile()),
        };
        self.0.renew(&turn);
        Ok(Arc::clone(&self.0.snapshot.load().ring))
    }
}

impl fmt::Debug for MemorySigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySigningKeys")
            .field("ring", &self.0.snapshot.load().ring)
            .finish_non_exhaustive()
    }
}

/// Builds [`MemorySigningKeys`].
#[must_use]
pub struct MemorySigningKeysBuilder {
    schedule: RotationSchedule,
    clock: Box<dyn Clock>,
    generate: Generate,
    ring: Option<KeyRing>,
}

impl MemorySigningKeysBuilder {
    /// When keys take turns; [`RotationSchedule::new`] unless called.
    pub const fn schedule(mut self, schedule: RotationSchedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Takes the time from `clock`; the system's unless called.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Has new keys made by `generate`; [`SigningKey::generate`] unless called. Each must be another key.
    pub fn generate(
        mut self,
        generate: impl Fn() -> Result<SigningKey, KeyError> + Send + Sync + 'static,
    ) -> Self {
        self.generate = Box::new(generate);
        self
    }

    /// Goes on with the keys of `ring`, such as one that was written down when the process ended.
    pub fn ring(mut self, ring: KeyRing) -> Self {
        self.ring = Some(ring);
        self
    }

    /// Checks the configuration, and generates the first key where there is none.
    ///
    /// # Errors
    ///
    /// When the schedule is [out of its bounds](RotationSchedule::check), or no key could be generated.
    pub fn build(self) -> Result<MemorySigningKeys, ConfigError> {
        let time = SteadyTime::start(&*self.clock, Duration::MAX);
        let now = self.clock.monotonic();
        let mut ring = KeyRing::new(self.schedule, time.at(now))?;
        if let Some(former) = self.ring {
            ring.take_up(&former);
        }
        ring.advance_to(time.at(now));
        if ring.signing_key().is_none() {
            let unsound = |error| ConfigError::new("a first signing key cannot be had").with_source(error);
            let key = (self.generate)().map_err(unsound)?;
            ring.rotate(time.at(now), key)
                .map_err(|error| ConfigError::new("a first signing key cannot be had").with_source(error))?;
        }
        let memory = Memory {
            clock: self.clock,
            time,
            generate: self.generate,
            snapshot: ArcSwap::from_pointee(Snapshot {
                ring: Arc::new(ring.clone()),
                due_at: now,
            }),
            turn: Mutex::new(()),
        };
        memory.store(ring, now);
        Ok(MemorySigningKeys(Arc::new(memory)))
    }
}

impl fmt::Debug for MemorySigningKeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySigningKeysBuilder")
            .field("schedule", &self.schedule)
            .field("ring", &self.ring)
            .finish_non_exhaustive()
    }
}
