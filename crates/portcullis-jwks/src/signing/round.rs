//! One look at the store: what is there, and what this instance has to add.

use std::sync::Arc;

use portcullis_core::{Secret, Timestamp};
use portcullis_jwt::{KeyError, KeyRing, KeyRingError, RotationSchedule, SigningKey};

use super::{Replaced, RingStore, RingStoreError, RingVersion, SharedKeysError, StoredRing};

/// How often a round that was overtaken by others looks again.
const LOOKS: usize = 8;

pub(super) type Generate = Arc<dyn Fn() -> Result<SigningKey, KeyError> + Send + Sync>;

/// What is kept, byte for byte: a store that was emptied and filled anew counts its versions anew.
#[derive(Clone, Debug)]
pub(super) struct Bytes(Arc<Secret<Vec<u8>>>);

impl Bytes {
    fn new(bytes: Secret<Vec<u8>>) -> Self {
        Self(Arc::new(bytes))
    }

    fn are(&self, other: &Secret<Vec<u8>>) -> bool {
        self.0.ct_eq(other.expose())
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.are(&other.0)
    }
}

/// A ring, and the version under which it is kept.
#[derive(Clone, Debug)]
pub(super) struct Versioned {
    pub(super) version: RingVersion,
    pub(super) ring: KeyRing,
    pub(super) bytes: Bytes,
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
    pub(super) former: Option<Versioned>,
    /// Whether they are parsed again all the same.
    pub(super) rereads: bool,
}

impl Round<'_> {
    /// Brings the ring up to date, in the store first: a key that no other instance can find is never
    /// returned. Whoever is overtaken looks again, and mostly finds that nothing is left to do.
    pub(super) async fn run(mut self, wish: Wish<'_>) -> Result<Versioned, SharedKeysError> {
        let mut spare = None;
        // Others may have withdrawn, since the last round, what is still known here.
        let mut overtaken = self.knows_what_to_withdraw(wish);
        for _ in 0..LOOKS {
            let stored = self.store.load().await?;
            let found = self.read(stored)?;
            let version = found.as_ref().map(|found| found.version);
            let mut ring = match &found {
                Some(found) => found.ring.clone(),
                None => KeyRing::new(self.schedule, self.now)?,
            };
            let wished = grant(&mut ring, wish, overtaken, self.now)?;
            let rotates = self.rotate(&mut ring, wish, overtaken, &mut spare).await?;
            let covers = ring.cover_longest_token();
            match found {
                Some(found) if !(wished || rotates || covers) => return Ok(Versioned { ring, ..found }),
                _ => {}
            }
            let bytes = ring.to_secret_bytes()?;
            match self.store.replace(version, bytes.clone()).await? {
                Replaced::Done(version) => {
                    let bytes = Bytes::new(bytes);
                    return Ok(Versioned { version, ring, bytes });
                }
                Replaced::Conflict => overtaken = true,
            }
        }
        Err(SharedKeysError::Contended)
    }

    /// The ring that is kept, at the present time; `None` when there has never been one.
    fn read(&mut self, stored: Option<StoredRing>) -> Result<Option<Versioned>, SharedKeysError> {
        let Some(stored) = stored else {
            return match self.former {
                // A volume that is not mounted, perhaps: a new ring would make a new issuer of this one.
                Some(_) => Err(RingStoreError::new("the ring that was in the store is gone").into()),
                None => Ok(None),
            };
        };
        let (version, bytes) = (stored.version(), stored.bytes());
        if let Some(former) = &self.former
            && !self.rereads
            && former.version == version
            && former.bytes.are(bytes)
        {
            let mut known = former.clone();
            known.ring.advance_to(self.now);
            return Ok(Some(known));
        }
        let found = Versioned {
            version,
            ring: KeyRing::from_secret_bytes(bytes.expose(), self.schedule, self.now)?,
            bytes: Bytes::new(bytes.clone()),
        };
        self.rereads = false;
        self.former = Some(found.clone());
        Ok(Some(found))
    }

    fn knows_what_to_withdraw(&self, wish: Wish<'_>) -> bool {
        let (Wish::Withdraw(kid), Some(former)) = (wish, &self.former) else {
            return false;
        };
        former.ring.published().any(|known| known.kid() == kid)
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
        // Whoever was faster withdrew it.
        Err(KeyRingError::UnknownKid) if overtaken => Ok(false),
        Err(error) => Err(error.into()),
    }
}
