//! One look at the store: what is there, and what this instance has to add.

use std::sync::Arc;

use portcullis_core::Timestamp;
use portcullis_jwt::{KeyError, KeyRing, KeyRingError, RotationSchedule, SigningKey};

use super::{Replaced, RingStore, RingVersion, SharedKeysError, StoredRing};

/// How often a round that was overtaken by others looks again.
const LOOKS: usize = 8;

pub(super) type Generate = Arc<dyn Fn() -> Result<SigningKey, KeyError> + Send + Sync>;

/// A ring, and the version under which it is kept.
#[derive(Clone, Debug)]
pub(super) struct Versioned {
    pub(super) version: RingVersion,
    pub(super) ring: KeyRing,
}

/// What somebody wants of a round beyond what is due.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish<'a> {
    Nothing,
    Rotate,
    Withdraw(&'a str),
}

/// Everything one round needs.
pub(super) struct Round<'a> {
    pub(super) store: &'a dyn RingStore,
    pub(super) schedule: RotationSchedule,
    pub(super) generate: &'a Generate,
    /// The ring's time.
    pub(super) now: Timestamp,
    /// What was found last time, so that keys are not parsed again.
    pub(super) known: Option<Versioned>,
}

impl Round<'_> {
    /// Brings the ring up to date, in the store first: a key that no other instance can find is never
    /// returned. Whoever is overtaken looks again, and mostly finds that nothing is left to do.
    pub(super) async fn run(mut self, wish: Wish<'_>) -> Result<Versioned, SharedKeysError> {
        let mut spare = None;
        let mut overtaken = false;
        for _ in 0..LOOKS {
            let stored = self.store.load().await?;
            let version = stored.as_ref().map(StoredRing::version);
            let mut ring = self.read(stored)?;
            let wished = grant(&mut ring, wish, overtaken, self.now)?;
            let rotates = self.rotate(&mut ring, wish, overtaken, &mut spare).await?;
            let covers = ring.cover_longest_token();
            match version {
                Some(version) if !(wished || rotates || covers) => {
                    return Ok(Versioned { version, ring });
                }
                _ => {}
            }
            let bytes = ring.to_secret_bytes()?;
            match self.store.replace(version, bytes).await? {
                Replaced::Done(version) => return Ok(Versioned { version, ring }),
                Replaced::Conflict => overtaken = true,
            }
        }
        Err(SharedKeysError::Contended)
    }

    /// The ring that is kept, at the present time.
    fn read(&mut self, stored: Option<StoredRing>) -> Result<KeyRing, SharedKeysError> {
        let Some(stored) = stored else {
            return Ok(KeyRing::new(self.schedule, self.now)?);
        };
        match &self.known {
            Some(known) if known.version == stored.version() => {
                let mut ring = known.ring.clone();
                ring.advance_to(self.now);
                Ok(ring)
            }
            _ => {
                let bytes = stored.bytes().expose();
                let ring = KeyRing::from_secret_bytes(bytes, self.schedule, self.now)?;
                self.known = Some(Versioned {
                    version: stored.version(),
                    ring: ring.clone(),
                });
                Ok(ring)
            }
        }
    }

    /// Adds a key where one is due or wished for. A key that was generated for an attempt which was
    /// overtaken serves the next one, or nobody.
    async fn rotate(
        &self,
        ring: &mut KeyRing,
        wish: Wish<'_>,
        overtaken: bool,
        spare: &mut Option<SigningKey>,
    ) -> Result<bool, SharedKeysError> {
        let wished = matches!(wish, Wish::Rotate);
        if !wished && !ring.is_rotation_due() {
            return Ok(false);
        }
        let key = match spare {
            Some(key) => key.clone(),
            None => spare.insert(self.generated().await?).clone(),
        };
        match ring.rotate(self.now, key) {
            Ok(()) => Ok(true),
            // Whoever was faster planned a change too.
            Err(KeyRingError::TurnTaken) if wished && overtaken => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// A new key, made where waiting for it holds up nobody.
    async fn generated(&self) -> Result<SigningKey, SharedKeysError> {
        let generate = Arc::clone(self.generate);
        let generated = tokio::task::spawn_blocking(move || generate()).await;
        Ok(generated.map_err(|_| SharedKeysError::Aborted)??)
    }
}

/// Takes out the key that is to be withdrawn. Returns whether the ring changed.
fn grant(
    ring: &mut KeyRing,
    wish: Wish<'_>,
    overtaken: bool,
    now: Timestamp,
) -> Result<bool, SharedKeysError> {
    let Wish::Withdraw(kid) = wish else {
        return Ok(false);
    };
    match ring.withdraw(now, kid) {
        Ok(()) => Ok(true),
        // Whoever was faster withdrew it too.
        Err(KeyRingError::UnknownKid) if overtaken => Ok(false),
        Err(error) => Err(error.into()),
    }
}
