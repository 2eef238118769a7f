//! Who manages which keys, and how.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // In a test.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_apikey::{Expiry, KeyId, KeysError, NewKey, Rotation};
use portcullis_core::{AuditEvent, AuthErrorKind, Authentication};
use portcullis_store::RecordStore;

use self::support::*;

#[tokio::test]
async fn what_is_issued_is_listed_and_works() {
    let app = App::new();
    assert!(app.service.list(&alice()).await.unwrap().is_empty());
    let (id, key) = app.key().await;
    app.clock.advance(Duration::from_secs(1));
    let (newer, _) = app.issue(new_key().environment("test")).await;
    let listed: Vec<KeyId> = app
        .service
        .list(&alice())
        .await
        .unwrap()
        .iter()
        .map(|key| key.id())
        .collect();
    assert_eq!(listed, [newer, id]);
    let found = app.service.find(&alice(), &id).await.unwrap();
    assert_eq!(
        (found.name(), found.scopes(), found.owner()),
        ("deploy", &scopes("a b"), alice().principal())
    );
    assert!(key.starts_with(&format!("sk_live_{id}")));
    assert!(passes(&app.keys(), &key).await);
}

#[tokio::test]
async fn no_record_holds_a_key() {
    let app = App::new();
    let (id, key) = app.key().await;
    let record = app.store.load(&id.record_key().unwrap()).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(record.payload().as_bytes()).into_owned();
    assert!(!text.contains(&key[24..56]) && text.contains("sha256:"), "{text}");
}

/// T-ADM-1: every function × another's key, a key in place of a session, no account.
#[tokio::test]
async fn t_adm_1_each_function_serves_the_owner_and_nobody_else() {
    let app = App::new();
    let (id, key) = app.key().await;
    let by_key = decide(&app.keys(), &with_key(&key)).await.unwrap();
    let nobody = portcullis_test::authenticated(7).with_scopes(scopes("a b"));

    every_function(&app, &person("bob"), &id, |error| {
        matches!(error, KeysError::NotFound)
    })
    .await;
    every_function(&app, &by_key, &id, |error| refused(error, AuthErrorKind::Denied)).await;
    every_function(&app, &nobody, &id, |error| {
        refused(error, AuthErrorKind::Misconfigured)
    })
    .await;
    for caller in [&by_key, &by_key.clone().map(|who| who)] {
        let issued = app.service.issue(caller, new_key()).await.unwrap_err();
        assert!(refused(&issued, AuthErrorKind::Denied));
        assert!(refused(
            &app.service.list(caller).await.unwrap_err(),
            AuthErrorKind::Denied
        ));
        assert!(refused(
            &app.service.revoke_all(caller).await.unwrap_err(),
            AuthErrorKind::Denied
        ));
    }
    assert!(app.service.list(&person("bob")).await.unwrap().is_empty());
    assert_eq!(app.service.revoke_all(&person("bob")).await.unwrap(), 0);
    assert!(passes(&app.keys(), &key).await);

    // And the owner may.
    app.service.find(&alice(), &id).await.unwrap();
    app.service.disable(&alice(), &id).await.unwrap();
    app.service.enable(&alice(), &id).await.unwrap();
    app.service
        .rotate(&alice(), &id, Rotation::default())
        .await
        .unwrap();
    app.service.revoke(&alice(), &id).await.unwrap();
}

fn refused(error: &KeysError, kind: AuthErrorKind) -> bool {
    matches!(error, KeysError::Refused(refused) if refused.kind() == kind)
}

async fn every_function<P: 'static>(
    app: &App,
    caller: &Authentication<P>,
    id: &KeyId,
    expected: impl Fn(&KeysError) -> bool,
) {
    let service = &app.service;
    let errors = [
        service.find(caller, id).await.err(),
        service.rotate(caller, id, Rotation::default()).await.err(),
        service.disable(caller, id).await.err(),
        service.enable(caller, id).await.err(),
        service.revoke(caller, id).await.err(),
    ];
    for (index, error) in errors.iter().enumerate() {
        assert!(error.as_ref().is_some_and(&expected), "{index}: {error:?}");
    }
}

#[tokio::test]
async fn the_same_subject_of_another_issuer_is_somebody_else() {
    let app = App::new();
    let (id, _) = app.key().await;
    let other = portcullis_test::caller("alice")
        .issuer("https://other.test")
        .authentication();
    assert!(matches!(
        app.service.find(&other, &id).await,
        Err(KeysError::NotFound)
    ));
    assert!(app.service.list(&other).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_has_no_scope_that_its_owner_lacks() {
    let app = App::new();
    let held = NewKey::new("all", scopes("a b c"), Expiry::in_days(1));
    assert!(app.service.issue(&alice(), held).await.is_ok());
    let more = NewKey::new("more", scopes("a d e"), Expiry::in_days(1));
    let Err(KeysError::Refused(error)) = app.service.issue(&alice(), more).await else {
        panic!("issued")
    };
    assert_eq!(
        (error.kind(), error.scope()),
        (AuthErrorKind::InsufficientScope, Some("d e"))
    );
}

#[tokio::test]
async fn an_expiry_is_chosen_within_the_policy() {
    let app = App::new();
    let issue = |app: &App, expiry| {
        let service = app.service.clone();
        async move { service.issue(&alice(), new_key_until(expiry)).await }
    };
    assert!(issue(&app, Expiry::in_days(365)).await.is_ok());
    for refused in [
        Expiry::in_days(366),
        Expiry::in_days(0),
        Expiry::dangerous_never(),
    ] {
        assert!(
            matches!(issue(&app, refused).await, Err(KeysError::Invalid(_))),
            "{refused:?}"
        );
    }
    let app = App::with(|builder| {
        builder
            .dangerous_allow_keys_without_expiry()
            .longest_life(7 * DAY)
    });
    assert!(issue(&app, Expiry::in_days(7)).await.is_ok());
    assert!(matches!(
        issue(&app, Expiry::in_days(8)).await,
        Err(KeysError::Invalid(_))
    ));
    let (_, key) = in_clear(issue(&app, Expiry::dangerous_never()).await.unwrap());
    app.clock.advance(10_000 * DAY);
    assert!(passes(&app.keys(), &key).await);
}

#[tokio::test]
async fn names_are_bounded_and_environments_known() {
    let app = App::new();
    let named = |name: &str| NewKey::new(name, scopes("a"), Expiry::in_days(1));
    for good in ["x", &"é".repeat(100)] {
        assert!(app.service.issue(&alice(), named(good)).await.is_ok());
    }
    for bad in [
        named(""),
        named(&"x".repeat(101)),
        named("a\nb"),
        named("x").environment("staging"),
    ] {
        assert!(matches!(
            app.service.issue(&alice(), bad).await,
            Err(KeysError::Invalid(_))
        ));
    }
}

#[tokio::test]
async fn an_owner_has_so_many_keys_and_no_more_until_one_ends() {
    let app = App::with(|builder| builder.most_per_owner(2));
    app.issue(new_key_until(Expiry::in_days(1))).await;
    app.key().await;
    assert!(matches!(
        app.service.issue(&alice(), new_key()).await,
        Err(KeysError::TooMany)
    ));
    assert!(app.service.issue(&person("bob"), new_key()).await.is_ok());
    app.clock.advance(DAY);
    assert!(app.service.issue(&alice(), new_key()).await.is_ok());
}

#[tokio::test]
async fn a_second_rotation_ends_the_secret_before_the_last() {
    let app = App::new();
    let (id, first) = app.key().await;
    let (_, second) = in_clear(
        app.service
            .rotate(&alice(), &id, Rotation::default())
            .await
            .unwrap(),
    );
    let (_, third) = in_clear(
        app.service
            .rotate(&alice(), &id, Rotation::default())
            .await
            .unwrap(),
    );
    let keys = app.keys();
    assert!(!passes(&keys, &first).await);
    assert!(passes(&keys, &second).await && passes(&keys, &third).await);
}

#[tokio::test]
async fn a_rotation_keeps_the_expiry_or_gets_another_one() {
    let app = App::new();
    let (id, _) = app.issue(new_key_until(Expiry::in_days(2))).await;
    let end = app.service.find(&alice(), &id).await.unwrap().expires_at();
    let kept = app
        .service
        .rotate(&alice(), &id, Rotation::default())
        .await
        .unwrap();
    assert_eq!(kept.key().expires_at(), end);
    let longer = Rotation::default().expiry(Expiry::in_days(30));
    let (_, key) = in_clear(app.service.rotate(&alice(), &id, longer).await.unwrap());
    app.clock.advance(29 * DAY);
    assert!(passes(&app.keys(), &key).await);
    let shorter = Rotation::default().expiry(Expiry::in_days(1));
    let (_, key) = in_clear(app.service.rotate(&alice(), &id, shorter).await.unwrap());
    app.clock.advance(DAY - NANO);
    assert!(passes(&app.keys(), &key).await);
    app.clock.advance(NANO);
    assert!(!passes(&app.keys(), &key).await);
    assert!(matches!(
        app.service.find(&alice(), &id).await,
        Err(KeysError::NotFound)
    ));
    let beyond = Rotation::default().expiry(Expiry::in_days(366));
    let (id, _) = app.key().await;
    assert!(matches!(
        app.service.rotate(&alice(), &id, beyond).await,
        Err(KeysError::Invalid(_))
    ));
}

#[tokio::test]
async fn a_closed_account_has_no_keys_left() {
    let app = App::new();
    let (_, first) = app.key().await;
    let (_, second) = app.key().await;
    let (_, bobs) = in_clear(app.service.issue(&person("bob"), new_key()).await.unwrap());
    let keys = app.keys();
    assert!(passes(&keys, &first).await && passes(&keys, &second).await);
    assert_eq!(app.service.revoke_owned_by(alice().principal()).await.unwrap(), 2);
    assert!(!passes(&keys, &first).await && !passes(&keys, &second).await && passes(&keys, &bobs).await);
    app.clock.advance(Duration::from_secs(1));
    assert!(app.service.issue(&alice(), new_key()).await.is_ok());
}

#[tokio::test]
async fn an_outage_is_unavailable_and_not_an_empty_list() {
    let app = App::new();
    let (id, _) = app.key().await;
    app.store.set_down(true);
    let unavailable =
        |error: &KeysError| error.auth_error().map(|error| error.kind()) == Some(AuthErrorKind::Unavailable);
    every_function(&app, &alice(), &id, unavailable).await;
    assert!(unavailable(&app.service.list(&alice()).await.unwrap_err()));
    assert!(unavailable(
        &app.service.issue(&alice(), new_key()).await.unwrap_err()
    ));
    assert!(unavailable(&app.service.revoke_all(&alice()).await.unwrap_err()));
}

#[tokio::test]
async fn rotations_and_revocations_are_told_to_the_audit() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let told = Arc::clone(&told);
        move |event: &AuditEvent<'_>| {
            let who = event.subject().map(str::to_owned);
            let id = event.need().map(str::to_owned);
            told.lock()
                .unwrap()
                .push((event.kind().as_str(), event.reason().unwrap(), who, id));
        }
    };
    let app = App::with(|builder| builder.audit(sink));
    let (id, _) = app.key().await;
    app.service
        .rotate(&alice(), &id, Rotation::default())
        .await
        .unwrap();
    app.service.disable(&alice(), &id).await.unwrap();
    app.service.revoke(&alice(), &id).await.unwrap();
    app.service.revoke(&alice(), &id).await.unwrap_err();
    app.service.revoke_all(&alice()).await.unwrap();
    let (alice, id) = (Some("alice".to_owned()), Some(id.to_string()));
    assert_eq!(
        *told.lock().unwrap(),
        [
            ("rotated", "api_key_rotated", alice.clone(), id.clone()),
            ("revoked", "api_key_disabled", alice.clone(), id.clone()),
            ("revoked", "api_key_revoked", alice.clone(), id),
            ("revoked", "api_keys_revoked", alice, None),
        ]
    );
}

#[tokio::test]
async fn whoever_leaks_a_key_takes_it_back_and_an_id_alone_does_nothing() {
    use portcullis_apikey::Leak;

    let app = App::new();
    let (id, key) = app.key().await;
    let keys = app.keys();
    assert!(passes(&keys, &key).await);
    for harmless in [
        with_another_secret(&key),
        id.to_string(),
        key[..61].to_owned(),
        "x".repeat(10_000),
    ] {
        let leak = app.service.report_leaked(harmless.as_bytes()).await.unwrap();
        assert_eq!(leak, Leak::Harmless);
    }
    assert!(passes(&keys, &key).await);
    assert_eq!(
        app.service.report_leaked(key.as_bytes()).await.unwrap(),
        Leak::Revoked
    );
    assert!(!passes(&keys, &key).await);
    assert_eq!(
        app.service.report_leaked(key.as_bytes()).await.unwrap(),
        Leak::Harmless
    );
}

/// With a token of one scope nobody gets the secret of a key that may more, nor switches one on.
#[tokio::test]
async fn a_caller_who_lacks_a_scope_of_a_key_gets_no_new_secret_of_it_and_does_not_enable_it() {
    let app = App::new();
    let (id, _) = app.key().await;
    let less = portcullis_test::caller("alice").scope("a").authentication();
    let rotated = app.service.rotate(&less, &id, Rotation::default()).await;
    let lacks = |error: Option<KeysError>| {
        error.is_some_and(|error| refused(&error, AuthErrorKind::InsufficientScope))
    };
    assert!(lacks(rotated.err()));
    // To take power away is free.
    app.service.disable(&less, &id).await.unwrap();
    assert!(lacks(app.service.enable(&less, &id).await.err()));
    assert!(app.service.find(&alice(), &id).await.unwrap().is_disabled());
    // With every scope of the key it is done.
    app.service.enable(&alice(), &id).await.unwrap();
    app.service
        .rotate(&alice(), &id, Rotation::default())
        .await
        .unwrap();
    app.service.revoke(&less, &id).await.unwrap();
}

/// The bound on keys is one on records: a rotation that shortens a key's life does not shorten that of its record.
#[tokio::test]
async fn what_an_owner_keeps_in_the_store_is_bounded_whatever_is_rotated() {
    let app = App::with(|builder| builder.most_per_owner(2));
    let owner = portcullis_apikey::owner_of(alice().principal()).unwrap();
    let short = Rotation::default().expiry(Expiry::in_days(1));
    for _ in 0..10 {
        let (id, _) = app.key().await;
        app.service.rotate(&alice(), &id, short).await.unwrap();
        app.clock.advance(DAY);
    }
    let kept = app.store.list_owned_by(portcullis_apikey::API_KEYS, &owner).await;
    assert!(kept.unwrap().len() <= 2);
}
