//! What is listed, deleted and revoked together.

use std::collections::BTreeSet;
use std::time::Duration;

use portcullis_core::Timestamp;

use super::{
    Backend, Done, KIND, Kind, LONG, Owner, RecordKey, RecordStore, Run, StoreErrorKind, replacement,
};
use crate::{StoreError, Version};

const SECOND: Duration = Duration::from_secs(1);

pub(super) async fn check<B: Backend>(run: &mut Run<'_, B>) -> Done {
    listing(run).await?;
    deleting(run).await?;
    revoking(run).await?;
    late_saves(run).await?;
    parallel_births(run).await
}

/// Creates a record of `owner`, dated `created_at`.
async fn owned<B: Backend>(
    run: &Run<'_, B>,
    owner: &Owner,
    created_at: Timestamp,
) -> Result<(RecordKey, Version), StoreError> {
    let key = run.key()?;
    let record = run.lasting(&key).await?.owned_by(owner.clone());
    let version = run
        .backend
        .open()
        .await
        .create(record.created_at(created_at))
        .await?;
    Ok((key, version))
}

async fn listed<B: Backend>(run: &Run<'_, B>, owner: &Owner) -> Result<BTreeSet<RecordKey>, StoreError> {
    let records = run.backend.open().await.list_owned_by(KIND, owner).await?;
    Ok(records.into_iter().map(|record| record.key().clone()).collect())
}

async fn listing<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    let (alice, bob) = (run.owner()?, run.owner()?);
    let now = run.backend.now().await;
    let none = listed(run, &alice).await?;
    run.expect("whoever has nothing has an empty list", none.is_empty(), none);
    let (one, version) = owned(run, &alice, now).await?;
    let (two, three) = (owned(run, &alice, now).await?.0, owned(run, &alice, now).await?.0);
    owned(run, &bob, now).await?;
    run.created().await?;
    store.replace(&one, version, replacement(2)?).await?;
    store.delete(&two).await?;
    store.take(&three).await?;
    let (mine, expected) = (listed(run, &alice).await?, BTreeSet::from([one.clone()]));
    run.expect(
        "an owner's list has all that lives and nothing else",
        mine == expected,
        mine,
    );
    let whole = store.list_owned_by(KIND, &alice).await? == Vec::from_iter(store.load(&one).await?);
    run.expect("what is listed is what is loaded", whole, "another record");
    let other = store.list_owned_by(Kind::new("contract-2"), &alice).await?;
    run.expect("an owner's list has one kind", other.is_empty(), other);
    Ok(())
}

async fn deleting<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    let (alice, bob) = (run.owner()?, run.owner()?);
    let now = run.backend.now().await;
    let keys = [owned(run, &alice, now).await?.0, owned(run, &alice, now).await?.0];
    let (other, _) = owned(run, &bob, now).await?;
    let elsewhere = store.delete_owned_by(Kind::new("contract-2"), &alice).await?;
    let number = store.delete_owned_by(KIND, &alice).await?;
    let right = elsewhere == 0 && number == 2;
    run.expect(
        "an owner's records of one kind are deleted together",
        right,
        (elsewhere, number),
    );
    for key in &keys {
        let found = store.load(key).await?;
        run.expect("what an owner lost is not found", found.is_none(), found);
    }
    let theirs = listed(run, &bob).await?;
    run.expect(
        "another owner loses nothing",
        theirs == BTreeSet::from([other]),
        theirs,
    );
    let left = listed(run, &alice).await?;
    run.expect("whoever lost everything has an empty list", left.is_empty(), left);
    let again = store
        .create(run.lasting(&run.key()?).await?.owned_by(alice))
        .await;
    run.expect("whoever lost everything may begin anew", again.is_ok(), again);
    Ok(())
}

async fn revoking<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    let (alice, bob) = (run.owner()?, run.owner()?);
    let instant = super::millis(run.backend.now().await).saturating_sub(SECOND * 60);
    let before = owned(run, &alice, instant.saturating_sub(SECOND)).await?;
    let at = owned(run, &alice, instant).await?;
    let after = owned(run, &alice, instant.saturating_add(SECOND)).await?.0;
    let other = owned(run, &bob, instant).await?.0;
    let number = store.revoke_before(KIND, &alice, instant).await?;
    run.expect("what is revoked is counted", number == 2, number);
    let far = run.after(LONG * 2).await;
    for (key, version) in [before, at] {
        let found = store.load(&key).await?;
        run.expect(
            "what is dated up to the instant is revoked",
            found.is_none(),
            found,
        );
        let saved = store.replace(&key, version, replacement(2)?).await;
        run.refused("what is revoked cannot be saved", StoreErrorKind::NotFound, saved)?;
        let touched = store.touch(&key, far).await;
        run.refused(
            "what is revoked cannot be touched",
            StoreErrorKind::NotFound,
            touched,
        )?;
    }
    let (mine, theirs) = (listed(run, &alice).await?, listed(run, &bob).await?);
    run.expect(
        "what is dated later is not revoked",
        mine == BTreeSet::from([after]),
        mine,
    );
    run.expect(
        "what another owner has is not revoked",
        theirs == BTreeSet::from([other]),
        theirs,
    );
    Ok(())
}

/// A creation that is dated before a revocation and arrives after it.
async fn late_saves<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    let (alice, bob) = (run.owner()?, run.owner()?);
    let instant = super::millis(run.backend.now().await).saturating_sub(SECOND * 60);
    store.revoke_before(KIND, &alice, instant).await?;
    // An earlier one takes nothing back.
    store
        .revoke_before(KIND, &alice, instant.saturating_sub(SECOND * 60))
        .await?;
    for date in [instant.saturating_sub(SECOND), instant] {
        let key = run.key()?;
        let late = run.lasting(&key).await?.owned_by(alice.clone()).created_at(date);
        let refused = store.create(late).await;
        run.refused(
            "what is dated up to the instant is not created",
            StoreErrorKind::Revoked,
            refused,
        )?;
        let found = store.load(&key).await?;
        run.expect("what was refused is not found", found.is_none(), found);
        let other = owned(run, &bob, date).await;
        run.expect("another owner's is created", other.is_ok(), other);
        let elsewhere = RecordKey::new(Kind::new("contract-2"), run.key()?.id())?;
        let other = run
            .lasting(&elsewhere)
            .await?
            .owned_by(alice.clone())
            .created_at(date);
        let other = store.create(other).await;
        run.expect("one of another kind is created", other.is_ok(), other);
    }
    let next = owned(run, &alice, instant.saturating_add(Duration::from_millis(1))).await;
    run.expect("what is dated later is created", next.is_ok(), next);
    Ok(())
}

/// However creations and a revocation meet, none is left that is dated before it.
async fn parallel_births<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let alice = run.owner()?;
    let now = run.backend.now().await;
    let mut records = Vec::new();
    for _ in 0..super::TOGETHER {
        let key = run.key()?;
        records.push(run.lasting(&key).await?.owned_by(alice.clone()).created_at(now));
    }
    let answers = run
        .together(|store, number| {
            let (alice, record) = (alice.clone(), records.get(number).cloned());
            async move {
                match record {
                    Some(record) if number > 0 => store.create(record).await.map(|_| ()),
                    _ => store.revoke_before(KIND, &alice, now).await.map(|_| ()),
                }
            }
        })
        .await;
    for answer in answers.into_iter().filter(Result::is_err) {
        run.refused(
            "a creation that came late is told why",
            StoreErrorKind::Revoked,
            answer,
        )?;
    }
    let left = listed(run, &alice).await?;
    run.expect(
        "no creation outlives a revocation that it met",
        left.is_empty(),
        left,
    );
    Ok(())
}
