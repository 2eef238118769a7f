//! A key as the payload of a record.

use std::fmt;
use std::time::Duration;

use portcullis_core::{Principal, Scopes, SharedStr, Timestamp};
use portcullis_store::{Owner, Payload, Record, StoreError, StoreErrorKind};
use serde::{Deserialize, Serialize};

use crate::stored::Previous;
use crate::{ApiKey, KeyId, StoredKey};

/// Version 1 of the payload. Unknown fields are refused: whoever does not know one would drop it when writing, and
/// it may be a limit.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    v: u8,
    prefix: String,
    last_four: String,
    name: String,
    issuer: String,
    subject: String,
    scopes: String,
    environment: Option<String>,
    networks: Vec<String>,
    created: u64,
    expires: Option<u64>,
    disabled: bool,
    used: Option<u64>,
    digest: String,
    previous: Option<WrittenPrevious>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct WrittenPrevious {
    digest: String,
    ends: u64,
}

const VERSION: u8 = 1;

/// A record is no key, or one that this version cannot read.
#[derive(Debug)]
pub(crate) struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the record of an API key cannot be read")
    }
}

impl std::error::Error for Unreadable {}

impl From<Unreadable> for StoreError {
    fn from(unreadable: Unreadable) -> Self {
        Self::new(
            StoreErrorKind::Unavailable,
            "the record of an API key cannot be read",
        )
        .with_source(unreadable)
    }
}

fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.since_epoch().as_millis()).unwrap_or(u64::MAX)
}

const fn from_millis(millis: u64) -> Timestamp {
    Timestamp::from_unix(Duration::from_millis(millis))
}

/// What a record says.
pub(crate) fn payload(stored: &StoredKey) -> Result<Payload, StoreError> {
    let key = stored.key();
    let scopes: Vec<&str> = key.scopes.iter().collect();
    let written = Written {
        v: VERSION,
        prefix: key.prefix.to_string(),
        last_four: key.last_four.to_string(),
        name: key.name.to_string(),
        issuer: key.owner.issuer().to_owned(),
        subject: key.owner.subject().to_owned(),
        scopes: scopes.join(" "),
        environment: key.environment.as_ref().map(ToString::to_string),
        networks: key.networks.iter().map(ToString::to_string).collect(),
        created: millis(key.created_at),
        expires: key.expires_at.map(millis),
        disabled: key.disabled,
        used: key.last_used_at.map(millis),
        digest: stored.digest.to_text(),
        previous: stored.previous.as_ref().map(|previous| WrittenPrevious {
            digest: previous.digest.to_text(),
            ends: millis(previous.ends_at),
        }),
    };
    let unwritable =
        |error| StoreError::new(StoreErrorKind::Malformed, "an API key cannot be written").with_source(error);
    let bytes: Vec<u8> = serde_json::to_vec(&written).map_err(unwritable)?;
    Payload::new(bytes)
}

/// Reads a record.
pub(crate) fn read(record: &Record) -> Result<StoredKey, Unreadable> {
    let id = KeyId::of_record(record.key()).ok_or(Unreadable)?;
    let written: Written = serde_json::from_slice(record.payload().as_bytes()).map_err(|_| Unreadable)?;
    if written.v != VERSION {
        return Err(Unreadable);
    }
    let networks = written.networks.iter().map(|network| network.parse());
    let key = ApiKey {
        id,
        prefix: written.prefix.into(),
        last_four: written.last_four.into(),
        name: written.name.into(),
        owner: Principal::new(written.issuer, written.subject),
        scopes: Scopes::parse(written.scopes).map_err(|_| Unreadable)?,
        environment: written.environment.map(SharedStr::from),
        networks: networks.collect::<Result<_, _>>().map_err(|_| Unreadable)?,
        created_at: from_millis(written.created),
        expires_at: written.expires.map(from_millis),
        disabled: written.disabled,
        rotation_ends_at: written
            .previous
            .as_ref()
            .map(|previous| from_millis(previous.ends)),
        last_used_at: written.used.map(from_millis),
    };
    let previous = written.previous.map(|previous| {
        let digest = previous.digest.parse().map_err(|_| Unreadable)?;
        let ends_at = from_millis(previous.ends);
        Ok(Previous { digest, ends_at })
    });
    Ok(StoredKey {
        key: key.into(),
        digest: written.digest.parse().map_err(|_| Unreadable)?,
        previous: previous.transpose()?,
    })
}

/// Whose records a principal's are: the length of the issuer, the issuer, the subject. No two principals have one name.
///
/// # Errors
///
/// When both together are longer than a store allows, less four bytes.
pub fn owner_of(principal: &Principal) -> Result<Owner, StoreError> {
    let issuer = principal.issuer().as_bytes();
    let length = u32::try_from(issuer.len()).unwrap_or(u32::MAX).to_be_bytes();
    Owner::new([&length, issuer, principal.subject().as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use portcullis_core::Secret;
    use portcullis_seal::SecretDigest;
    use portcullis_store::{Lifetime, Version};

    use super::*;

    fn stored() -> StoredKey {
        let digest = |text: &str| SecretDigest::sha256(&Secret::new(text.to_owned()));
        let id = "0123456789abcdEF".parse().expect("an id");
        StoredKey::new(id, digest("new"), Principal::new("https://issuer.test", "alice"))
            .name("deploy")
            .scopes(Scopes::parse("a b").expect("scopes"))
            .networks(["10.0.0.0/8".parse().expect("a network")])
            .environment("live")
            .created_at(Timestamp::from_unix_seconds(5))
            .expires_at(Timestamp::from_unix_seconds(10))
            .previous(digest("old"), Timestamp::from_unix_seconds(7))
    }

    fn record(payload: Payload) -> Record {
        let key = stored().key().id().record_key().expect("a key");
        let end = Timestamp::from_unix_seconds(10);
        Record::new(
            key,
            None,
            Version::new(1),
            Lifetime::new(Timestamp::EPOCH, end, end),
            payload,
        )
    }

    #[test]
    fn what_is_written_is_read() {
        let written = payload(&stored()).expect("written");
        let read = read(&record(written)).expect("read");
        assert_eq!(format!("{:?}", read.key()), format!("{:?}", stored().key()));
        assert_eq!(read.digest.to_text(), stored().digest.to_text());
        let previous = |key: &StoredKey| {
            key.previous
                .as_ref()
                .map(|old| (old.digest.to_text(), old.ends_at))
        };
        assert_eq!(previous(&read), previous(&stored()));
    }

    #[test]
    fn a_payload_of_another_version_or_with_more_or_less_in_it_is_not_read() {
        let written = payload(&stored()).expect("written");
        let text = std::str::from_utf8(written.as_bytes()).expect("JSON");
        for (from, to) in [
            ("\"v\":1", "\"v\":2"),
            ("\"v\":1", "\"v\":1,\"only_on_sundays\":true"),
            ("\"disabled\":false,", ""),
            ("10.0.0.0/8", "10.0.0.1/8"),
            ("sha256:", "sha512:"),
            ("{", ""),
        ] {
            let broken = text.replacen(from, to, 1);
            assert_ne!(broken, text, "{from}");
            let broken = Payload::new(broken.into_bytes()).expect("short");
            assert!(read(&record(broken)).is_err(), "{from} as {to}");
        }
        assert!(read(&record(written)).is_ok());
    }

    #[test]
    fn two_principals_have_two_names() {
        let name = |issuer: &str, subject: &str| owner_of(&Principal::new(issuer, subject)).expect("short");
        assert_eq!(name("a", "bc"), name("a", "bc"));
        assert_ne!(name("a", "bc"), name("ab", "c"));
        assert!(owner_of(&Principal::new("a", "b".repeat(600))).is_err());
    }

    #[test]
    fn no_digest_is_shown() {
        let shown = format!("{:?}", stored());
        assert!(!shown.contains("sha256") && shown.contains("deploy"), "{shown}");
    }
}
