//! Keys that leave one process and start another.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use portcullis_core::{ConfigError, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::refresh::Source;
use crate::remote::shown;

const VERSION: u64 = 1;

/// A key set as it was fetched, to be kept across a restart: what
/// [`RemoteKeySet::export`](crate::RemoteKeySet::export) gives and
/// [`RemoteKeySetBuilder::import`](crate::RemoteKeySetBuilder::import) takes.
///
/// A service that starts while its issuer is unreachable would answer 503 to everybody. With a snapshot
/// it starts with the keys it had.
///
/// # The bytes
///
/// One JSON object. Members that are not listed are ignored; none may occur twice.
///
/// | member | |
/// |---|---|
/// | `version` | `1`; bytes of another version are refused |
/// | `issuer` or `address` | where the keys were configured to come from; one of the two |
/// | `fetched_at` | when they were last fetched or confirmed, in seconds since the Unix epoch |
/// | `fresh_for` | for how many seconds that made them fresh |
/// | `jwks` | the key set (RFC 7517 §5), as it was received |
///
/// # What this trusts
///
/// Whoever wrote the bytes: they name the keys whose tokens are believed, so **whoever can write them can
/// mint tokens.** They are configuration, to be kept where only the service and its operator can write,
/// never in a cache that others share. Nothing is signed, and where they came from is not checked: only
/// that they name the configured issuer or address.
///
/// Public keys are no secret. An `address` stands there with its query, which may be one.
#[derive(Clone)]
pub struct KeySnapshot {
    pub(crate) origin: Origin,
    pub(crate) fetched_at: Timestamp,
    pub(crate) fresh_for: Duration,
    pub(crate) document: Bytes,
}

/// The configured source of a set.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Issuer(String),
    Address(String),
}

impl Origin {
    pub(crate) fn of(source: &Source) -> Self {
        match source {
            Source::At(address) => Self::Address(address.to_string()),
            Source::Discovered { issuer, .. } => Self::Issuer(issuer.as_ref().to_owned()),
        }
    }

    const fn member(&self) -> (&'static str, &String) {
        match self {
            Self::Issuer(issuer) => ("issuer", issuer),
            Self::Address(address) => ("address", address),
        }
    }
}

#[derive(Deserialize)]
struct Members<'a> {
    issuer: Option<String>,
    address: Option<String>,
    fetched_at: u64,
    fresh_for: u64,
    #[serde(borrow)]
    jwks: &'a RawValue,
}

/// Read before anything else: another version may have other members.
#[derive(Deserialize)]
struct Version {
    version: u64,
}

impl KeySnapshot {
    /// Reads what [`to_bytes`](Self::to_bytes) wrote. The keys themselves are read by
    /// [`build`](crate::RemoteKeySetBuilder::build), within the limits of that set.
    ///
    /// # Errors
    ///
    /// When the bytes are no snapshot, or one of another version. A service that keeps its snapshot in a
    /// file starts without it then.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ConfigError> {
        let unreadable = || ConfigError::new("these bytes are no snapshot of a key set");
        let Version { version } = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
        if version != VERSION {
            return Err(ConfigError::new(
                "the snapshot of a key set is of another version than is read here",
            ));
        }
        let members: Members<'_> = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
        let origin = match (members.issuer, members.address) {
            (Some(issuer), None) => Origin::Issuer(issuer),
            (None, Some(address)) => Origin::Address(address),
            _ => return Err(unreadable()),
        };
        Ok(Self {
            origin,
            fetched_at: Timestamp::from_unix_seconds(members.fetched_at),
            fresh_for: Duration::from_secs(members.fresh_for),
            document: Bytes::copy_from_slice(members.jwks.get().as_bytes()),
        })
    }

    /// The bytes to be kept, as the [table](Self#the-bytes) says. Times are rounded down, so that a
    /// snapshot never lives longer than the set it was taken of.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (member, source) = self.origin.member();
        let head = format!(
            r#"{{"version":{VERSION},"{member}":{},"fetched_at":{},"fresh_for":{},"jwks":"#,
            Value::from(source.as_str()),
            self.fetched_at.as_unix_seconds(),
            self.fresh_for.as_secs(),
        );
        // Accepted key sets are JSON, so this is.
        [head.as_bytes(), &self.document, b"}"].concat()
    }

    /// When the keys were last fetched or confirmed. It tells two snapshots of one set apart.
    #[must_use]
    pub const fn fetched_at(&self) -> Timestamp {
        self.fetched_at
    }
}

impl fmt::Debug for KeySnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (member, source) = self.origin.member();
        f.debug_struct("KeySnapshot")
            .field(member, &shown(source))
            .field("fetched_at", &self.fetched_at)
            .field("fresh_for", &self.fresh_for)
            .finish_non_exhaustive()
    }
}
