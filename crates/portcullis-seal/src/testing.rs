//! Time and randomness for the tests of this crate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcullis_core::{Clock, Secret, Timestamp};

use crate::{NoRandomness, Randomness, SealingKey};

/// A clock that shows what it is told. A clone is the same clock.
#[derive(Clone, Debug)]
pub(crate) struct At(Arc<AtomicU64>);

impl At {
    pub(crate) fn unix(seconds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seconds)))
    }

    pub(crate) fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// Counts, and gives another byte each time.
#[derive(Debug, Default)]
pub(crate) struct Scripted(AtomicU64);

impl Scripted {
    pub(crate) fn new() -> Self {
        Self::default()
    }
}

impl Randomness for Scripted {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        for byte in buffer {
            *byte = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes()[0];
        }
        Ok(())
    }
}

/// Has nothing to give.
#[derive(Debug)]
pub(crate) struct NoneLeft;

impl Randomness for NoneLeft {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoRandomness> {
        Err(NoRandomness)
    }
}

/// 32 bytes, different for each number.
pub(crate) fn secret(number: u8) -> Secret<[u8; 32]> {
    let mut bytes = [0xa5; 32];
    bytes[0] = number;
    Secret::new(bytes)
}

/// A key, different for each number.
pub(crate) fn key(number: u8) -> SealingKey {
    SealingKey::new(&secret(number)).expect("a key")
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}
