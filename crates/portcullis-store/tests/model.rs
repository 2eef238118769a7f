//! Memory, bare and behind a cache, does what a list does.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // Helpers of tests panic as tests do.

use std::time::Duration;

use portcullis_core::{Clock, Timestamp};
use portcullis_store::{
    CachingStore, Kind, MemoryStore, NewRecord, Owner, Payload, RecordKey, RecordStore, Replacement,
    StoreError, StoreErrorKind, Version,
};
use portcullis_test::ManualClock;
use proptest::prelude::*;

const KIND: Kind = Kind::new("model");

/// A record in a list, with times in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    key: u8,
    owner: Option<u8>,
    version: u64,
    created_at: u64,
    expires_at: u64,
    limit: u64,
    payload: u8,
}

/// The rules, as one would tell them.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    rows: Vec<Row>,
    revoked: Vec<(u8, u64)>,
}

#[derive(Clone, Debug)]
enum Op {
    Create {
        key: u8,
        owner: Option<u8>,
        age: u64,
        lives: u64,
        limit: u64,
    },
    Load(u8),
    Replace {
        key: u8,
        stale: bool,
        payload: u8,
        extend: Option<u64>,
        end: Option<u64>,
    },
    Touch(u8, u64),
    Take(u8),
    Delete(u8),
    List(u8),
    DeleteOwned(u8),
    Revoke {
        owner: u8,
        ago: u64,
    },
    Sweep,
    Pass(u64),
}

/// What both are asked for, made comparable. Versions are compared through what they do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Refused(StoreErrorKind),
    Done,
    Number(u64),
    Rows(Vec<Row>),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let (key, owner) = (0..4_u8, 0..2_u8);
    let op = prop_oneof![
        4 => (key.clone(), proptest::option::of(owner.clone()), 0..4_u64, 0..6_u64, 0..10_u64)
            .prop_map(|(key, owner, age, lives, limit)| Op::Create { key, owner, age, lives, limit }),
        3 => key.clone().prop_map(Op::Load),
        3 => (
            key.clone(),
            prop::bool::weighted(0.2),
            any::<u8>(),
            proptest::option::of(0..9_u64),
            proptest::option::of(0..9_u64)
        )
            .prop_map(|(key, stale, payload, extend, end)| Op::Replace { key, stale, payload, extend, end }),
        2 => (key.clone(), 0..9_u64).prop_map(|(key, until)| Op::Touch(key, until)),
        1 => key.clone().prop_map(Op::Take),
        1 => key.prop_map(Op::Delete),
        2 => owner.clone().prop_map(Op::List),
        1 => owner.clone().prop_map(Op::DeleteOwned),
        1 => (owner, 0..4_u64).prop_map(|(owner, ago)| Op::Revoke { owner, ago }),
        1 => Just(Op::Sweep),
        2 => (0..4_u64).prop_map(Op::Pass),
    ];
    prop::collection::vec(op, 1..60)
}

impl Model {
    fn live(&mut self, key: u8) -> Option<&mut Row> {
        let now = self.now;
        self.rows
            .iter_mut()
            .find(|row| row.key == key && now < row.expires_at)
    }

    /// Removes the live rows that are `concerned`.
    fn remove(&mut self, concerned: impl Fn(&Row) -> bool) -> Vec<Row> {
        let now = self.now;
        self.rows.retain(|row| now < row.expires_at);
        let (gone, left) = std::mem::take(&mut self.rows).into_iter().partition(concerned);
        self.rows = left;
        gone
    }

    fn apply(&mut self, op: &Op, version: u64) -> Answer {
        let now = self.now;
        match *op {
            Op::Create {
                key,
                owner,
                age,
                lives,
                limit,
            } => {
                let limit = now + limit;
                let created_at = now.saturating_sub(age);
                let expires_at = (now + lives).min(limit);
                let revoked = |&(of, until): &(u8, u64)| Some(of) == owner && created_at <= until;
                if self.live(key).is_some() {
                    return Answer::Refused(StoreErrorKind::Present);
                }
                if expires_at <= now {
                    return Answer::Refused(StoreErrorKind::Expired);
                }
                if self.revoked.iter().any(revoked) {
                    return Answer::Refused(StoreErrorKind::Revoked);
                }
                self.rows.retain(|row| row.key != key);
                self.rows.push(Row {
                    key,
                    owner,
                    version,
                    created_at,
                    expires_at,
                    limit,
                    payload: key,
                });
                Answer::Done
            }
            Op::Load(key) => Answer::Rows(self.live(key).cloned().into_iter().collect()),
            Op::Replace {
                key,
                stale,
                payload,
                extend,
                end,
            } => {
                let Some(row) = self.live(key) else {
                    return Answer::Refused(StoreErrorKind::NotFound);
                };
                if stale {
                    return Answer::Refused(StoreErrorKind::Conflict);
                }
                (row.version, row.payload) = (version, payload);
                if let Some(extend) = extend {
                    row.expires_at = row.expires_at.max((now + extend).min(row.limit));
                }
                if let Some(end) = end {
                    row.limit = row.limit.min(now + end);
                    row.expires_at = row.expires_at.min(row.limit);
                }
                Answer::Done
            }
            Op::Touch(key, until) => {
                let Some(row) = self.live(key) else {
                    return Answer::Refused(StoreErrorKind::NotFound);
                };
                row.expires_at = row.expires_at.max((now + until).min(row.limit));
                Answer::Number(row.expires_at)
            }
            Op::Take(key) => Answer::Rows(self.remove(|row| row.key == key)),
            Op::Delete(key) => Answer::Number(self.remove(|row| row.key == key).len() as u64),
            Op::List(owner) => {
                let mine = |row: &&Row| row.owner == Some(owner) && now < row.expires_at;
                let mut rows: Vec<_> = self.rows.iter().filter(mine).cloned().collect();
                rows.sort_by_key(|row| row.key);
                Answer::Rows(rows)
            }
            Op::DeleteOwned(owner) => {
                Answer::Number(self.remove(|row| row.owner == Some(owner)).len() as u64)
            }
            Op::Revoke { owner, ago } => {
                let instant = now - ago;
                self.revoked.push((owner, instant));
                let concerned = |row: &Row| row.owner == Some(owner) && row.created_at <= instant;
                Answer::Number(self.remove(concerned).len() as u64)
            }
            Op::Sweep => Answer::Done,
            Op::Pass(seconds) => {
                self.now += seconds;
                Answer::Done
            }
        }
    }
}

fn key(key: u8) -> RecordKey {
    RecordKey::new(KIND, [key]).expect("a key")
}

fn owner(owner: u8) -> Owner {
    Owner::new([owner]).expect("an owner")
}

fn payload(byte: u8) -> Payload {
    Payload::new(vec![byte]).expect("a payload")
}

fn row(record: &portcullis_store::Record) -> Row {
    let life = record.lifetime();
    Row {
        key: record.key().id()[0],
        owner: record.owner().map(|owner| owner.as_bytes()[0]),
        version: record.version().number(),
        created_at: life.created_at().as_unix_seconds(),
        expires_at: life.expires_at().as_unix_seconds(),
        limit: life.limit().as_unix_seconds(),
        payload: record.payload().as_bytes()[0],
    }
}

fn rows<'a>(records: impl IntoIterator<Item = &'a portcullis_store::Record>) -> Answer {
    let mut rows: Vec<_> = records.into_iter().map(row).collect();
    rows.sort_by_key(|row| row.key);
    Answer::Rows(rows)
}

/// Asks the store. `last` has the versions that it gave out.
async fn ask<S: RecordStore>(
    store: &S,
    clock: &ManualClock,
    op: &Op,
    last: &mut [Version; 4],
) -> Result<Answer, StoreError> {
    let now = clock.now();
    let after = |seconds: u64| -> Timestamp { now.saturating_add(Duration::from_secs(seconds)) };
    let before = |seconds: u64| now.saturating_sub(Duration::from_secs(seconds));
    Ok(match *op {
        Op::Create {
            key: of,
            owner: whose,
            age,
            lives,
            limit,
        } => {
            let record = NewRecord::new(key(of), payload(of), after(lives));
            let record = record.limit(after(limit)).created_at(before(age));
            let record = match whose {
                Some(whose) => record.owned_by(owner(whose)),
                None => record,
            };
            last[usize::from(of)] = store.create(record).await?;
            Answer::Done
        }
        Op::Load(of) => rows(&store.load(&key(of)).await?),
        Op::Replace {
            key: of,
            stale,
            payload: says,
            extend,
            end,
        } => {
            let mut with = Replacement::new(payload(says));
            if let Some(extend) = extend {
                with = with.extend_to(after(extend));
            }
            if let Some(end) = end {
                with = with.end_by(after(end));
            }
            let expected = last[usize::from(of)];
            let expected = Version::new(expected.number().wrapping_sub(u64::from(stale)));
            last[usize::from(of)] = store.replace(&key(of), expected, with).await?;
            Answer::Done
        }
        Op::Touch(of, until) => Answer::Number(store.touch(&key(of), after(until)).await?.as_unix_seconds()),
        Op::Take(of) => rows(&store.take(&key(of)).await?),
        Op::Delete(of) => Answer::Number(store.delete(&key(of)).await?.into()),
        Op::List(of) => rows(&store.list_owned_by(KIND, &owner(of)).await?),
        Op::DeleteOwned(of) => Answer::Number(store.delete_owned_by(KIND, &owner(of)).await?),
        Op::Revoke { owner: of, ago } => {
            Answer::Number(store.revoke_before(KIND, &owner(of), before(ago)).await?)
        }
        Op::Sweep => {
            store.sweep().await?;
            Answer::Done
        }
        Op::Pass(seconds) => {
            clock.advance(Duration::from_secs(seconds));
            Answer::Done
        }
    })
}

async fn agree<S: RecordStore>(store: S, clock: ManualClock, ops: &[Op]) {
    let mut model = Model {
        now: clock.now().as_unix_seconds(),
        ..Model::default()
    };
    let mut last = [Version::new(0); 4];
    for (step, op) in ops.iter().enumerate() {
        let answer = match ask(&store, &clock, op, &mut last).await {
            Ok(answer) => answer,
            Err(error) => Answer::Refused(error.kind()),
        };
        // The model takes the version that the store gave out.
        let version = match *op {
            Op::Create { key, .. } | Op::Replace { key, .. } => last[usize::from(key)].number(),
            _ => 0,
        };
        let expected = model.apply(op, version);
        assert_eq!(answer, expected, "step {step}: {op:?} of {ops:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_memory_store_does_what_a_list_does(ops in ops()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let clock = ManualClock::at(1_000);
        let memory = MemoryStore::builder().clock(clock.clone()).build();
        runtime.block_on(agree(memory, clock, &ops));
    }

    #[test]
    fn a_cache_in_front_of_it_makes_no_difference(ops in ops()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let clock = ManualClock::at(1_000);
        let memory = MemoryStore::builder().clock(clock.clone()).build();
        let cache = CachingStore::new(memory).clock(clock.clone()).max_age(Duration::from_secs(3_600));
        runtime.block_on(agree(cache, clock, &ops));
    }
}
