//! What a ring is made of.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Clock, ConfigError, SystemClock};

use super::{KeyRole, SealingRing, Settings};
use crate::SealingKey;
use crate::randomness::{Randomness, SystemRandomness};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const KIB: usize = 1024;

/// Makes a [`SealingRing`].
///
/// | setting | default | bounds |
/// |---|---|---|
/// | [`current`](Self::current) | none: has to be there | one |
/// | [`publishing`](Self::publishing) | none | at most one |
/// | [`old`](Self::old) | none | 16 keys in all |
/// | [`max_plaintext`](Self::max_plaintext) | 4 KiB | 1 byte to 64 KiB |
/// | [`longest_life`](Self::longest_life) | 90 days | 1 second to 400 days |
/// | [`clock`](Self::clock) | [`SystemClock`] | |
/// | [`randomness`](Self::randomness) | [`SystemRandomness`] | |
#[derive(Clone, Debug)]
#[must_use]
pub struct SealingRingBuilder {
    keys: Vec<(KeyRole, SealingKey)>,
    settings: Settings,
}

impl SealingRingBuilder {
    pub(super) fn new() -> Self {
        Self {
            keys: Vec::new(),
            settings: Settings {
                max_plaintext: 4 * KIB,
                longest_life: DAY.saturating_mul(90),
                clock: Arc::new(SystemClock::new()),
                randomness: Arc::new(SystemRandomness),
            },
        }
    }

    /// The key that seals.
    pub fn current(self, key: SealingKey) -> Self {
        self.key(KeyRole::Current, key)
    }

    /// The key that will seal next: it opens already, because other instances may be ahead.
    pub fn publishing(self, key: SealingKey) -> Self {
        self.key(KeyRole::Publishing, key)
    }

    /// A key that sealed before, and opens until it is retired. To be called once for each.
    pub fn old(self, key: SealingKey) -> Self {
        self.key(KeyRole::Old, key)
    }

    /// One key in a role: for a list of keys that stands in a configuration.
    pub fn key(mut self, role: KeyRole, key: SealingKey) -> Self {
        self.keys.push((role, key));
        self
    }

    /// The most bytes that are sealed into one value. What would be longer is not even decoded, so lowering it
    /// refuses the longer values that are out there.
    pub const fn max_plaintext(mut self, bytes: usize) -> Self {
        self.settings.max_plaintext = bytes;
        self
    }

    /// The longest life of any value: how long after its last seal an old key has to stay in the ring.
    pub const fn longest_life(mut self, life: Duration) -> Self {
        self.settings.longest_life = life;
        self
    }

    /// The clock that expiry is compared with.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Where nonces come from.
    pub fn randomness(mut self, randomness: impl Randomness) -> Self {
        self.settings.randomness = Arc::new(randomness);
        self
    }

    /// The ring.
    ///
    /// # Errors
    ///
    /// When there is no current key, there are two, two keys wait for their turn, a key is there twice, there
    /// are more than 16, or a limit is out of its bounds.
    pub fn build(self) -> Result<SealingRing, ConfigError> {
        check_limits(&self.settings)?;
        let (mut publishing, mut current, mut old) = (None, None, Vec::new());
        for (role, key) in self.keys {
            let taken = match role {
                KeyRole::Publishing => publishing.replace(key).map(|_| "publishing"),
                KeyRole::Current => current.replace(key).map(|_| "current"),
                KeyRole::Old => {
                    old.push(key);
                    None
                }
            };
            if let Some(role) = taken {
                return Err(one_at_a_time(role));
            }
        }
        SealingRing {
            publishing,
            current: current.ok_or_else(|| ConfigError::new("a ring needs a current key, which seals"))?,
            old,
            settings: self.settings,
        }
        .checked()
    }
}

pub(super) fn one_at_a_time(role: &str) -> ConfigError {
    ConfigError::new(format!("a ring has one {role} key at a time"))
}

fn check_limits(settings: &Settings) -> Result<(), ConfigError> {
    if !(1..=64 * KIB).contains(&settings.max_plaintext) {
        return Err(ConfigError::new("a sealed value holds 1 byte to 64 KiB"));
    }
    if !(Duration::from_secs(1)..=DAY.saturating_mul(400)).contains(&settings.longest_life) {
        return Err(ConfigError::new("a sealed value lives 1 second to 400 days"));
    }
    Ok(())
}
