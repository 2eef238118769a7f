//! A ring written down, private keys included.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::{Secret, Timestamp};
use serde::{Deserialize, Serialize};

use super::{KEPT_RETIRED, KeyRing, KeyRingError, MOST_KEYS, RingKey};
use crate::{Algorithm, KeyError, RotationSchedule, SigningKey, base64url};

const VERSION: u32 = 1;
/// 9999-12-31T23:59:59Z.
const LATEST: u64 = 253_402_300_799;
/// Ten years.
const LONGEST_TOKEN: u64 = 10 * 366 * 24 * 60 * 60;

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    version: u32,
    #[serde(borrow)]
    keys: Vec<Entry<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry<'a> {
    kid: String,
    alg: &'a str,
    published_at: u64,
    signs_from: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    signs_until: Option<u64>,
    longest_token: u64,
    /// PKCS#8, or an HMAC secret, in base64url. Borrowed, so that reading leaves no copy behind.
    secret: &'a str,
}

impl KeyRing {
    /// Writes the ring down, **private keys included**: JSON with a version, each key in PKCS#8. Times are
    /// whole seconds, rounded up. The last two keys that are no longer published are written too: they may
    /// be dead by this clock only.
    ///
    /// Nothing here is encrypted. Whoever can read it can issue tokens in this issuer's name.
    ///
    /// # Errors
    ///
    /// When the library does not hand out a key.
    pub fn to_secret_bytes(&self) -> Result<Secret<Vec<u8>>, KeyRingError> {
        let kept = self.kept();
        let mut secrets = Vec::with_capacity(kept.len());
        for entry in &kept {
            let der = entry.key.to_secret_der().map_err(|_| KeyError::Encoding)?;
            secrets.push(Secret::new(base64url::encode(der.expose())));
        }
        let entries = kept.iter().zip(&secrets).map(|(entry, secret)| Entry {
            kid: entry.key.kid().to_owned(),
            alg: entry.key.algorithm().name(),
            published_at: seconds(entry.published_at),
            signs_from: seconds(entry.signs_from),
            signs_until: entry.signs_until.map(seconds),
            longest_token: rounded_up(entry.longest_token),
            secret: secret.expose(),
        });
        let document = Document {
            version: VERSION,
            keys: entries.collect(),
        };
        // As long as it can get, so that no shorter copy is left behind when it grows.
        let length: usize = document
            .keys
            .iter()
            .map(|entry| entry.secret.len() + 6 * entry.kid.len() + 256)
            .sum();
        let mut bytes = Vec::with_capacity(length + 64);
        let written = serde_json::to_writer(&mut bytes, &document);
        let bytes = Secret::new(bytes);
        written.map_err(|_| KeyRingError::Malformed)?;
        Ok(bytes)
    }

    /// Reads a ring that was written down, and advances it to `now`. Every key is checked as
    /// [`SigningKey`] checks it.
    ///
    /// # Errors
    ///
    /// [`Version`](KeyRingError::Version) when it was written by a later release;
    /// [`Malformed`](KeyRingError::Malformed) when a member is missing, unknown or repeated;
    /// [`KidTaken`](KeyRingError::KidTaken) when two keys have one id;
    /// [`Implausible`](KeyRingError::Implausible) when the times contradict each other, or the schedule is
    /// out of its bounds; [`Key`](KeyRingError::Key) when a key is not sound.
    pub fn from_secret_bytes(
        bytes: &[u8],
        schedule: RotationSchedule,
        now: Timestamp,
    ) -> Result<Self, KeyRingError> {
        let versioned: Versioned = serde_json::from_slice(bytes).map_err(|_| KeyRingError::Malformed)?;
        if versioned.version != VERSION {
            return Err(KeyRingError::Version);
        }
        let document: Document<'_> = serde_json::from_slice(bytes).map_err(|_| KeyRingError::Malformed)?;
        let mut ring = Self::new(schedule, now).map_err(|_| KeyRingError::Implausible)?;
        check_turns(&document.keys)?;
        ring.keys = document
            .keys
            .iter()
            .map(read_entry)
            .collect::<Result<_, KeyRingError>>()?;
        ring.advance_to(now);
        Ok(ring)
    }
}

/// Distinct names; every turn ends before or when the next one begins, and only the last is open.
fn check_turns(entries: &[Entry<'_>]) -> Result<(), KeyRingError> {
    let mut kids = HashSet::new();
    if entries
        .iter()
        .any(|entry| entry.kid.is_empty() || !kids.insert(&entry.kid))
    {
        return Err(KeyRingError::KidTaken);
    }
    let holds = |entry: &Entry<'_>| {
        entry.published_at <= entry.signs_from
            && entry.signs_until.is_none_or(|until| entry.signs_from <= until)
            && entry.signs_from.max(entry.signs_until.unwrap_or_default()) <= LATEST
            && (1..=LONGEST_TOKEN).contains(&entry.longest_token)
    };
    let follows = |pair: (&Entry<'_>, &Entry<'_>)| {
        let (earlier, later) = pair;
        earlier.signs_until.is_some_and(|until| until <= later.signs_from)
    };
    let plausible = entries.len() <= MOST_KEYS + KEPT_RETIRED
        && entries.iter().all(holds)
        && entries.iter().zip(entries.iter().skip(1)).all(follows);
    if plausible {
        Ok(())
    } else {
        Err(KeyRingError::Implausible)
    }
}

fn read_entry(entry: &Entry<'_>) -> Result<RingKey, KeyRingError> {
    let algorithm = Algorithm::from_name(entry.alg).ok_or(KeyError::Unsupported)?;
    let secret = base64url::decode(entry.secret).map_err(|_| KeyRingError::Malformed)?;
    let secret = Secret::new(secret);
    let key = if algorithm.is_symmetric() {
        SigningKey::hmac(algorithm, &secret)?
    } else {
        SigningKey::from_pkcs8_der(algorithm, &secret)?
    };
    Ok(RingKey {
        key: Arc::new(key.with_kid(entry.kid.as_str())),
        published_at: Timestamp::from_unix_seconds(entry.published_at),
        signs_from: Timestamp::from_unix_seconds(entry.signs_from),
        signs_until: entry.signs_until.map(Timestamp::from_unix_seconds),
        longest_token: Duration::from_secs(entry.longest_token),
    })
}

fn seconds(time: Timestamp) -> u64 {
    rounded_up(time.since_epoch())
}

fn rounded_up(duration: Duration) -> u64 {
    let more = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(more)
}
