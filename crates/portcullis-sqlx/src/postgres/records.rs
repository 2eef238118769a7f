use async_trait::async_trait;
use portcullis_core::Timestamp;
use portcullis_store::{
    Kind, NewRecord, Owner, REMEMBERED, Record, RecordKey, RecordStore, Replacement, StoreError,
    StoreErrorKind, Version,
};
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};

use super::PostgresStore;
use super::link::{Again, BEGIN, LOCK, call, lock_of, now, server_now};
use crate::shared::{Columns, Fault, Retouch, key as key_of, millis, number, record, stored, time};

/// Rows dropped by one statement of a sweep, so that nobody waits long for it.
const BATCH: i64 = 1_000;

/// Wakes whoever waits for changes, when the transaction commits. As text, because `void` is no value.
macro_rules! notified {
    () => {
        " RETURNING pg_notify('portcullis_changes', '')::text AS notified"
    };
}

pub(super) const LOAD: &str = concat!(
    "SELECT owner, version, created_at, expires_at, limit_at, payload \
     FROM portcullis_records WHERE kind = $1 AND id = $2 AND expires_at > ",
    now!()
);

const LIVE: &str = concat!(
    "SELECT count(*) FROM portcullis_records WHERE kind = $1 AND id = $2 AND expires_at > ",
    now!()
);

/// Keeps revocations of the owner out until the transaction ends, and says what time it is then.
const SHARE_OWNER: &str = concat!("SELECT pg_advisory_xact_lock_shared($1)::text, ", now!());

/// The lock of the key makes the order of creations that of their versions. What has expired is replaced with a version
/// that is taken once its row is held: a save may have held it until then.
pub(super) const CREATE: &str = concat!(
    "WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock($8)::text AS locked), \
     revoked AS MATERIALIZED (\
         SELECT 1 FROM portcullis_cutoffs WHERE kind = $1 AND owner = $3 AND cutoff >= $4), \
     made AS (INSERT INTO portcullis_records AS old \
         (kind, id, owner, version, created_at, expires_at, limit_at, payload) \
         SELECT $1, $2, $3, nextval('portcullis_versions'), $4, $5, $6, $7 \
         FROM locked WHERE locked IS NOT NULL AND NOT EXISTS (SELECT 1 FROM revoked) \
         ON CONFLICT (kind, id) DO UPDATE SET owner = excluded.owner, version = nextval('portcullis_versions'), \
         created_at = excluded.created_at, expires_at = excluded.expires_at, \
         limit_at = excluded.limit_at, payload = excluded.payload \
         WHERE old.expires_at <= ",
    now!(),
    " RETURNING version, owner), \
     logged AS (INSERT INTO portcullis_changes (kind, id) SELECT $1, $2 FROM made WHERE owner IS NOT NULL",
    notified!(),
    ") SELECT (SELECT version FROM made), EXISTS (SELECT 1 FROM revoked), \
     (SELECT count(notified) FROM logged)"
);

/// Whether the record lives, by the time at which its row was got: whoever held it may have undone what was changed, and
/// then the server does not look at a condition again.
macro_rules! lived {
    () => {
        concat!(
            "held AS MATERIALIZED (SELECT expires_at FROM portcullis_records \
                 WHERE kind = $1 AND id = $2 FOR NO KEY UPDATE), \
             lived AS MATERIALIZED (SELECT 1 FROM held WHERE expires_at > ",
            now!(),
            ")"
        )
    };
}

pub(super) const REPLACE: &str = concat!(
    "WITH ",
    lived!(),
    ", changed AS (UPDATE portcullis_records SET version = nextval('portcullis_versions'), payload = $4, \
         expires_at = least(greatest(expires_at, least($5, limit_at)), $6), limit_at = least(limit_at, $6) \
         WHERE kind = $1 AND id = $2 AND version = $3 AND EXISTS (SELECT 1 FROM lived) RETURNING version), \
     logged AS (INSERT INTO portcullis_changes (kind, id) SELECT $1, $2 FROM changed",
    notified!(),
    ") SELECT version, (SELECT count(notified) FROM logged) FROM changed"
);

pub(super) const TOUCH: &str = concat!(
    "WITH ",
    lived!(),
    " UPDATE portcullis_records SET expires_at = greatest(expires_at, least($3, limit_at)) \
     WHERE kind = $1 AND id = $2 AND EXISTS (SELECT 1 FROM lived) RETURNING expires_at"
);

pub(super) const TAKE: &str = concat!(
    "WITH gone AS (DELETE FROM portcullis_records WHERE kind = $1 AND id = $2 \
         RETURNING owner, version, created_at, expires_at, limit_at, payload, expires_at > ",
    now!(),
    " AS lived), \
     logged AS (INSERT INTO portcullis_changes (kind, id) SELECT $1, $2 FROM gone WHERE lived",
    notified!(),
    ") SELECT owner, version, created_at, expires_at, limit_at, payload, \
     (SELECT count(notified) FROM logged) FROM gone WHERE lived"
);

pub(super) const DELETE: &str = concat!(
    "WITH gone AS (DELETE FROM portcullis_records WHERE kind = $1 AND id = $2 RETURNING expires_at > ",
    now!(),
    " AS lived), \
     logged AS (INSERT INTO portcullis_changes (kind, id) SELECT $1, $2 FROM gone WHERE lived",
    notified!(),
    ") SELECT (SELECT count(*) FROM gone WHERE lived), (SELECT count(notified) FROM logged)"
);

pub(super) const LIST: &str = concat!(
    "SELECT id, owner, version, created_at, expires_at, limit_at, payload \
     FROM portcullis_records WHERE kind = $1 AND owner = $2 AND expires_at > ",
    now!()
);

/// $3 is the last date concerned. Never takes an earlier revocation back; deletes alone where $4 is not set.
pub(super) const REMOVE_OWNED: &str = concat!(
    "WITH cut AS (INSERT INTO portcullis_cutoffs AS old (kind, owner, cutoff) SELECT $1, $2, $3 WHERE $4 \
         ON CONFLICT (kind, owner) DO UPDATE SET cutoff = greatest(old.cutoff, excluded.cutoff)), \
     gone AS (DELETE FROM portcullis_records WHERE kind = $1 AND owner = $2 AND created_at <= $3 \
         RETURNING expires_at > ",
    now!(),
    " AS lived), \
     logged AS (INSERT INTO portcullis_changes (kind, owner) VALUES ($1, $2)",
    notified!(),
    ") SELECT (SELECT count(*) FROM gone WHERE lived), (SELECT count(notified) FROM logged)"
);

/// Passes over what others hold: it lives, or they remove it. By the rows' places, which the lock keeps.
pub(super) const SWEEP: &str = concat!(
    "WITH gone AS (DELETE FROM portcullis_records WHERE ctid = ANY (ARRAY(\
         SELECT ctid FROM portcullis_records WHERE expires_at <= (SELECT ",
    now!(),
    ") ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT count(*) FROM gone"
);

/// A minute late: a creation that is under way has found its date young enough, and has yet to look here.
pub(super) const FORGET: &str = concat!(
    "DELETE FROM portcullis_cutoffs WHERE cutoff < (SELECT ",
    now!(),
    ") - $1 - 60000"
);

/// For whom a creation was refused while something lives there, that comes first.
async fn is_live(link: &mut PgConnection, key: &RecordKey) -> Result<bool, Fault> {
    let query = sqlx::query_as(LIVE).bind(key.kind().as_str()).bind(key.id());
    let (live,): (i64,) = query.fetch_one(link).await?;
    Ok(live > 0)
}

/// A record that is nobody's needs no transaction: no revocation concerns it. One that has an owner is created
/// while the owner's lock is shared.
async fn create(link: &mut PgConnection, new: NewRecord) -> Result<Version, Fault> {
    let key = new.key().clone();
    let owner = new.owner().cloned();
    let answer = match owner {
        None => {
            let now = server_now(link).await?;
            insert(link, new, now).await
        }
        Some(owner) => {
            let mut transaction = link.begin_with(BEGIN).await?;
            let lock = lock_of("owner", key.kind().as_str(), owner.as_bytes());
            let query = sqlx::query_as(SHARE_OWNER).bind(lock);
            let (_, now): (String, i64) = query.fetch_one(&mut *transaction).await?;
            let answer = insert(&mut transaction, new, now).await;
            transaction.commit().await?;
            answer
        }
    };
    match answer {
        Err(Fault::Refused(_)) if is_live(link, &key).await? => Err(StoreErrorKind::Present.into()),
        answer => answer,
    }
}

async fn insert(link: &mut PgConnection, new: NewRecord, now: i64) -> Result<Version, Fault> {
    // The version is the statement's.
    let record = new.into_record(Version::new(0), time(now))?;
    let (key, lifetime) = (record.key(), record.lifetime());
    let made = sqlx::query_as(CREATE)
        .bind(key.kind().as_str())
        .bind(key.id())
        .bind(record.owner().map(Owner::as_bytes))
        .bind(millis(lifetime.created_at()))
        .bind(millis(lifetime.expires_at()))
        .bind(millis(lifetime.limit()))
        .bind(record.payload().as_bytes())
        .bind(lock_of("key", key.kind().as_str(), key.id()))
        .fetch_one(link)
        .await?;
    match made {
        (Some(version), _, _) => Ok(Version::new(number(version))),
        (None, true, 0_i64) => Err(StoreErrorKind::Revoked.into()),
        (None, _, _) => Err(StoreErrorKind::Present.into()),
    }
}

async fn replace(
    link: &mut PgConnection,
    key: &RecordKey,
    expected: Version,
    with: &Replacement,
) -> Result<Version, Fault> {
    let Retouch { extend_to, end_by } = Retouch::of(key, with);
    let changed: Option<(i64, i64)> = sqlx::query_as(REPLACE)
        .bind(key.kind().as_str())
        .bind(key.id())
        .bind(stored(expected))
        .bind(with.payload().as_bytes())
        .bind(extend_to)
        .bind(end_by)
        .fetch_optional(&mut *link)
        .await?;
    match changed {
        Some((version, _)) => Ok(Version::new(number(version))),
        None if is_live(link, key).await? => Err(StoreErrorKind::Conflict.into()),
        None => Err(StoreErrorKind::NotFound.into()),
    }
}

async fn touch(link: &mut PgConnection, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, Fault> {
    let query = sqlx::query_as(TOUCH).bind(key.kind().as_str()).bind(key.id());
    let touched = query.bind(millis(expires_at)).fetch_optional(link).await?;
    let (expires_at,): (i64,) = touched.ok_or(StoreErrorKind::NotFound)?;
    Ok(time(expires_at))
}

async fn one(
    link: &mut PgConnection,
    statement: &'static str,
    key: &RecordKey,
) -> Result<Option<Record>, Fault> {
    let query = sqlx::query(statement).bind(key.kind().as_str()).bind(key.id());
    let row = query.fetch_optional(link).await?;
    row.map(|row| read(key.clone(), &row, 0)).transpose()
}

/// The columns of a record, from this one on.
fn read(key: RecordKey, row: &PgRow, first: usize) -> Result<Record, Fault> {
    let columns: Columns = (
        row.try_get(first)?,
        row.try_get(first + 1)?,
        row.try_get(first + 2)?,
        row.try_get(first + 3)?,
        row.try_get(first + 4)?,
        row.try_get(first + 5)?,
    );
    Ok(record(key, columns)?)
}

async fn list(link: &mut PgConnection, kind: Kind, owner: &Owner) -> Result<Vec<Record>, Fault> {
    let query = sqlx::query(LIST).bind(kind.as_str()).bind(owner.as_bytes());
    let rows = query.fetch_all(link).await?;
    let listed = rows.iter().map(|row| {
        let id: Vec<u8> = row.try_get(0)?;
        read(key_of(kind, &id)?, row, 1)
    });
    listed.collect()
}

/// Removes what is dated `instant` or earlier, and remembers that where it is a revocation.
async fn remove_owned(
    link: &mut PgConnection,
    kind: Kind,
    owner: &Owner,
    instant: i64,
    revoked: bool,
) -> Result<u64, Fault> {
    let query = sqlx::query_as(REMOVE_OWNED)
        .bind(kind.as_str())
        .bind(owner.as_bytes());
    let (lived, _): (i64, i64) = query.bind(instant).bind(revoked).fetch_one(link).await?;
    Ok(number(lived))
}

async fn revoke(link: &mut PgConnection, kind: Kind, owner: &Owner, instant: i64) -> Result<u64, Fault> {
    let mut transaction = link.begin_with(BEGIN).await?;
    let lock = lock_of("owner", kind.as_str(), owner.as_bytes());
    // Waits for creations of the owner that are under way, and keeps others out.
    sqlx::query(LOCK).bind(lock).execute(&mut *transaction).await?;
    let revoked = remove_owned(&mut transaction, kind, owner, instant, true).await?;
    transaction.commit().await?;
    Ok(revoked)
}

async fn delete(link: &mut PgConnection, key: &RecordKey) -> Result<bool, Fault> {
    let query = sqlx::query_as(DELETE).bind(key.kind().as_str()).bind(key.id());
    let (lived, _): (i64, i64) = query.fetch_one(link).await?;
    Ok(lived > 0)
}

async fn sweep(link: &mut PgConnection) -> Result<i64, Fault> {
    let (dropped,) = sqlx::query_as(SWEEP).bind(BATCH).fetch_one(link).await?;
    Ok(dropped)
}

async fn forget(link: &mut PgConnection) -> Result<(), Fault> {
    let remembered = i64::try_from(REMEMBERED.as_millis()).unwrap_or(i64::MAX / 2);
    sqlx::query(FORGET).bind(remembered).execute(link).await?;
    Ok(())
}

#[async_trait]
impl RecordStore for PostgresStore {
    async fn create(&self, record: NewRecord) -> Result<Version, StoreError> {
        call!(self, "create", Again::IfUndone, |link| create(
            link,
            record.clone()
        ))
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        call!(self, "load", Again::IfLost, |link| one(link, LOAD, key))
    }

    async fn replace(
        &self,
        key: &RecordKey,
        expected: Version,
        with: Replacement,
    ) -> Result<Version, StoreError> {
        call!(self, "replace", Again::IfUndone, |link| replace(
            link, key, expected, &with
        ))
    }

    async fn touch(&self, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, StoreError> {
        call!(self, "touch", Again::IfUndone, |link| touch(
            link, key, expires_at
        ))
    }

    async fn take(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        call!(self, "take", Again::IfUndone, |link| one(link, TAKE, key))
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, StoreError> {
        call!(self, "delete", Again::IfUndone, |link| delete(link, key))
    }

    async fn list_owned_by(&self, kind: Kind, owner: &Owner) -> Result<Vec<Record>, StoreError> {
        call!(self, "list_owned_by", Again::IfLost, |link| list(
            link, kind, owner
        ))
    }

    async fn delete_owned_by(&self, kind: Kind, owner: &Owner) -> Result<u64, StoreError> {
        call!(self, "delete_owned_by", Again::IfUndone, |link| {
            remove_owned(link, kind, owner, i64::MAX, false)
        })
    }

    async fn revoke_before(&self, kind: Kind, owner: &Owner, instant: Timestamp) -> Result<u64, StoreError> {
        let instant = millis(instant);
        call!(self, "revoke_before", Again::IfUndone, |link| revoke(
            link, kind, owner, instant
        ))
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        let mut dropped = 0;
        loop {
            let batch: i64 = call!(self, "sweep", Again::IfUndone, |link| sweep(link))?;
            dropped += number(batch);
            if batch < BATCH {
                break;
            }
        }
        let () = call!(self, "sweep", Again::IfUndone, |link| forget(link))?;
        self.trim().await?;
        Ok(dropped)
    }
}
