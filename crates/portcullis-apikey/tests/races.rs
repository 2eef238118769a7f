//! What happens in the middle of something else, forced.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // In a test.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_apikey::{KeysError, OwnerNow, Rotation};
use portcullis_core::Principal;

use self::support::*;

/// The clients that know the new secret of the first rotation go on, and so do those with the old one.
#[tokio::test]
async fn of_two_rotations_at_once_one_is_done_and_the_other_is_told() {
    let app = App::new();
    let (id, old) = app.key().await;
    let other = Arc::new(Mutex::new(None));
    let interlude = {
        let (service, other) = (app.service.clone(), Arc::clone(&other));
        async move {
            let rotated = service.rotate(&alice(), &id, Rotation::default()).await.unwrap();
            *other.lock().unwrap() = Some(in_clear(rotated).1);
        }
    };
    app.store.interrupt(When::BeforeReplace, interlude);
    let late = app.service.rotate(&alice(), &id, Rotation::default()).await;
    assert!(matches!(late, Err(KeysError::Changed)), "{late:?}");
    assert!(!app.store.has_pending_interludes());
    let new = other.lock().unwrap().take().unwrap();
    let keys = app.keys();
    assert!(passes(&keys, &old).await && passes(&keys, &new).await);
}

#[tokio::test]
async fn a_rotation_that_meets_a_note_of_use_is_done_and_so_is_the_note() {
    let app = App::new();
    let (id, old) = app.key().await;
    assert!(passes(&app.keys(), &old).await);
    let last_used = app.service.last_used();
    app.store.interrupt(When::BeforeReplace, async move {
        assert_eq!(last_used.flush().await.written, 1);
    });
    let (_, new) = in_clear(
        app.service
            .rotate(&alice(), &id, Rotation::default())
            .await
            .unwrap(),
    );
    let keys = app.keys();
    assert!(passes(&keys, &old).await && passes(&keys, &new).await);
    assert!(
        app.service
            .find(&alice(), &id)
            .await
            .unwrap()
            .last_used_at()
            .is_some()
    );
}

#[tokio::test]
async fn a_note_of_use_that_meets_a_rotation_loses_nothing_of_it() {
    let app = App::new();
    let (id, old) = app.key().await;
    assert!(passes(&app.keys(), &old).await);
    let new = Arc::new(Mutex::new(None));
    let interlude = {
        let (service, new) = (app.service.clone(), Arc::clone(&new));
        async move {
            let at_once = Rotation::default().overlap(Duration::ZERO).unwrap();
            let rotated = service.rotate(&alice(), &id, at_once).await.unwrap();
            *new.lock().unwrap() = Some(in_clear(rotated).1);
        }
    };
    app.store.interrupt(When::BeforeReplace, interlude);
    assert_eq!(app.service.last_used().flush().await.written, 1);
    let new = new.lock().unwrap().take().unwrap();
    let keys = app.keys();
    assert!(!passes(&keys, &old).await && passes(&keys, &new).await);
    assert!(
        app.service
            .find(&alice(), &id)
            .await
            .unwrap()
            .last_used_at()
            .is_some()
    );
}

#[tokio::test]
async fn a_note_of_use_that_meets_a_revocation_brings_nothing_back() {
    for when in [When::AfterLoad, When::BeforeReplace] {
        let app = App::new();
        let (id, key) = app.key().await;
        assert!(passes(&app.keys(), &key).await);
        let service = app.service.clone();
        app.store
            .interrupt(when, async move { service.revoke(&alice(), &id).await.unwrap() });
        let flushed = app.service.last_used().flush().await;
        assert_eq!((flushed.written, flushed.kept), (0, 0));
        assert!(!app.store.has_pending_interludes());
        assert!(!passes(&app.keys(), &key).await);
    }
}

#[tokio::test]
async fn a_rotation_that_meets_a_revocation_brings_nothing_back() {
    let app = App::new();
    let (id, key) = app.key().await;
    let service = app.service.clone();
    app.store.interrupt(When::BeforeReplace, async move {
        service.revoke(&alice(), &id).await.unwrap()
    });
    let late = app.service.rotate(&alice(), &id, Rotation::default()).await;
    assert!(matches!(late, Err(KeysError::NotFound)), "{late:?}");
    assert!(!passes(&app.keys(), &key).await);
}

#[tokio::test]
async fn a_switch_that_meets_a_rotation_keeps_both() {
    let app = App::new();
    let (id, _) = app.key().await;
    let new = Arc::new(Mutex::new(None));
    let interlude = {
        let (service, new) = (app.service.clone(), Arc::clone(&new));
        async move {
            let rotated = service.rotate(&alice(), &id, Rotation::default()).await.unwrap();
            *new.lock().unwrap() = Some(in_clear(rotated).1);
        }
    };
    app.store.interrupt(When::BeforeReplace, interlude);
    app.service.disable(&alice(), &id).await.unwrap();
    let new = new.lock().unwrap().take().unwrap();
    let keys = app.keys();
    assert_eq!(refusal(&keys, &with_key(&new)).await, (INVALID, "disabled"));
    app.service.enable(&alice(), &id).await.unwrap();
    assert!(passes(&keys, &new).await);
}

/// The request that looked it up passes, as if it had come a moment earlier. No later one does.
#[tokio::test]
async fn a_look_up_that_is_overtaken_by_a_revocation_is_not_remembered() {
    let app = App::new();
    let (id, key) = app.key().await;
    let keys = app.keys();
    let service = app.service.clone();
    // The first load is that of the look-up; the one of `revoke` comes within.
    app.store.interrupt(When::AfterLoad, async move {
        service.revoke(&alice(), &id).await.unwrap()
    });
    assert!(passes(&keys, &key).await);
    assert!(!app.store.has_pending_interludes());
    assert_eq!(refusal(&keys, &with_key(&key)).await, (INVALID, "unknown_key"));
}

#[tokio::test]
async fn an_owner_who_is_locked_out_during_a_look_up_is_not_remembered() {
    let app = App::new();
    let (_, key) = app.key().await;
    let locked = Arc::new(Mutex::new((false, None::<Box<dyn FnOnce() + Send>>)));
    let owners = {
        let locked = Arc::clone(&locked);
        move |owner: Principal| {
            let locked = Arc::clone(&locked);
            async move {
                let answer = (!locked.lock().unwrap().0).then(|| OwnerNow::holding_every_scope(owner));
                // Locked out after the answer and before it is remembered.
                let meanwhile = locked.lock().unwrap().1.take();
                if let Some(meanwhile) = meanwhile {
                    locked.lock().unwrap().0 = true;
                    meanwhile();
                }
                Ok::<_, std::io::Error>(answer)
            }
        }
    };
    let keys = app.service.method().owners(owners).build().unwrap();
    let forget = keys.clone();
    locked.lock().unwrap().1 = Some(Box::new(move || forget.forget_owned_by(alice().principal())));
    assert!(passes(&keys, &key).await);
    assert_eq!(refusal(&keys, &with_key(&key)).await, (INVALID, "unknown_owner"));
}
