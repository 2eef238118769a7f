//! The log of changes: one stream for each bucket.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use portcullis_store::StoreError;
use portcullis_store::changes::{Change, ChangeLog, LogBatch, LogPosition};

use crate::fault::Fault;
use crate::link::Cell;
use crate::position::{self, Place};
use crate::rows::{number, verdict};
use crate::{RedisStore, verb};

/// Entries of one bucket that are handed out at once.
const AT_ONCE: &[u8] = b"1000";

/// What follows a place.
struct Heard {
    changes: Vec<Change>,
    place: Place,
    more: bool,
}

impl RedisStore {
    async fn end_of(&self, bucket: &[u8]) -> Result<Place, Fault> {
        let answer = self.run(&verb::LOG_END, bucket, &[]).await?;
        let (b"ok", [log, last, stamp]) = verdict(&answer)? else {
            return Err(Fault::Garbled);
        };
        Ok(Place {
            log: text(log)?,
            number: number(Some(last))?,
            stamp: text(stamp)?,
        })
    }

    /// `None` when the log does not reach back to `after`.
    async fn read_in(&self, bucket: &[u8], after: &Place) -> Result<Option<Heard>, Fault> {
        let from = after.number.to_string();
        let own = [
            after.log.as_bytes(),
            from.as_bytes(),
            after.stamp.as_bytes(),
            AT_ONCE,
        ];
        let answer = self.run(&verb::LOG_READ, bucket, &own).await?;
        let (last, stamp, more, changes) = match verdict(&answer)? {
            (b"lost", _) => return Ok(None),
            (b"ok", [last, stamp, more, changes @ ..]) => (last, stamp, more, changes),
            _ => return Err(Fault::Garbled),
        };
        let place = Place {
            log: after.log.clone(),
            number: number(Some(last))?,
            stamp: text(stamp)?,
        };
        let more = number(Some(more))? > 0;
        let changes = changes.chunks(3).map(change).collect::<Result<_, _>>()?;
        Ok(Some(Heard { changes, place, more }))
    }
}

fn text(cell: &Cell) -> Result<String, Fault> {
    let text = cell.clone().ok_or(Fault::Garbled)?;
    String::from_utf8(text).map_err(|_| Fault::Garbled)
}

fn change(row: &[Cell]) -> Result<Change, Fault> {
    let [sort, kind, Some(name)] = row else {
        return Err(Fault::Garbled);
    };
    let (kind, name) = (text(kind)?.into_boxed_str(), name.as_slice());
    match sort.as_deref() {
        Some(b"r") => Ok(Change::Record {
            kind,
            id: name.into(),
        }),
        Some(b"o") => Ok(Change::Owner {
            kind,
            owner: name.into(),
        }),
        _ => Err(Fault::Garbled),
    }
}

#[async_trait]
impl ChangeLog for RedisStore {
    async fn end(&self) -> Result<LogPosition, StoreError> {
        let ends = self.0.buckets.all().map(|bucket| self.end_of(bucket));
        let places = try_join_all(ends).await.map_err(|fault| fault.at("end"))?;
        Ok(position::written(&places))
    }

    /// With several buckets, changes are in order within each, and what concerns an owner is told by each.
    async fn read(&self, after: &LogPosition) -> Result<Option<LogBatch>, StoreError> {
        let buckets = &self.0.buckets;
        let Some(places) = position::places(after, buckets.number()) else {
            return Ok(None);
        };
        let wake = &self.0.listening.wake;
        let news = wake.news();
        let reads = buckets
            .all()
            .zip(&places)
            .map(|(bucket, place)| self.read_in(bucket, place));
        let heard = try_join_all(reads).await.map_err(|fault| fault.at("read"))?;
        let (mut changes, mut places, mut more) = (Vec::new(), Vec::new(), false);
        for heard in heard {
            let Some(heard) = heard else {
                return Ok(None);
            };
            changes.extend(heard.changes);
            places.push(heard.place);
            more |= heard.more;
        }
        if !more {
            wake.read_at(news);
        }
        Ok(Some(LogBatch::new(changes, position::written(&places), more)))
    }

    async fn wait(&self, at_most: Duration) {
        self.0.listening.start();
        self.0.listening.wake.wait(at_most).await;
    }
}
