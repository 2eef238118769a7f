//! Connections that outlive the request they began with.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // Tests, and what helps them.

mod support;

use std::sync::Arc;
use std::time::Duration;

use portcullis_apikey::{ApiKeys, OwnerNow, Rotation};
use portcullis_core::{Authentication, Invalid, Principal, Validity};

use self::support::{App, DAY, alice, decide, scopes, with_key};

fn validity(caller: &Authentication<Principal>) -> Arc<dyn Validity> {
    Arc::clone(caller.validity().unwrap())
}

/// The evidence that a connection of this key begins with.
async fn connect(keys: &ApiKeys, key: &str) -> Arc<dyn Validity> {
    validity(&decide(keys, &with_key(key)).await.unwrap())
}

/// T-REV-1
#[tokio::test]
async fn a_connection_ends_when_its_key_is_revoked_or_disabled_and_another_goes_on() {
    let app = App::new();
    let keys = app.keys();
    let (revoked, first) = app.key().await;
    let (disabled, second) = app.key().await;
    let (_, third) = app.key().await;
    let connected = [
        connect(&keys, &first).await,
        connect(&keys, &second).await,
        connect(&keys, &third).await,
    ];
    for validity in &connected {
        assert_eq!(validity.ask().await, Ok(()));
        assert_eq!(validity.ask_every(), Duration::from_secs(5));
    }
    app.service.revoke(&alice(), &revoked).await.unwrap();
    app.service.disable(&alice(), &disabled).await.unwrap();
    assert_eq!(connected[0].ask().await, Err(Invalid::Revoked));
    assert_eq!(connected[1].ask().await, Err(Invalid::Revoked));
    assert_eq!(connected[2].ask().await, Ok(()));
}

#[tokio::test]
async fn a_connection_ends_with_the_secret_that_opened_it() {
    let app = App::new();
    let keys = app.keys();
    let (id, old) = app.key().await;
    let before = connect(&keys, &old).await;
    let rotated = app
        .service
        .rotate(&alice(), &id, Rotation::default())
        .await
        .unwrap();
    let (_, new) = support::in_clear(rotated);
    let (former, after) = (connect(&keys, &old).await, connect(&keys, &new).await);
    for validity in [&before, &former, &after] {
        assert_eq!(validity.ask().await, Ok(()), "in the overlap");
    }
    assert_eq!(former.remaining(), Some(DAY));
    app.clock.advance(DAY);
    assert_eq!(before.ask().await, Err(Invalid::Revoked));
    assert_eq!(former.ask().await, Err(Invalid::Expired));
    assert_eq!(after.ask().await, Ok(()));
    app.clock.advance(DAY * 89);
    assert_eq!(after.ask().await, Err(Invalid::Expired));
}

#[tokio::test]
async fn a_connection_ends_when_its_owner_is_locked_out_and_in_doubt() {
    let app = App::new();
    let (_, key) = app.key().await;
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let answers = Arc::clone(&asked);
    let keys = app.service.method().owners(move |owner| {
        let first = answers.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        let owner = first.then(|| OwnerNow::new(owner, scopes("a")));
        std::future::ready(Ok::<_, std::convert::Infallible>(owner))
    });
    let keys = keys.build().unwrap();
    let connected = connect(&keys, &key).await;
    assert_eq!(connected.ask().await, Err(Invalid::Revoked), "nobody any more");

    let keys = app.keys();
    let connected = connect(&keys, &key).await;
    app.store.set_down(true);
    assert_eq!(connected.ask().await, Err(Invalid::Unavailable));
    app.store.set_down(false);
    assert_eq!(connected.ask().await, Ok(()));
    drop(keys);
    assert_eq!(
        connected.ask().await,
        Err(Invalid::Unavailable),
        "there is nobody to ask"
    );
}
