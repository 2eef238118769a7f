//! What is kept.

use std::fmt;
use std::sync::Arc;

use portcullis_core::Timestamp;

use crate::{Lifetime, Owner, REMEMBERED, RecordKey, StoreError, StoreErrorKind};

/// The version of a record. Only the store gives it a meaning, except that a later one is greater, and that
/// no other state of a record of that key ever has the same, not even one that was deleted and created anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Version {
    /// The version of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// What a record says: bytes that only whoever wrote them understands.
///
/// `Debug` shows their number alone. A clone is cheap. They are not wiped from memory: what must not be read
/// in a dump is sealed or hashed before it is stored.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Payload(Option<Arc<[u8]>>);

impl Payload {
    /// The longest payload, in bytes: 64 KiB.
    pub const MAX_LEN: usize = 64 * 1024;

    /// These bytes; none is fine.
    ///
    /// # Errors
    ///
    /// [`Malformed`](StoreErrorKind::Malformed) when there are more than [`MAX_LEN`](Self::MAX_LEN).
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Result<Self, StoreError> {
        let bytes = bytes.into();
        if bytes.len() > Self::MAX_LEN {
            let message = "a payload is longer than 64 KiB";
            return Err(StoreError::new(StoreErrorKind::Malformed, message));
        }
        Ok(Self((!bytes.is_empty()).then_some(bytes)))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.as_bytes().len())
    }
}

/// A record as it is kept. A clone is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    key: RecordKey,
    owner: Option<Owner>,
    version: Version,
    lifetime: Lifetime,
    payload: Payload,
}

impl Record {
    /// What a backend found.
    #[must_use]
    pub const fn new(
        key: RecordKey,
        owner: Option<Owner>,
        version: Version,
        lifetime: Lifetime,
        payload: Payload,
    ) -> Self {
        Self {
            key,
            owner,
            version,
            lifetime,
            payload,
        }
    }

    /// What it is found by.
    #[must_use]
    pub const fn key(&self) -> &RecordKey {
        &self.key
    }

    /// Whose it is. Never changes.
    #[must_use]
    pub const fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    /// Which of its states this is.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// When it came to be and when it ends.
    #[must_use]
    pub const fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    /// What it says.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The state that follows when it is touched: the version stays.
    #[must_use]
    pub fn touched(mut self, expires_at: Timestamp) -> Self {
        self.lifetime = self.lifetime.extended_to(expires_at);
        self
    }

    /// The state of `version` that follows when it is replaced.
    #[must_use]
    pub fn replaced(mut self, version: Version, with: Replacement) -> Self {
        if let Some(expires_at) = with.extends_to {
            self.lifetime = self.lifetime.extended_to(expires_at);
        }
        if let Some(end) = with.ends_by {
            self.lifetime = self.lifetime.ending_by(end);
        }
        self.version = version;
        self.payload = with.payload;
        self
    }
}

/// A record to be created.
#[derive(Clone, Debug)]
#[must_use]
pub struct NewRecord {
    key: RecordKey,
    owner: Option<Owner>,
    created_at: Option<Timestamp>,
    expires_at: Timestamp,
    limit: Timestamp,
    payload: Payload,
}

impl NewRecord {
    /// A record that expires at `expires_at` and cannot be extended, is nobody's, and is created when the
    /// store gets it.
    pub const fn new(key: RecordKey, payload: Payload, expires_at: Timestamp) -> Self {
        Self {
            key,
            owner: None,
            created_at: None,
            expires_at,
            limit: expires_at,
            payload,
        }
    }

    /// Makes it `owner`'s. Records that are nobody's are the first to be refused when room becomes scarce.
    pub fn owned_by(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Dates it: whatever was revoked up to `instant` concerns it. Give the time at which what it rests on was
    /// seen to hold, such as the start of the request that renews a session: a revocation in between is not
    /// lost then. The future counts as now.
    pub const fn created_at(mut self, instant: Timestamp) -> Self {
        self.created_at = Some(instant);
        self
    }

    /// Lets it be extended up to `limit`.
    pub const fn limit(mut self, limit: Timestamp) -> Self {
        self.limit = limit;
        self
    }

    /// What it will be found by.
    #[must_use]
    pub const fn key(&self) -> &RecordKey {
        &self.key
    }

    /// Whose it will be.
    #[must_use]
    pub const fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    /// Its date, where one was given. The backend's clock dates it otherwise, and where the date is in the future.
    #[must_use]
    pub const fn date(&self) -> Option<Timestamp> {
        self.created_at
    }

    /// When it will expire, and how far it can be extended, as they were given.
    #[must_use]
    pub const fn ends(&self) -> (Timestamp, Timestamp) {
        (self.expires_at, self.limit)
    }

    /// What it will say.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The record as a backend keeps it, created at `now` on the backend's clock.
    ///
    /// # Errors
    ///
    /// [`Expired`](StoreErrorKind::Expired) and [`TooOld`](StoreErrorKind::TooOld). Whether it was revoked is
    /// for the backend to find out, in the step that creates it.
    pub fn into_record(self, version: Version, now: Timestamp) -> Result<Record, StoreError> {
        let created_at = self.created_at.map_or(now, |given| given.min(now));
        let lifetime = Lifetime::new(created_at, self.expires_at, self.limit);
        if !lifetime.lasts_at(now) {
            return Err(StoreErrorKind::Expired.into());
        }
        if lifetime.created_at().saturating_add(REMEMBERED) < now {
            return Err(StoreErrorKind::TooOld.into());
        }
        Ok(Record::new(self.key, self.owner, version, lifetime, self.payload))
    }
}

/// What a record becomes. Its key, its owner and its date stay.
#[derive(Clone, Debug)]
#[must_use]
pub struct Replacement {
    payload: Payload,
    extends_to: Option<Timestamp>,
    ends_by: Option<Timestamp>,
}

impl Replacement {
    /// Another payload; the end stays.
    pub const fn new(payload: Payload) -> Self {
        Self {
            payload,
            extends_to: None,
            ends_by: None,
        }
    }

    /// Extends the record as [`touch`](crate::RecordStore::touch) does.
    pub const fn extend_to(mut self, expires_at: Timestamp) -> Self {
        self.extends_to = Some(expires_at);
        self
    }

    /// Ends the record at `end` at the latest, for good: no touch extends it beyond. For an id that is being
    /// succeeded by another one and lives on for some seconds.
    pub const fn end_by(mut self, end: Timestamp) -> Self {
        self.ends_by = Some(end);
        self
    }

    /// What the record will say.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// Up to when it is extended and by when it ends, where these were given; the extension comes first.
    #[must_use]
    pub const fn ends(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.extends_to, self.ends_by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn new() -> NewRecord {
        let key = RecordKey::new(Kind::new("session"), "id").expect("a key");
        NewRecord::new(key, Payload::new(*b"one").expect("a payload"), at(10))
    }

    #[test]
    fn a_new_record_tells_what_was_given_and_nothing_else() {
        let plain = new();
        assert_eq!(
            (plain.key().id(), plain.payload().as_bytes()),
            (&b"id"[..], &b"one"[..])
        );
        assert_eq!((plain.owner(), plain.date()), (None, None));
        assert_eq!(plain.ends(), (at(10), at(10)));

        let alice = Owner::new("alice").expect("an owner");
        let whole = new().owned_by(alice.clone()).created_at(at(3)).limit(at(20));
        assert_eq!((whole.owner(), whole.date()), (Some(&alice), Some(at(3))));
        assert_eq!(whole.ends(), (at(10), at(20)));
        // As they were given: what they mean is found out when the backend gets it.
        assert_eq!(new().limit(at(5)).ends(), (at(10), at(5)));
    }

    /// What a backend makes of these is what [`NewRecord::into_record`] makes of them.
    #[test]
    fn what_a_new_record_tells_is_what_becomes_of_it() {
        for new in [
            new(),
            new().limit(at(5)),
            new().created_at(at(3)),
            new().created_at(at(99)).limit(at(20)),
        ] {
            let (now, (expires_at, limit)) = (at(4), new.ends());
            let date = new.date().map_or(now, |date| date.min(now));
            let record = new.into_record(Version::new(7), now).expect("it lasts");
            assert_eq!(record.lifetime(), Lifetime::new(date, expires_at, limit));
        }
    }

    #[test]
    fn a_replacement_tells_what_was_given_and_nothing_else() {
        let plain = Replacement::new(Payload::new(*b"two").expect("a payload"));
        assert_eq!(plain.payload().as_bytes(), b"two");
        assert_eq!(plain.ends(), (None, None));
        assert_eq!(plain.clone().extend_to(at(5)).ends(), (Some(at(5)), None));
        assert_eq!(plain.clone().end_by(at(6)).ends(), (None, Some(at(6))));
        let both = plain.end_by(at(6)).extend_to(at(5));
        assert_eq!(both.ends(), (Some(at(5)), Some(at(6))));
    }
}
