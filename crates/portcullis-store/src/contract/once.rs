//! What is created once, found as it was, and taken once.

use super::{Backend, Done, KIND, Kind, LONG, RecordKey, RecordStore, Run, StoreErrorKind, says};
use crate::{NewRecord, Payload, StoreError, Version};

pub(super) async fn check<B: Backend>(run: &mut Run<'_, B>) -> Done {
    creation(run).await?;
    payloads(run).await?;
    kinds(run).await?;
    removal(run).await?;
    parallel_creations(run).await?;
    parallel_takes(run).await
}

async fn creation<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let (one, two) = (run.backend.open().await, run.backend.open().await);
    let (key, owner) = (run.key()?, run.owner()?);
    let absent = one.load(&key).await?;
    run.expect("what was never created is not found", absent.is_none(), absent);
    let limit = run.after(LONG * 2).await;
    let new = run.lasting(&key).await?.owned_by(owner.clone()).limit(limit);
    let earliest = run.backend.now().await;
    let version = one.create(new.clone()).await?;
    let latest = run.backend.now().await;
    let found = two.load(&key).await?;
    let same = found.as_ref().is_some_and(|found| {
        let life = found.lifetime();
        let times = life.expires_at() < life.limit() && life.limit() == super::millis(limit);
        let dated = super::millis(earliest) <= life.created_at() && life.created_at() <= latest;
        let named = *found.key() == key && found.owner() == Some(&owner) && found.version() == version;
        times && dated && named
    });
    run.expect("a record is found as it was created", same, &found);
    run.expect(
        "a payload is found as it was created",
        says(found.as_ref(), 1),
        &found,
    );
    let again = two.create(new).await;
    run.refused("a record is created once", StoreErrorKind::Present, again)?;
    let still = one.load(&key).await?;
    let untouched = still == found;
    run.expect("a creation that was refused changes nothing", untouched, still);
    Ok(())
}

async fn payloads<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    for length in [0, 1, Payload::MAX_LEN] {
        let (key, payload) = (run.key()?, Payload::new(vec![0xfd; length])?);
        let expires_at = run.after(LONG).await;
        store
            .create(NewRecord::new(key.clone(), payload.clone(), expires_at))
            .await?;
        let found = store.load(&key).await?;
        let whole = found.is_some_and(|found| *found.payload() == payload);
        run.expect(
            "a payload of any length up to the greatest is found whole",
            whole,
            length,
        );
    }
    let longest = RecordKey::new(KIND, vec![0; RecordKey::MAX_LEN])?;
    let record = run.lasting(&longest).await?;
    store.create(record).await?;
    let found = store.load(&longest).await?;
    run.expect(
        "a key of the greatest length is found",
        says(found.as_ref(), 1),
        found,
    );
    Ok(())
}

/// One id in two kinds is two records.
async fn kinds<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    let (key, _) = run.created().await?;
    let other = RecordKey::new(Kind::new("contract-2"), key.id())?;
    let absent = store.load(&other).await?;
    run.expect(
        "a record is not found under another kind",
        absent.is_none(),
        absent,
    );
    let record = run.lasting(&other).await?;
    store.create(record).await?;
    store.delete(&other).await?;
    let found = store.load(&key).await?;
    run.expect(
        "a record does not go with one of another kind",
        says(found.as_ref(), 1),
        found,
    );
    Ok(())
}

async fn removal<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let (one, two) = (run.backend.open().await, run.backend.open().await);
    let (key, version) = run.created().await?;
    let taken = one.take(&key).await?;
    let whole = says(taken.as_ref(), 1) && taken.as_ref().is_some_and(|taken| taken.version() == version);
    run.expect("what is taken is the record", whole, taken);
    let again = two.take(&key).await?;
    run.expect("a record is taken once", again.is_none(), again);
    let found = two.load(&key).await?;
    run.expect("what was taken is not found", found.is_none(), found);
    let deleted = two.delete(&key).await?;
    run.expect("what was taken cannot be deleted", !deleted, deleted);

    let (key, _) = run.created().await?;
    let deleted = one.delete(&key).await?;
    run.expect("what lives can be deleted", deleted, deleted);
    let again = two.delete(&key).await?;
    run.expect("a record is deleted once", !again, again);
    let taken = two.take(&key).await?;
    run.expect("what was deleted cannot be taken", taken.is_none(), taken);
    let found = two.load(&key).await?;
    run.expect("what was deleted is not found", found.is_none(), found);
    Ok(())
}

async fn parallel_creations<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let key = run.key()?;
    let record = run.lasting(&key).await?;
    let answers = run
        .together(|store, _| {
            let record = record.clone();
            async move { store.create(record).await }
        })
        .await;
    let winners: Vec<Version> = answers.iter().flatten().copied().collect();
    run.expect(
        "of many creations exactly one is done",
        winners.len() == 1,
        &winners,
    );
    for answer in answers.into_iter().filter(Result::is_err) {
        run.refused(
            "a creation that came late is told",
            StoreErrorKind::Present,
            answer,
        )?;
    }
    let found = run.backend.open().await.load(&key).await?;
    let same = found.is_some_and(|found| winners.contains(&found.version()));
    run.expect("of many creations the one that was done is found", same, winners);
    Ok(())
}

/// Twice, once with a deletion among them: one way or the other, one gets it at most.
async fn parallel_takes<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let (key, _) = run.created().await?;
    let answers = run
        .together(|store, _| {
            let key = key.clone();
            async move { store.take(&key).await }
        })
        .await;
    let taken: Result<Vec<_>, StoreError> = answers.into_iter().collect();
    let winners: Vec<_> = taken?.into_iter().flatten().collect();
    run.expect(
        "of many takes exactly one gets the record",
        winners.len() == 1,
        winners.len(),
    );
    run.expect("what was taken is whole", says(winners.first(), 1), &winners);

    let (key, _) = run.created().await?;
    let answers = run
        .together(|store, number| {
            let key = key.clone();
            async move {
                match number {
                    0 => store.delete(&key).await,
                    _ => store.take(&key).await.map(|taken| taken.is_some()),
                }
            }
        })
        .await;
    let got: Result<Vec<_>, StoreError> = answers.into_iter().collect();
    let winners = got?.into_iter().filter(|got| *got).count();
    run.expect(
        "of a deletion and many takes exactly one gets the record",
        winners == 1,
        winners,
    );
    let left = run.backend.open().await.load(&key).await?;
    run.expect("nothing is left of what was taken", left.is_none(), left);
    Ok(())
}
