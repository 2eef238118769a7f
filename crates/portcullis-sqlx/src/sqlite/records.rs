use async_trait::async_trait;
use portcullis_core::Timestamp;
use portcullis_store::{
    Kind, NewRecord, Owner, REMEMBERED, Record, RecordKey, RecordStore, Replacement, StoreError,
    StoreErrorKind, Version,
};

use super::SqliteStore;
use super::link::Writing;
use crate::shared::{Columns, Fault, Retouch, key as key_of, millis, number, record, stored, time};

/// Rows dropped in one transaction of a sweep, so that nobody waits long for it.
const BATCH: u64 = 1_000;

pub(super) const LOAD: &str = "SELECT owner, version, created_at, expires_at, limit_at, payload \
     FROM portcullis_records WHERE kind = ?1 AND id = ?2 AND expires_at > ?3";

const LIVE: &str = "SELECT count(*) FROM portcullis_records WHERE kind = ?1 AND id = ?2 AND expires_at > ?3";

pub(super) const REVOKED: &str =
    "SELECT count(*) FROM portcullis_cutoffs WHERE kind = ?1 AND owner = ?2 AND cutoff >= ?3";

/// What is there has expired.
const CREATE: &str = "INSERT OR REPLACE INTO portcullis_records \
     (kind, id, owner, version, created_at, expires_at, limit_at, payload) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

pub(super) const REPLACE: &str = "UPDATE portcullis_records SET version = ?5, payload = ?6, \
     expires_at = min(max(expires_at, min(?7, limit_at)), ?8), limit_at = min(limit_at, ?8) \
     WHERE kind = ?1 AND id = ?2 AND expires_at > ?3 AND version = ?4";

pub(super) const TOUCH: &str = "UPDATE portcullis_records SET expires_at = max(expires_at, min(?4, limit_at)) \
     WHERE kind = ?1 AND id = ?2 AND expires_at > ?3 RETURNING expires_at";

pub(super) const TAKE: &str = "DELETE FROM portcullis_records WHERE kind = ?1 AND id = ?2 \
     RETURNING owner, version, created_at, expires_at, limit_at, payload";

pub(super) const DELETE: &str =
    "DELETE FROM portcullis_records WHERE kind = ?1 AND id = ?2 RETURNING expires_at";

pub(super) const LIST: &str = "SELECT id, owner, version, created_at, expires_at, limit_at, payload \
     FROM portcullis_records WHERE kind = ?1 AND owner = ?2 AND expires_at > ?3";

pub(super) const DELETE_OWNED: &str = "DELETE FROM portcullis_records WHERE kind = ?1 AND owner = ?2 AND created_at <= ?3 \
     RETURNING expires_at";

/// Never takes an earlier revocation back.
const REVOKE: &str = "INSERT INTO portcullis_cutoffs (kind, owner, cutoff) VALUES (?1, ?2, ?3) \
     ON CONFLICT (kind, owner) DO UPDATE SET cutoff = max(cutoff, excluded.cutoff)";

pub(super) const SWEEP: &str = "DELETE FROM portcullis_records WHERE rowid IN \
     (SELECT rowid FROM portcullis_records WHERE expires_at <= ?1 LIMIT ?2)";

pub(super) const FORGET: &str = "DELETE FROM portcullis_cutoffs WHERE cutoff < ?1";

impl SqliteStore {
    async fn is_live(writing: &mut Writing, key: &RecordKey) -> Result<bool, Fault> {
        let now = writing.now_millis();
        let query = sqlx::query_as(LIVE)
            .bind(key.kind().as_str())
            .bind(key.id())
            .bind(now);
        let (live,): (i64,) = query.fetch_one(writing.link()).await?;
        Ok(live > 0)
    }

    async fn create_in(writing: &mut Writing, new: NewRecord) -> Result<Version, Fault> {
        let key = new.key().clone();
        if Self::is_live(writing, &key).await? {
            return Err(StoreErrorKind::Present.into());
        }
        let version = Version::new(number(writing.next_version().await?));
        let record = new.into_record(version, writing.now)?;
        let lifetime = record.lifetime();
        let (kind, owner) = (key.kind().as_str(), record.owner().map(Owner::as_bytes));
        if let Some(owner) = owner {
            let revoked = sqlx::query_as(REVOKED)
                .bind(kind)
                .bind(owner)
                .bind(millis(lifetime.created_at()));
            let (revoked,): (i64,) = revoked.fetch_one(writing.link()).await?;
            if revoked > 0 {
                return Err(StoreErrorKind::Revoked.into());
            }
            writing.log_record(&key).await?;
        }
        sqlx::query(CREATE)
            .bind(kind)
            .bind(key.id())
            .bind(owner)
            .bind(stored(version))
            .bind(millis(lifetime.created_at()))
            .bind(millis(lifetime.expires_at()))
            .bind(millis(lifetime.limit()))
            .bind(record.payload().as_bytes())
            .execute(writing.link())
            .await?;
        Ok(version)
    }

    async fn replace_in(
        writing: &mut Writing,
        key: &RecordKey,
        expected: Version,
        with: &Replacement,
    ) -> Result<Version, Fault> {
        let Retouch { extend_to, end_by } = Retouch::of(key, with);
        let (now, version) = (writing.now_millis(), writing.next_version().await?);
        let changed = sqlx::query(REPLACE)
            .bind(key.kind().as_str())
            .bind(key.id())
            .bind(now)
            .bind(stored(expected))
            .bind(version)
            .bind(with.payload().as_bytes())
            .bind(extend_to)
            .bind(end_by)
            .execute(writing.link())
            .await?;
        if changed.rows_affected() == 0 {
            return Err(match Self::is_live(writing, key).await? {
                true => StoreErrorKind::Conflict.into(),
                false => StoreErrorKind::NotFound.into(),
            });
        }
        writing.log_record(key).await?;
        Ok(Version::new(number(version)))
    }

    async fn touch_in(writing: &mut Writing, key: &RecordKey, expires_at: i64) -> Result<Timestamp, Fault> {
        let now = writing.now_millis();
        let query = sqlx::query_as(TOUCH).bind(key.kind().as_str()).bind(key.id());
        let touched = query
            .bind(now)
            .bind(expires_at)
            .fetch_optional(writing.link())
            .await?;
        let (expires_at,): (i64,) = touched.ok_or(StoreErrorKind::NotFound)?;
        Ok(time(expires_at))
    }

    async fn take_in(writing: &mut Writing, key: &RecordKey) -> Result<Option<Record>, Fault> {
        let query = sqlx::query_as(TAKE).bind(key.kind().as_str()).bind(key.id());
        let taken: Option<Columns> = query.fetch_optional(writing.link()).await?;
        let Some(taken) = taken else { return Ok(None) };
        let record = record(key.clone(), taken)?;
        if !record.lifetime().lasts_at(writing.now) {
            return Ok(None);
        }
        writing.log_record(key).await?;
        Ok(Some(record))
    }

    async fn delete_in(writing: &mut Writing, key: &RecordKey) -> Result<bool, Fault> {
        let query = sqlx::query_as(DELETE).bind(key.kind().as_str()).bind(key.id());
        let deleted: Option<(i64,)> = query.fetch_optional(writing.link()).await?;
        let lived = deleted.is_some_and(|(expires_at,)| expires_at > writing.now_millis());
        if lived {
            writing.log_record(key).await?;
        }
        Ok(lived)
    }

    /// Removes the records of `owner` that are dated `instant` or earlier.
    async fn delete_owned(
        writing: &mut Writing,
        kind: Kind,
        owner: &Owner,
        instant: i64,
    ) -> Result<u64, Fault> {
        let query = sqlx::query_as(DELETE_OWNED)
            .bind(kind.as_str())
            .bind(owner.as_bytes())
            .bind(instant);
        let deleted: Vec<(i64,)> = query.fetch_all(writing.link()).await?;
        writing.log_owner(kind.as_str(), owner.as_bytes()).await?;
        let now = writing.now_millis();
        Ok(deleted
            .iter()
            .filter(|(expires_at,)| *expires_at > now)
            .map(|_| 1)
            .sum())
    }

    async fn revoke_in(writing: &mut Writing, kind: Kind, owner: &Owner, instant: i64) -> Result<u64, Fault> {
        let query = sqlx::query(REVOKE)
            .bind(kind.as_str())
            .bind(owner.as_bytes())
            .bind(instant);
        query.execute(writing.link()).await?;
        Self::delete_owned(writing, kind, owner, instant).await
    }

    /// Drops a batch of what has expired, and with the last batch what nobody needs any more besides.
    async fn sweep_in(&self, writing: &mut Writing) -> Result<u64, Fault> {
        let now = writing.now_millis();
        let query = sqlx::query(SWEEP)
            .bind(now)
            .bind(i64::try_from(BATCH).unwrap_or(i64::MAX));
        let dropped = query.execute(writing.link()).await?.rows_affected();
        if dropped < BATCH {
            let forgotten = millis(time(now).saturating_sub(REMEMBERED));
            sqlx::query(FORGET)
                .bind(forgotten)
                .execute(writing.link())
                .await?;
        }
        Ok(dropped)
    }
}

/// One transaction that writes.
macro_rules! writing {
    ($store:expr, $verb:literal, |$writing:ident| $work:expr) => {
        $store
            .within($verb, async {
                let mut begun = $store.begin().await?;
                let $writing = &mut begun;
                let answer = $work.await;
                $store.end(begun, answer).await
            })
            .await
    };
}

#[async_trait]
impl RecordStore for SqliteStore {
    async fn create(&self, record: NewRecord) -> Result<Version, StoreError> {
        writing!(self, "create", |writing| Self::create_in(writing, record))
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.within("load", async {
            let mut link = self.reader().await?;
            let query = sqlx::query_as(LOAD).bind(key.kind().as_str()).bind(key.id());
            let found: Option<Columns> = query.bind(self.now_millis()).fetch_optional(&mut *link).await?;
            Ok(found.map(|found| record(key.clone(), found)).transpose()?)
        })
        .await
    }

    async fn replace(
        &self,
        key: &RecordKey,
        expected: Version,
        with: Replacement,
    ) -> Result<Version, StoreError> {
        writing!(self, "replace", |writing| {
            Self::replace_in(writing, key, expected, &with)
        })
    }

    async fn touch(&self, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, StoreError> {
        writing!(self, "touch", |writing| Self::touch_in(
            writing,
            key,
            millis(expires_at)
        ))
    }

    async fn take(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        writing!(self, "take", |writing| Self::take_in(writing, key))
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, StoreError> {
        writing!(self, "delete", |writing| Self::delete_in(writing, key))
    }

    async fn list_owned_by(&self, kind: Kind, owner: &Owner) -> Result<Vec<Record>, StoreError> {
        self.within("list_owned_by", async {
            let mut link = self.reader().await?;
            let query = sqlx::query(LIST).bind(kind.as_str()).bind(owner.as_bytes());
            let rows = query.bind(self.now_millis()).fetch_all(&mut *link).await?;
            let listed = rows.iter().map(|row| listed(kind, row));
            listed.collect()
        })
        .await
    }

    async fn delete_owned_by(&self, kind: Kind, owner: &Owner) -> Result<u64, StoreError> {
        writing!(self, "delete_owned_by", |writing| {
            Self::delete_owned(writing, kind, owner, i64::MAX)
        })
    }

    async fn revoke_before(&self, kind: Kind, owner: &Owner, instant: Timestamp) -> Result<u64, StoreError> {
        writing!(self, "revoke_before", |writing| {
            Self::revoke_in(writing, kind, owner, millis(instant))
        })
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        let mut dropped = 0;
        loop {
            let batch = writing!(self, "sweep", |writing| self.sweep_in(writing))?;
            dropped += batch;
            if batch < BATCH {
                break;
            }
        }
        while !writing!(self, "sweep", |writing| self.trim(writing))? {}
        Ok(dropped)
    }
}

fn listed(kind: Kind, row: &sqlx::sqlite::SqliteRow) -> Result<Record, Fault> {
    use sqlx::Row;

    let id: Vec<u8> = row.try_get(0)?;
    let columns: Columns = (
        row.try_get(1)?,
        row.try_get(2)?,
        row.try_get(3)?,
        row.try_get(4)?,
        row.try_get(5)?,
        row.try_get(6)?,
    );
    Ok(record(key_of(kind, &id)?, columns)?)
}
