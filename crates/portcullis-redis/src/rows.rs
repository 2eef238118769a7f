//! How records become arguments of scripts, and how answers become records.

use std::time::Duration;

use portcullis_core::Timestamp;
use portcullis_store::{
    Kind, Lifetime, Owner, Payload, Record, RecordKey, StoreError, StoreErrorKind, Version,
};

use crate::fault::Fault;
use crate::link::Cell;

/// The latest time that is kept, 285,000 years from now. What is later counts as this: above it, scripts could not
/// tell one millisecond from the next.
const LATEST: u64 = (1 << 53) - 1_000_000_000_000;

/// How many fields of a record scripts return.
pub(crate) const FIELDS: usize = 6;

/// Whole milliseconds, rounded down.
pub(crate) fn millis(time: Timestamp) -> String {
    let millis = u64::try_from(time.since_epoch().as_millis()).unwrap_or(u64::MAX);
    millis.min(LATEST).to_string()
}

/// Text of a script, as a number.
pub(crate) fn number(cell: Option<&Cell>) -> Result<u64, Fault> {
    let text = cell.and_then(Option::as_deref).ok_or(Fault::Garbled)?;
    let text = std::str::from_utf8(text).map_err(|_| Fault::Garbled)?;
    text.parse().map_err(|_| Fault::Garbled)
}

pub(crate) fn time(cell: Option<&Cell>) -> Result<Timestamp, Fault> {
    Ok(Timestamp::from_unix(Duration::from_millis(number(cell)?)))
}

/// The first word of an answer, and what follows it.
pub(crate) fn verdict(answer: &[Cell]) -> Result<(&[u8], &[Cell]), Fault> {
    match answer {
        [Some(word), ..] if word == b"buckets" => Err(Fault::Buckets),
        [Some(word), rest @ ..] => Ok((word, rest)),
        _ => Err(Fault::Garbled),
    }
}

/// What a script says instead of `ok`, as the port says it.
pub(crate) fn refusal(word: &[u8]) -> Option<StoreErrorKind> {
    match word {
        b"present" => Some(StoreErrorKind::Present),
        b"not_found" => Some(StoreErrorKind::NotFound),
        b"conflict" => Some(StoreErrorKind::Conflict),
        b"revoked" => Some(StoreErrorKind::Revoked),
        b"too_old" => Some(StoreErrorKind::TooOld),
        b"expired" => Some(StoreErrorKind::Expired),
        _ => None,
    }
}

/// Owner, version, created, expires, limit, payload.
pub(crate) fn record(key: RecordKey, fields: &[Cell]) -> Result<Record, Fault> {
    let [owner, version, created, expires, limit, payload] = fields else {
        return Err(Fault::Garbled);
    };
    let owner = owner.as_deref().map(Owner::new).transpose().map_err(garbled)?;
    let lifetime = Lifetime::new(time(Some(created))?, time(Some(expires))?, time(Some(limit))?);
    let payload = payload.as_deref().ok_or(Fault::Garbled)?;
    let payload = Payload::new(payload).map_err(garbled)?;
    let version = Version::new(number(Some(version))?);
    Ok(Record::new(key, owner, version, lifetime, payload))
}

/// An id and the fields of its record, again and again.
pub(crate) fn records(kind: Kind, cells: &[Cell]) -> Result<Vec<Record>, Fault> {
    let rows = cells.chunks(FIELDS + 1).map(|row| {
        let (id, fields) = row.split_first().ok_or(Fault::Garbled)?;
        let id = id.as_deref().ok_or(Fault::Garbled)?;
        record(RecordKey::new(kind, id).map_err(garbled)?, fields)
    });
    rows.collect()
}

fn garbled(_: StoreError) -> Fault {
    Fault::Garbled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_kept_to_the_millisecond_and_a_farther_one_than_scripts_can_hold_is_the_latest() {
        let time = |millis| Timestamp::from_unix(Duration::from_millis(millis));
        assert_eq!(millis(time(1_700_000_000_123)), "1700000000123");
        assert_eq!(millis(time(LATEST)), LATEST.to_string());
        assert_eq!(millis(time(LATEST + 1)), LATEST.to_string());
        assert_eq!(millis(Timestamp::from_unix(Duration::MAX)), LATEST.to_string());
    }

    #[test]
    fn a_record_is_read_and_one_with_a_field_that_is_broken_is_garbled() {
        let cell = |text: &str| Some(text.as_bytes().to_vec());
        let key = RecordKey::new(Kind::new("session"), "id").expect("a key");
        let fields = [
            cell("alice"),
            cell("7"),
            cell("1"),
            cell("2"),
            cell("3"),
            cell(""),
        ];
        assert!(record(key.clone(), &fields).is_ok());
        for place in 1..FIELDS {
            let mut broken = fields.clone();
            broken[place] = None;
            assert!(
                matches!(record(key.clone(), &broken), Err(Fault::Garbled)),
                "{place}"
            );
        }
        assert!(matches!(record(key, &fields[1..]), Err(Fault::Garbled)));
    }
}
