//! From rows to records and back.

use std::time::Duration;

use portcullis_core::Timestamp;
use portcullis_store::changes::Change;
use portcullis_store::{
    Kind, Lifetime, Owner, Payload, Record, RecordKey, Replacement, StoreError, StoreErrorKind, Version,
};

/// Whole milliseconds since the epoch, rounded down. What is beyond the last that a database can hold, in some
/// 292 million years, becomes that last one.
pub(crate) fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.since_epoch().as_millis()).unwrap_or(i64::MAX)
}

/// The time of so many milliseconds; the epoch for what is before it.
pub(crate) fn time(millis: i64) -> Timestamp {
    let millis = u64::try_from(millis).unwrap_or_default();
    Timestamp::from_unix(Duration::from_millis(millis))
}

/// A count or a version as the port has it.
pub(crate) fn number(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}

/// A version as a database holds it. One that no database of ours gave out is none that it has.
pub(crate) fn stored(version: Version) -> i64 {
    i64::try_from(version.number()).unwrap_or(-1)
}

/// `owner, version, created_at, expires_at, limit_at, payload`.
pub(crate) type Columns = (Option<Vec<u8>>, i64, i64, i64, i64, Vec<u8>);

/// The record of these columns.
pub(crate) fn record(key: RecordKey, columns: Columns) -> Result<Record, StoreError> {
    let (owner, version, created_at, expires_at, limit, payload) = columns;
    let owner = owner.map(Owner::new).transpose().map_err(|_| foreign())?;
    let payload = Payload::new(payload).map_err(|_| foreign())?;
    let lifetime = Lifetime::new(time(created_at), time(expires_at), time(limit));
    Ok(Record::new(
        key,
        owner,
        Version::new(number(version)),
        lifetime,
        payload,
    ))
}

/// The key of a stored id.
pub(crate) fn key(kind: Kind, id: &[u8]) -> Result<RecordKey, StoreError> {
    RecordKey::new(kind, id).map_err(|_| foreign())
}

/// One entry of the log.
pub(crate) fn change(
    kind: String,
    id: Option<Vec<u8>>,
    owner: Option<Vec<u8>>,
) -> Result<Change, StoreError> {
    let kind = kind.into_boxed_str();
    match (id, owner) {
        (Some(id), None) => Ok(Change::Record { kind, id: id.into() }),
        (None, Some(owner)) => Ok(Change::Owner {
            kind,
            owner: owner.into(),
        }),
        _ => Err(foreign()),
    }
}

fn foreign() -> StoreError {
    let message = "a row is none that a store wrote";
    StoreError::new(StoreErrorKind::Unavailable, message)
}

/// What a replacement does to times, found out on a record that shows it: one that has ended and has no limit.
///
/// The end of the replaced record is then `min(max(old end, min(extend_to, old limit)), end_by)`, and its limit
/// `min(old limit, end_by)`: one statement, which undoes no touch that it does not know of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retouch {
    pub(crate) extend_to: i64,
    pub(crate) end_by: i64,
}

impl Retouch {
    pub(crate) fn of(key: &RecordKey, with: &Replacement) -> Self {
        let endless = Timestamp::from_unix(Duration::MAX);
        let lifetime = Lifetime::new(Timestamp::EPOCH, Timestamp::EPOCH, endless);
        let (version, payload) = (Version::new(0), Payload::default());
        let probe = Record::new(key.clone(), None, version, lifetime, payload);
        let shown = probe.replaced(version, with.clone()).lifetime();
        Self {
            extend_to: millis(shown.expires_at()),
            end_by: millis(shown.limit()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn a_time_beyond_what_a_database_holds_is_the_last_one_and_never_wraps() {
        assert_eq!(millis(at(5)), 5_000);
        assert_eq!(millis(Timestamp::from_unix(Duration::MAX)), i64::MAX);
        assert_eq!(time(millis(at(5))), at(5));
        assert_eq!(time(-1), Timestamp::EPOCH);
    }

    #[test]
    fn a_version_that_no_database_gives_out_is_stored_as_none_of_its() {
        assert_eq!(stored(Version::new(7)), 7);
        assert_eq!(stored(Version::new(u64::MAX)), -1);
    }

    /// The formula that the statements use, against the port's own.
    #[test]
    fn what_a_replacement_does_is_found_out_whatever_it_does() {
        let key = RecordKey::new(Kind::new("session"), "id").expect("a key");
        let options = [None, Some(5), Some(15), Some(25), Some(99)];
        for (extend, end) in options
            .iter()
            .flat_map(|one| options.iter().map(move |two| (*one, *two)))
        {
            let mut with = Replacement::new(Payload::default());
            if let Some(extend) = extend {
                with = with.extend_to(at(extend));
            }
            if let Some(end) = end {
                with = with.end_by(at(end));
            }
            let old = Lifetime::new(at(0), at(10), at(20));
            let record = Record::new(key.clone(), None, Version::new(1), old, Payload::default());
            let expected = record.replaced(Version::new(2), with.clone()).lifetime();
            let Retouch { extend_to, end_by } = Retouch::of(&key, &with);
            let (end, limit) = (millis(old.expires_at()), millis(old.limit()));
            assert_eq!(
                end.max(extend_to.min(limit)).min(end_by),
                millis(expected.expires_at())
            );
            assert_eq!(limit.min(end_by), millis(expected.limit()));
        }
    }
}
