//! What a log of changes has to hold.

use std::collections::BTreeSet;

use tokio::task::JoinSet;

use super::{Backend, Done, KIND, LONG, RecordStore, Run, StoreErrorKind, TOGETHER, replacement};
use crate::changes::{Change, ChangeLog, LogPosition};
use crate::{Owner, RecordKey, StoreError};

/// How often a writer writes.
const EACH: usize = 4;
/// More batches than a log of this length can have.
const BATCHES: usize = 10_000;

/// What was read, and the place after it.
type Heard = (Vec<Change>, LogPosition);

fn of_record(key: &RecordKey) -> Change {
    let kind = key.kind().as_str().into();
    Change::Record {
        kind,
        id: key.id().into(),
    }
}

fn of_owner(owner: &Owner) -> Change {
    let kind = KIND.as_str().into();
    Change::Owner {
        kind,
        owner: owner.as_bytes().into(),
    }
}

/// Everything after a place. `None` when the log has forgotten the place.
async fn read_on(log: &impl ChangeLog, mut position: LogPosition) -> Result<Option<Heard>, StoreError> {
    let mut heard = Vec::new();
    for _ in 0..BATCHES {
        let Some(batch) = log.read(&position).await? else {
            return Ok(None);
        };
        heard.extend_from_slice(batch.changes());
        position = batch.position().clone();
        if !batch.more() {
            return Ok(Some((heard, position)));
        }
    }
    let message = "a log says for ever that there is more";
    Err(StoreError::new(StoreErrorKind::Unavailable, message))
}

pub(super) async fn check<B>(run: &mut Run<'_, B>) -> Done
where
    B: Backend,
    B::Store: ChangeLog,
{
    verbs(run).await?;
    silence(run).await?;
    writers(run).await?;
    outage(run).await?;
    restart(run).await
}

async fn verbs<B>(run: &mut Run<'_, B>) -> Done
where
    B: Backend,
    B::Store: ChangeLog,
{
    let (writer, reader) = (run.backend.open().await, run.backend.open().await);
    let alice = run.owner()?;
    let start = reader.end().await?;
    let (replaced, taken, deleted) = (run.key()?, run.key()?, run.key()?);
    let mut versions = Vec::new();
    for key in [&replaced, &taken, &deleted] {
        let record = run.lasting(key).await?.owned_by(alice.clone());
        versions.push(writer.create(record).await?);
    }
    let [version, ..] = versions.as_slice() else {
        return Ok(());
    };
    writer.replace(&replaced, *version, replacement(2)?).await?;
    writer.take(&taken).await?;
    writer.delete(&deleted).await?;
    writer.delete_owned_by(KIND, &alice).await?;
    let now = run.backend.now().await;
    writer.revoke_before(KIND, &alice, now).await?;

    let mut expected: Vec<_> = [&replaced, &taken, &deleted].map(of_record).into();
    expected.extend([&replaced, &taken, &deleted].map(of_record));
    expected.extend([of_owner(&alice), of_owner(&alice)]);
    let heard = read_on(&reader, start.clone()).await?;
    let changes = heard.as_ref().map(|(changes, _)| changes);
    run.expect(
        "each change is in the log once, in order",
        changes == Some(&expected),
        &heard,
    );
    let again = read_on(&writer, start).await?;
    run.expect(
        "a log reads the same again",
        again.as_ref().map(|(changes, _)| changes) == changes,
        &again,
    );
    if let Some((_, end)) = heard {
        let rest = read_on(&reader, end).await?;
        let silent = rest.as_ref().is_some_and(|(changes, _)| changes.is_empty());
        run.expect("what was read is not read again", silent, rest);
    }
    Ok(())
}

/// What nobody has to hear of.
async fn silence<B>(run: &mut Run<'_, B>) -> Done
where
    B: Backend,
    B::Store: ChangeLog,
{
    let store = run.backend.open().await;
    let start = store.end().await?;
    let (key, absent) = (run.key()?, run.key()?);
    let record = run.lasting(&key).await?.limit(run.after(LONG * 3).await);
    store.create(record).await?;
    store.touch(&key, run.after(LONG * 2).await).await?;
    store.take(&absent).await?;
    store.delete(&absent).await?;
    let heard = read_on(&store, start).await?;
    let silent = heard.as_ref().is_some_and(|(changes, _)| changes.is_empty());
    run.expect("touches and what changes nothing are in no log", silent, heard);
    Ok(())
}

/// A reader that reads while many write skips none of them.
async fn writers<B>(run: &mut Run<'_, B>) -> Done
where
    B: Backend,
    B::Store: ChangeLog,
{
    let reader = run.backend.open().await;
    let mut position = reader.end().await?;
    let (mut tasks, mut written) = (JoinSet::new(), BTreeSet::new());
    for _ in 0..TOGETHER {
        let (store, owner) = (run.backend.open().await, run.owner()?);
        let mut records = Vec::new();
        for _ in 0..EACH {
            let key = run.key()?;
            records.push(run.lasting(&key).await?.owned_by(owner.clone()));
            written.insert(key.id().to_vec());
        }
        tasks.spawn(async move {
            for record in records {
                store.create(record).await?;
            }
            Ok::<_, StoreError>(())
        });
    }
    let mut heard = BTreeSet::new();
    loop {
        let finished = tasks.is_empty();
        let Some((changes, next)) = read_on(&reader, position.clone()).await? else {
            run.expect("a log reaches back over one run", false, "it does not");
            return Ok(());
        };
        position = next;
        heard.extend(changes.into_iter().filter_map(|change| match change {
            Change::Record { id, .. } => Some(id.into_vec()),
            Change::Owner { .. } => None,
        }));
        if finished {
            break;
        }
        while let Some(task) = tasks.try_join_next() {
            task.map_err(|error| {
                StoreError::new(StoreErrorKind::Unavailable, "a writer panicked").with_source(error)
            })??;
        }
        tokio::task::yield_now().await;
    }
    let missed = written.difference(&heard).count();
    run.expect("a reader beside many writers skips nothing", missed == 0, missed);
    Ok(())
}

async fn outage<B>(run: &mut Run<'_, B>) -> Done
where
    B: Backend,
    B::Store: ChangeLog,
{
    let store = run.backend.open().await;
    let start = store.end().await?;
    let record = run.lasting(&run.key()?).await?.owned_by(run.owner()?);
    let change = of_record(record.key());
    store.create(record).await?;
    if !run.backend.disconnect().await {
        return Ok(());
    }
    let (end, read) = (store.end().await, store.read(&start).await);
    run.backend.reconnect().await;
    run.refused(
        "an outage of the log is told as one",
        StoreErrorKind::Unavailable,
        end,
    )?;
    run.refused(
        "an outage of the log is told as one",
        StoreErrorKind::Unavailable,
        read,
    )?;
    // The first call after an outage may still be told of it.
    for _ in 0..3 {
        if let Ok(heard) = read_on(&store, start.clone()).await {
            let kept = heard
                .as_ref()
                .is_none_or(|(changes, _)| *changes == [change.clone()]);
            run.expect("a log reads on after an outage", kept, heard);
            return Ok(());
        }
    }
    run.expect("a log recovers after an outage", false, "it does not");
    Ok(())
}

async fn restart<B>(run: &mut Run<'_, B>) -> Done
where
    B: Backend,
    B::Store: ChangeLog,
{
    let store = run.backend.open().await;
    let start = store.end().await?;
    let before = run.lasting(&run.key()?).await?.owned_by(run.owner()?);
    let mut expected = vec![of_record(before.key())];
    store.create(before).await?;
    if !run.backend.restart().await {
        return Ok(());
    }
    let store = run.backend.open().await;
    let after = run.lasting(&run.key()?).await?.owned_by(run.owner()?);
    expected.push(of_record(after.key()));
    store.create(after).await?;
    let heard = read_on(&store, start).await?;
    let kept = heard.as_ref().is_none_or(|(changes, _)| *changes == expected);
    run.expect(
        "after a restart a log says everything or that it cannot",
        kept,
        heard,
    );
    Ok(())
}
