//! Keys that were looked up a moment ago.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // In a test.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portcullis_apikey::{API_KEYS, ApiKeyService, ApiKeys, KeyId, OwnerNow, owner_of};
use portcullis_core::{AuthenticateRequest, Principal};
use portcullis_store::changes::{Change, ChangeListener};

use self::support::*;

const AGE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_key_is_looked_up_once_in_ten_seconds() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys();
    let before = app.store.calls();
    for _ in 0..3 {
        assert!(passes(&keys, &key).await);
    }
    app.clock.advance(AGE - NANO);
    assert!(passes(&keys, &key).await);
    assert_eq!(app.store.calls(), before + 1);
    app.clock.advance(NANO);
    assert!(passes(&keys, &key).await);
    assert_eq!(app.store.calls(), before + 2);
}

#[tokio::test]
async fn a_remembered_key_is_decided_about_at_once() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys();
    let parts = with_key(&key);
    let check = ApiKeys::verdict_now(keys.authenticate_request(&parts)).unwrap_err();
    assert!(check.await.unwrap().is_some());
    let verdict = ApiKeys::verdict_now(keys.authenticate_request(&parts)).unwrap();
    assert!(verdict.unwrap().is_some());
}

#[tokio::test]
async fn neither_absence_nor_a_wrong_secret_is_remembered() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys();
    let wrong = with_another_secret(&key);
    let before = app.store.calls();
    for _ in 0..3 {
        assert!(!passes(&keys, &wrong).await);
    }
    assert_eq!(app.store.calls(), before + 3);
    assert!(passes(&keys, &key).await);
}

#[tokio::test]
async fn what_this_service_revokes_is_dead_at_once_in_every_method_of_it() {
    let app = App::new();
    let (id, key) = app.key().await;
    let (one, another) = (app.keys(), app.keys().as_bearer().unwrap());
    let bearer = request(&[("authorization", &format!("Bearer {key}"))]);
    assert!(passes(&one, &key).await && decide(&another, &bearer).await.is_ok());
    app.service.revoke(&alice(), &id).await.unwrap();
    assert!(!passes(&one, &key).await && decide(&another, &bearer).await.is_err());
}

/// T-REV-1: the bound that is written down holds.
#[tokio::test]
async fn t_rev_1_what_another_instance_revokes_is_dead_after_ten_seconds_or_when_it_is_heard_of() {
    for heard in [
        None,
        Some((|keys, id| keys.forget(id)) as fn(&ApiKeys, &KeyId)),
        Some(|keys, id| keys.forget_record(&id.record_key().unwrap())),
        Some(|keys, _| keys.forget_owned_by(alice().principal())),
        Some(|keys, _| keys.forget_records_owned_by(&owner_of(alice().principal()).unwrap())),
        Some(|keys, _| keys.forget_all()),
        Some(|keys, _| keys.bypass_cache(true)),
    ] {
        let app = App::new();
        let (id, key) = app.key().await;
        let keys = app.keys();
        assert!(passes(&keys, &key).await);
        let elsewhere = ApiKeyService::builder(format(), app.store.clone())
            .clock(app.clock.clone())
            .build()
            .unwrap();
        elsewhere.revoke(&alice(), &id).await.unwrap();
        assert!(passes(&keys, &key).await, "nobody has told");
        match heard {
            Some(hear) => hear(&keys, &id),
            None => app.clock.advance(AGE),
        }
        assert!(!passes(&keys, &key).await);
    }
}

#[tokio::test]
async fn others_are_not_forgotten_with_an_owner() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys();
    assert!(passes(&keys, &key).await);
    let before = app.store.calls();
    keys.forget_owned_by(person("bob").principal());
    keys.forget_records_owned_by(&owner_of(person("bob").principal()).unwrap());
    assert!(passes(&keys, &key).await);
    assert_eq!(app.store.calls(), before);
}

#[tokio::test]
async fn while_it_is_bypassed_every_request_asks() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys();
    keys.bypass_cache(true);
    let before = app.store.calls();
    assert!(passes(&keys, &key).await && passes(&keys, &key).await);
    assert_eq!(app.store.calls(), before + 2);
    keys.bypass_cache(false);
    assert!(passes(&keys, &key).await && passes(&keys, &key).await);
    assert_eq!(app.store.calls(), before + 3);
}

#[tokio::test]
async fn with_an_age_of_zero_nothing_is_remembered() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app
        .service
        .method()
        .dangerous_without_owners()
        .max_age(Duration::ZERO)
        .build()
        .unwrap();
    let before = app.store.calls();
    assert!(passes(&keys, &key).await && passes(&keys, &key).await);
    assert_eq!(app.store.calls(), before + 2);
}

#[tokio::test]
async fn an_owner_is_asked_for_once_in_ten_seconds_too() {
    let app = App::new();
    let (_, key) = app.key().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let owners = {
        let asked = Arc::clone(&asked);
        move |owner: Principal| {
            let times = asked.fetch_add(1, Ordering::SeqCst);
            async move { Ok::<_, std::io::Error>((times == 0).then(|| OwnerNow::holding_every_scope(owner))) }
        }
    };
    let keys = app.service.method().owners(owners).build().unwrap();
    assert!(passes(&keys, &key).await);
    app.clock.advance(AGE - NANO);
    assert!(passes(&keys, &key).await);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    app.clock.advance(NANO);
    assert_eq!(refusal(&keys, &with_key(&key)).await, (INVALID, "unknown_owner"));
}

#[tokio::test]
async fn an_outage_spares_what_is_remembered_and_for_no_longer() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys();
    assert!(passes(&keys, &key).await);
    app.store.set_down(true);
    app.clock.advance(AGE - NANO);
    assert!(passes(&keys, &key).await);
    app.clock.advance(NANO);
    assert!(!passes(&keys, &key).await);
}

/// T-REV-1: what another instance changed is heard of in the log.
#[tokio::test]
async fn t_rev_1_what_the_log_tells_is_forgotten_at_once() {
    let id_of = |id: &KeyId| Change::Record {
        kind: API_KEYS.as_str().into(),
        id: id.as_bytes().into(),
    };
    let owner = |name: &str| Change::Owner {
        kind: API_KEYS.as_str().into(),
        owner: owner_of(person(name).principal()).unwrap().as_bytes().into(),
    };
    let other_kind = |id: &KeyId| Change::Record {
        kind: "session".into(),
        id: id.as_bytes().into(),
    };
    let app = App::new();
    let (id, key) = app.key().await;
    let (other, _) = app.key().await;
    let keys = app.keys();
    assert!(passes(&keys, &key).await);
    for (change, forgotten) in [
        (id_of(&other), 0),
        (other_kind(&id), 0),
        (owner("bob"), 0),
        (id_of(&id), 1),
        (owner("alice"), 1),
    ] {
        let before = app.store.calls();
        keys.changed(std::slice::from_ref(&change)).await.unwrap();
        assert!(passes(&keys, &key).await);
        assert_eq!(app.store.calls() - before, forgotten, "{change:?}");
    }
    let before = app.store.calls();
    keys.lost().await.unwrap();
    assert!(passes(&keys, &key).await);
    assert_eq!(app.store.calls() - before, 1);
}

#[tokio::test]
async fn where_it_is_followed_and_nobody_brings_news_every_request_asks() {
    let app = App::new();
    let (_, key) = app.key().await;
    let second = Duration::from_secs(1);
    let keys = app
        .service
        .method()
        .dangerous_without_owners()
        .followed_within(second)
        .build()
        .unwrap();
    let before = app.store.calls();
    assert!(passes(&keys, &key).await && passes(&keys, &key).await);
    assert_eq!(app.store.calls(), before + 2);
    keys.caught_up(keys.monotonic());
    assert!(passes(&keys, &key).await && passes(&keys, &key).await);
    assert_eq!(app.store.calls(), before + 2);
    app.clock.advance(second + Duration::from_millis(1));
    assert!(passes(&keys, &key).await && passes(&keys, &key).await);
    assert_eq!(app.store.calls(), before + 4);
}

/// Ids are public: whoever knows one must not make every request of others cost a look-up.
#[tokio::test]
async fn whoever_may_not_change_a_key_does_not_make_it_forgotten_either() {
    let app = App::new();
    let (id, key) = app.key().await;
    let keys = app.keys();
    assert!(passes(&keys, &key).await);
    assert!(app.service.disable(&person("bob"), &id).await.is_err());
    assert!(app.service.enable(&person("bob"), &id).await.is_err());
    let before = app.store.calls();
    assert!(passes(&keys, &key).await);
    assert_eq!(app.store.calls(), before);
}

#[tokio::test]
async fn a_check_that_is_polled_after_it_was_ready_stays_pending() {
    use std::future::Future;
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = app.keys();
    for _ in 0..2 {
        // Looked up the first time, and remembered the second.
        let mut check = std::pin::pin!(keys.authenticate_request(&with_key(&key)));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(check.as_mut().poll(&mut context).is_ready());
        assert!(check.as_mut().poll(&mut context).is_pending());
    }
}
