//! What ends by itself.

use super::{Backend, Done, LONG, RecordKey, RecordStore, Run, SHORT, StoreErrorKind, replacement, says};
use crate::{NewRecord, REMEMBERED, StoreError, Version};

pub(super) async fn check<B: Backend>(run: &mut Run<'_, B>) -> Done {
    birth(run).await?;
    death(run).await?;
    extension(run).await
}

async fn birth<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    let key = run.key()?;
    let now = run.backend.now().await;
    let late = store
        .create(NewRecord::new(key.clone(), super::payload(1)?, now))
        .await;
    run.refused("what has expired is not created", StoreErrorKind::Expired, late)?;
    let far = run.after(LONG * 2).await;
    let old = run.lasting(&key).await?;
    let old = old.created_at(now.saturating_sub(REMEMBERED + LONG));
    let refused = store.create(old).await;
    run.refused(
        "what is dated too long ago is not created",
        StoreErrorKind::TooOld,
        refused,
    )?;
    let ahead = run.lasting(&key).await?.created_at(far);
    store.create(ahead).await?;
    let (latest, found) = (run.backend.now().await, store.load(&key).await?);
    let dated = found
        .as_ref()
        .is_some_and(|found| found.lifetime().created_at() <= latest);
    run.expect("nothing is dated in the future", dated, found);
    Ok(())
}

/// Creates a record that expires soon.
async fn brief<B: Backend>(run: &Run<'_, B>) -> Result<(RecordKey, Version), StoreError> {
    let (key, owner) = (run.key()?, run.owner()?);
    let (soon, far) = (run.after(SHORT).await, run.after(LONG).await);
    let record = NewRecord::new(key.clone(), super::payload(1)?, soon).limit(far);
    let version = run.backend.open().await.create(record.owned_by(owner)).await?;
    Ok((key, version))
}

async fn death<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    let (key, version) = brief(run).await?;
    let (taken, deleted, anew) = (brief(run).await?.0, brief(run).await?.0, brief(run).await?.0);
    let owner = store.load(&key).await?.and_then(|found| found.owner().cloned());
    let found = store.load(&key).await?;
    let in_time = found.as_ref().is_some_and(|found| says(Some(found), 1));
    run.expect("a record lives until it expires", in_time, found);
    run.backend.pass(SHORT).await;

    let found = store.load(&key).await?;
    run.expect("what has expired is not found", found.is_none(), found);
    let touched = store.touch(&key, run.after(LONG).await).await;
    run.refused(
        "what has expired cannot be touched",
        StoreErrorKind::NotFound,
        touched,
    )?;
    let saved = store.replace(&key, version, replacement(2)?).await;
    run.refused(
        "what has expired cannot be saved",
        StoreErrorKind::NotFound,
        saved,
    )?;
    let got = store.take(&taken).await?;
    run.expect("what has expired cannot be taken", got.is_none(), got);
    let was_there = store.delete(&deleted).await?;
    run.expect("what has expired cannot be deleted", !was_there, was_there);
    if let Some(owner) = owner {
        let listed = store.list_owned_by(super::KIND, &owner).await?;
        run.expect("what has expired is not listed", listed.is_empty(), listed);
        let number = store.delete_owned_by(super::KIND, &owner).await?;
        run.expect("what has expired is not counted", number == 0, number);
    }
    let record = run.lasting(&anew).await?;
    let created = store.create(record).await;
    run.expect("what has expired is not in the way", created.is_ok(), created);
    store.sweep().await?;
    let found = store.load(&anew).await?;
    run.expect("a sweep drops nothing that lives", says(found.as_ref(), 1), found);
    Ok(())
}

async fn extension<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    let ((touched, _), (replaced, version)) = (brief(run).await?, brief(run).await?);
    let far = run.after(LONG).await;
    store.touch(&touched, far).await?;
    store
        .replace(&replaced, version, replacement(1)?.extend_to(far))
        .await?;
    let (ended, version) = run.created().await?;
    let soon = run.after(SHORT).await;
    store
        .replace(&ended, version, replacement(1)?.end_by(soon))
        .await?;
    run.backend.pass(SHORT).await;
    for key in [touched, replaced] {
        let found = store.load(&key).await?;
        run.expect(
            "what was extended outlives its first expiry",
            says(found.as_ref(), 1),
            found,
        );
    }
    let found = store.load(&ended).await?;
    run.expect("what was given an end ends", found.is_none(), found);
    Ok(())
}
