//! The verbs.

use std::collections::HashSet;

use async_trait::async_trait;
use portcullis_core::Timestamp;
use portcullis_store::{
    Kind, NewRecord, Owner, REMEMBERED, Record, RecordKey, RecordStore, Replacement, StoreError, Version,
};

use crate::RedisStore;
use crate::fault::Fault;
use crate::link::Cell;
use crate::rows::{self, millis, number, time, verdict};
use crate::verb::{self, Verb};

/// How many records of an owner one script looks at.
const AT_ONCE: &[u8] = b"256";

impl RedisStore {
    /// Runs a script that hands out a record, or says that there is none.
    async fn one(
        &self,
        place: &'static str,
        verb: &Verb,
        key: &RecordKey,
    ) -> Result<Option<Record>, StoreError> {
        let own = [key.kind().as_str().as_bytes(), key.id()];
        let answer = self.run(verb, self.0.buckets.of(key), &own).await;
        let found = answer.and_then(|answer| match verdict(&answer)? {
            (b"ok", fields) => rows::record(key.clone(), fields).map(Some),
            (b"none", []) => Ok(None),
            _ => Err(Fault::Garbled),
        });
        found.map_err(|fault| fault.at(place))
    }

    /// One part of an owner's list.
    async fn part(&self, bucket: &[u8], verb: &Verb, own: &[&[u8]]) -> Result<Part, Fault> {
        let answer = self.run(verb, bucket, own).await?;
        let (word, rest) = verdict(&answer)?;
        match (word, rest) {
            (b"ok", [Some(cursor), rest @ ..]) => Ok(Part {
                cursor: cursor.clone(),
                rest: rest.to_vec(),
            }),
            _ => Err(Fault::Garbled),
        }
    }

    async fn list_in(&self, bucket: &[u8], kind: Kind, owner: &Owner) -> Result<Vec<Record>, Fault> {
        let mut records = Vec::new();
        let mut seen = HashSet::new();
        let mut cursor = b"0".to_vec();
        loop {
            let own = [kind.as_str().as_bytes(), owner.as_bytes(), &cursor, AT_ONCE];
            let part = self.part(bucket, &verb::LIST, &own).await?;
            for record in rows::records(kind, &part.rest)? {
                if seen.insert(record.key().clone()) {
                    records.push(record);
                }
            }
            cursor = part.cursor;
            if cursor == b"0" {
                return Ok(records);
            }
        }
    }

    /// Removes an owner's records, those dated up to `instant` where it is given, and refuses such from then on.
    async fn remove_owned(
        &self,
        place: &'static str,
        kind: Kind,
        owner: &Owner,
        instant: &[u8],
    ) -> Result<u64, StoreError> {
        let remembered = REMEMBERED.as_millis().to_string().into_bytes();
        let (mut removed, mut begun) = (0_u64, false);
        for bucket in self.0.buckets.all() {
            let mut cursor = b"0".to_vec();
            loop {
                let (kind, owner) = (kind.as_str().as_bytes(), owner.as_bytes());
                let own = [kind, owner, &cursor, AT_ONCE, instant, &remembered];
                let part = self.part(bucket, &verb::REMOVE_OWNED, &own).await;
                let done = part.and_then(|part| Ok((number(part.rest.first())?, part.cursor)));
                let (number, next) = done.map_err(|fault| match begun {
                    true => fault.half_way(place),
                    false => fault.at(place),
                })?;
                (removed, begun, cursor) = (removed.saturating_add(number), true, next);
                if cursor == b"0" {
                    break;
                }
            }
        }
        Ok(removed)
    }
}

/// Where an owner's list goes on, and what was found up to there.
struct Part {
    cursor: Vec<u8>,
    rest: Vec<Cell>,
}

#[async_trait]
impl RecordStore for RedisStore {
    async fn create(&self, record: NewRecord) -> Result<Version, StoreError> {
        let place = "create";
        let key = record.key().clone();
        let owner = record.owner().map(Owner::as_bytes).unwrap_or_default();
        let date = record.date().map(millis).unwrap_or_default();
        let (expires, limit) = record.ends();
        let (expires, limit) = (millis(expires), millis(limit));
        let remembered = REMEMBERED.as_millis().to_string();
        let own = [
            key.kind().as_str().as_bytes(),
            key.id(),
            owner,
            date.as_bytes(),
            expires.as_bytes(),
            limit.as_bytes(),
            record.payload().as_bytes(),
            remembered.as_bytes(),
        ];
        let answer = self
            .ask(place, &verb::CREATE, self.0.buckets.of(&key), &own)
            .await?;
        number(answer.first())
            .map(Version::new)
            .map_err(|fault| fault.at(place))
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.one("load", &verb::LOAD, key).await
    }

    async fn replace(
        &self,
        key: &RecordKey,
        expected: Version,
        with: Replacement,
    ) -> Result<Version, StoreError> {
        let place = "replace";
        let expected = expected.number().to_string();
        let (extends, ends) = with.ends();
        let (extends, ends) = (
            extends.map(millis).unwrap_or_default(),
            ends.map(millis).unwrap_or_default(),
        );
        let own = [
            key.kind().as_str().as_bytes(),
            key.id(),
            expected.as_bytes(),
            with.payload().as_bytes(),
            extends.as_bytes(),
            ends.as_bytes(),
        ];
        let answer = self
            .ask(place, &verb::REPLACE, self.0.buckets.of(key), &own)
            .await?;
        number(answer.first())
            .map(Version::new)
            .map_err(|fault| fault.at(place))
    }

    async fn touch(&self, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, StoreError> {
        let place = "touch";
        let expires = millis(expires_at);
        let own = [key.kind().as_str().as_bytes(), key.id(), expires.as_bytes()];
        let answer = self
            .ask(place, &verb::TOUCH, self.0.buckets.of(key), &own)
            .await?;
        time(answer.first()).map_err(|fault| fault.at(place))
    }

    async fn take(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.one("take", &verb::REMOVE, key).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, StoreError> {
        Ok(self.one("delete", &verb::REMOVE, key).await?.is_some())
    }

    async fn list_owned_by(&self, kind: Kind, owner: &Owner) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        for bucket in self.0.buckets.all() {
            let found = self.list_in(bucket, kind, owner).await;
            records.extend(found.map_err(|fault| fault.at("list_owned_by"))?);
        }
        Ok(records)
    }

    async fn delete_owned_by(&self, kind: Kind, owner: &Owner) -> Result<u64, StoreError> {
        self.remove_owned("delete_owned_by", kind, owner, b"").await
    }

    async fn revoke_before(&self, kind: Kind, owner: &Owner, instant: Timestamp) -> Result<u64, StoreError> {
        let instant = millis(instant);
        self.remove_owned("revoke_before", kind, owner, instant.as_bytes())
            .await
    }

    /// Does nothing but ask: Redis drops what has expired by itself, and lists are cleared when they are used.
    async fn sweep(&self) -> Result<u64, StoreError> {
        for bucket in self.0.buckets.all() {
            self.ask("sweep", &verb::LOG_END, bucket, &[]).await?;
        }
        Ok(0)
    }
}
