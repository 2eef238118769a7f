//! What a restart and an outage leave as it was.

use super::{Backend, Done, KIND, LONG, RecordStore, Run, StoreErrorKind, replacement, says};
use crate::StoreError;

pub(super) async fn check<B: Backend>(run: &mut Run<'_, B>) -> Done {
    restart(run).await?;
    outage(run).await
}

async fn restart<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    let (kept, version) = run.created().await?;
    let (deleted, old) = run.created().await?;
    let alice = run.owner()?;
    let now = run.backend.now().await;
    let owned = run.key()?;
    let record = run.lasting(&owned).await?.owned_by(alice.clone());
    store.delete(&deleted).await?;
    store.revoke_before(KIND, &alice, now).await?;
    if !run.backend.restart().await {
        return Ok(());
    }
    let store = run.backend.open().await;
    let found = store.load(&kept).await?;
    run.expect("a record outlives a restart", says(found.as_ref(), 1), found);
    let next = store.replace(&kept, version, replacement(2)?).await;
    run.expect("a version outlives a restart", next.is_ok(), next);
    let found = store.load(&deleted).await?;
    run.expect("a restart brings nothing back", found.is_none(), found);
    let anew = run.lasting(&deleted).await?;
    let anew = store.create(anew).await?;
    run.expect(
        "no version is used again after a restart",
        anew > old,
        (old, anew),
    );
    let late = store.create(record.created_at(now)).await;
    run.refused("a revocation outlives a restart", StoreErrorKind::Revoked, late)?;
    Ok(())
}

async fn outage<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    let (kept, version) = run.created().await?;
    let (alice, absent) = (run.owner()?, run.key()?);
    let record = run.lasting(&absent).await?;
    let far = run.after(LONG * 2).await;
    let now = run.backend.now().await;
    if !run.backend.disconnect().await {
        return Ok(());
    }
    let mut answers: Vec<(&str, Result<(), StoreError>)> = Vec::new();
    for key in [&kept, &absent] {
        answers.push(("load", store.load(key).await.map(|_| ())));
        answers.push(("take", store.take(key).await.map(|_| ())));
        answers.push(("touch", store.touch(key, far).await.map(|_| ())));
        answers.push(("delete", store.delete(key).await.map(|_| ())));
        let with = replacement(2)?;
        answers.push(("replace", store.replace(key, version, with).await.map(|_| ())));
    }
    answers.push(("create", store.create(record).await.map(|_| ())));
    answers.push((
        "list_owned_by",
        store.list_owned_by(KIND, &alice).await.map(|_| ()),
    ));
    answers.push((
        "delete_owned_by",
        store.delete_owned_by(KIND, &alice).await.map(|_| ()),
    ));
    answers.push((
        "revoke_before",
        store.revoke_before(KIND, &alice, now).await.map(|_| ()),
    ));
    run.backend.reconnect().await;
    for (verb, answer) in answers {
        let told = answer.as_ref().err().map(StoreError::kind) == Some(StoreErrorKind::Unavailable);
        run.expect("an outage is told as one", told, (verb, answer));
    }
    let again = store.load(&kept).await;
    let recovered = again.as_ref().is_ok_and(|found| says(found.as_ref(), 1));
    run.expect("a handle recovers after an outage", recovered, again);
    Ok(())
}
