//! What is replaced, touched, and never brought back.

use super::{
    Backend, Done, LONG, RecordKey, RecordStore, Run, StoreErrorKind, Version, millis, replacement, says,
};
use crate::StoreError;

const ROUNDS: u8 = 8;

pub(super) async fn check<B: Backend>(run: &mut Run<'_, B>) -> Done {
    succession(run).await?;
    interleaving(run).await?;
    touching(run).await?;
    ending(run).await?;
    late_changes(run).await?;
    reuse(run).await?;
    contention(run).await?;
    racing_deletion(run).await
}

async fn succession<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let (one, two) = (run.backend.open().await, run.backend.open().await);
    let (key, first) = run.created().await?;
    let before = one.load(&key).await?.map(|record| record.lifetime());
    let mut last = first;
    for mark in 2..10 {
        let next = one.replace(&key, last, replacement(mark)?).await?;
        run.expect("a later version is greater", next > last, (last, next));
        let stale = two.replace(&key, last, replacement(99)?).await;
        run.refused("a version is replaced once", StoreErrorKind::Conflict, stale)?;
        let found = two.load(&key).await?;
        let right = says(found.as_ref(), mark)
            && found
                .as_ref()
                .is_some_and(|found| found.version() == next && Some(found.lifetime()) == before);
        run.expect("what was written last is found, under its version", right, found);
        last = next;
    }
    for expected in [first, Version::new(last.number().wrapping_add(1))] {
        let stale = one.replace(&key, expected, replacement(99)?).await;
        run.refused(
            "only the last version is replaced",
            StoreErrorKind::Conflict,
            stale,
        )?;
    }
    let never = run.key()?;
    let absent = one.replace(&never, last, replacement(99)?).await;
    run.refused(
        "nothing is replaced where nothing is",
        StoreErrorKind::NotFound,
        absent,
    )?;
    let left = one.load(&never).await?;
    run.expect("a replacement creates nothing", left.is_none(), left);
    Ok(())
}

/// Two that have both seen one version before either writes.
async fn interleaving<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let (one, two) = (run.backend.open().await, run.backend.open().await);
    let (key, seen) = run.created().await?;
    two.replace(&key, seen, replacement(2)?).await?;
    let late = one.replace(&key, seen, replacement(3)?).await;
    run.refused(
        "of two that saw one version one is told",
        StoreErrorKind::Conflict,
        late,
    )?;
    let found = one.load(&key).await?;
    run.expect("no update is lost", says(found.as_ref(), 2), found);
    Ok(())
}

async fn touching<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    let key = run.key()?;
    let [earlier, start, later, limit, beyond] = {
        let now = run.backend.now().await;
        [1, 2, 3, 4, 5].map(|times| millis(now.saturating_add(LONG * times)))
    };
    let record = crate::NewRecord::new(key.clone(), super::payload(1)?, start).limit(limit);
    let version = store.create(record).await?;
    for (wish, result) in [(later, later), (earlier, later), (beyond, limit), (later, limit)] {
        let told = store.touch(&key, wish).await?;
        let found = store
            .load(&key)
            .await?
            .map(|record| record.lifetime().expires_at());
        let right = told == result && found == Some(result);
        run.expect(
            "touching extends up to the limit and never shortens",
            right,
            (told, found, result),
        );
    }
    let saved = store.replace(&key, version, replacement(2)?).await;
    run.expect("touching leaves the version", saved.is_ok(), saved);
    let key = run.key()?;
    let absent = store.touch(&key, later).await;
    run.refused(
        "nothing is touched where nothing is",
        StoreErrorKind::NotFound,
        absent,
    )?;
    let left = store.load(&key).await?;
    run.expect("touching creates nothing", left.is_none(), left);
    Ok(())
}

/// A replacement may bring the end nearer, for good, or farther, up to the limit.
async fn ending<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    let key = run.key()?;
    let [near, start, later, limit] = {
        let now = run.backend.now().await;
        [1, 2, 3, 4].map(|times| millis(now.saturating_add(LONG * times)))
    };
    let record = crate::NewRecord::new(key.clone(), super::payload(1)?, start).limit(limit);
    let version = store.create(record).await?;
    let version = store
        .replace(&key, version, replacement(2)?.extend_to(later))
        .await?;
    let found = store
        .load(&key)
        .await?
        .map(|record| record.lifetime().expires_at());
    run.expect("a replacement extends a record", found == Some(later), found);
    store.replace(&key, version, replacement(3)?.end_by(near)).await?;
    let touched = store.touch(&key, limit).await?;
    run.expect(
        "a record that was given an end is not extended beyond",
        touched == near,
        touched,
    );
    Ok(())
}

/// A save and a touch that arrive after their record is gone (T-SESS-1).
async fn late_changes<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let (one, two) = (run.backend.open().await, run.backend.open().await);
    let far = run.after(LONG * 2).await;
    for taken in [false, true] {
        let (key, version) = run.created().await?;
        if taken {
            one.take(&key).await?;
        } else {
            one.delete(&key).await?;
        }
        let saved = two.replace(&key, version, replacement(2)?).await;
        run.refused("what is gone cannot be saved", StoreErrorKind::NotFound, saved)?;
        let touched = two.touch(&key, far).await;
        run.refused(
            "what is gone cannot be touched",
            StoreErrorKind::NotFound,
            touched,
        )?;
        let found = one.load(&key).await?;
        run.expect("what is gone stays gone", found.is_none(), found);
    }
    Ok(())
}

/// A key that was deleted and created anew knows no version of its first life.
async fn reuse<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let store = run.backend.open().await;
    let (key, first) = run.created().await?;
    store.delete(&key).await?;
    let record = run.lasting(&key).await?;
    let second = store.create(record).await?;
    run.expect("a version is never used again", second > first, (first, second));
    let stale = store.replace(&key, first, replacement(2)?).await;
    run.refused(
        "a save for a former record does not meet a new one",
        StoreErrorKind::Conflict,
        stale,
    )?;
    Ok(())
}

async fn contention<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let (key, mut seen) = run.created().await?;
    for mark in 2..2 + ROUNDS {
        let with = replacement(mark)?;
        let answers = run
            .together(|store, _| {
                let (key, with) = (key.clone(), with.clone());
                async move { store.replace(&key, seen, with).await }
            })
            .await;
        let winners: Vec<Version> = answers.iter().flatten().copied().collect();
        run.expect(
            "of many replacements exactly one is done",
            winners.len() == 1,
            &winners,
        );
        for answer in answers.into_iter().filter(Result::is_err) {
            run.refused(
                "a replacement that came late is told",
                StoreErrorKind::Conflict,
                answer,
            )?;
        }
        let found = run.backend.open().await.load(&key).await?;
        let version = found.as_ref().map(crate::Record::version);
        let same = says(found.as_ref(), mark) && winners.last().copied() == version;
        run.expect(
            "of many replacements the one that was done is found",
            same,
            &found,
        );
        seen = version.unwrap_or(seen);
    }
    Ok(())
}

/// However saves, touches and a deletion meet, the record is gone afterwards.
async fn racing_deletion<B: Backend>(run: &mut Run<'_, B>) -> Done {
    let far = run.after(LONG * 2).await;
    for _ in 0..ROUNDS {
        let (key, seen) = run.created().await?;
        let answers = run
            .together(|store, number| meet(store, number, key.clone(), seen, far))
            .await;
        for answer in answers {
            if let Err(error) = answer {
                run.expect(
                    "a save among others finds a record or none",
                    is_told(&error),
                    error,
                );
            }
        }
        let left = run.backend.open().await.load(&key).await?;
        run.expect("no save brings back what was deleted", left.is_none(), left);
    }
    Ok(())
}

/// The first deletes, the others save and touch.
async fn meet<S: RecordStore>(
    store: S,
    number: usize,
    key: RecordKey,
    seen: Version,
    far: portcullis_core::Timestamp,
) -> Result<(), StoreError> {
    if number == 0 {
        return store.delete(&key).await.map(|_| ());
    }
    let touched = store.touch(&key, far).await.map(|_| ());
    let saved = store.replace(&key, seen, replacement(2)?).await;
    touched?;
    saved.map(|_| ())
}

fn is_told(error: &StoreError) -> bool {
    matches!(error.kind(), StoreErrorKind::NotFound | StoreErrorKind::Conflict)
}
