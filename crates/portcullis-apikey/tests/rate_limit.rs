//! How often one key may be used.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // In a test.

mod support;

use std::time::Duration;

use portcullis_apikey::{ApiKeys, RateLimit};
use portcullis_core::AuthErrorKind;

use self::support::*;

fn limited(app: &App, limit: RateLimit) -> ApiKeys {
    app.service
        .method()
        .dangerous_without_owners()
        .rate_limit(limit)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_key_is_accepted_so_often_and_then_again_as_time_passes() {
    let app = App::new();
    let (_, key) = app.key().await;
    let keys = limited(&app, RateLimit::per_minute(60).unwrap().burst(2).unwrap());
    assert!(passes(&keys, &key).await && passes(&keys, &key).await);
    let error = decide(&keys, &with_key(&key)).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Throttled);
    let wait = error.retry_after().unwrap();
    assert_eq!(wait, Duration::from_secs(1));
    app.clock.advance(wait - NANO);
    assert!(!passes(&keys, &key).await);
    app.clock.advance(NANO);
    assert!(passes(&keys, &key).await);
}

/// Strangers do not use up a key's share, nor does one key another's.
#[tokio::test]
async fn only_the_key_itself_counts() {
    let app = App::new();
    let (_, key) = app.key().await;
    let (_, other) = app.key().await;
    let keys = limited(&app, RateLimit::per_minute(1).unwrap());
    for _ in 0..100 {
        assert_eq!(
            refusal(&keys, &with_key(&with_another_secret(&key))).await.0,
            INVALID
        );
    }
    assert!(passes(&keys, &key).await);
    assert_eq!(refusal(&keys, &with_key(&key)).await.0, AuthErrorKind::Throttled);
    // Also when the key is remembered.
    assert_eq!(
        refusal(&keys, &with_key(&with_another_secret(&key))).await.0,
        INVALID
    );
    assert!(passes(&keys, &other).await);
}

/// What a key used is not forgotten with what was looked up.
#[tokio::test]
async fn neither_a_rotation_nor_a_new_look_up_gives_a_key_its_share_back() {
    let app = App::new();
    let (id, key) = app.key().await;
    let keys = limited(&app, RateLimit::per_minute(1).unwrap());
    assert!(passes(&keys, &key).await);
    keys.forget_all();
    assert!(!passes(&keys, &key).await);
    let rotated = app
        .service
        .rotate(&alice(), &id, portcullis_apikey::Rotation::default())
        .await
        .unwrap();
    let (_, new) = in_clear(rotated);
    assert_eq!(refusal(&keys, &with_key(&new)).await.0, AuthErrorKind::Throttled);
}

#[tokio::test]
async fn when_there_is_no_room_for_another_key_it_waits_until_one_has_its_full_share_again() {
    let app = App::new();
    let (_, first) = app.key().await;
    let (_, second) = app.key().await;
    let keys = limited(
        &app,
        RateLimit::per_minute(60).unwrap().burst(1).unwrap().capacity(1),
    );
    assert!(passes(&keys, &first).await);
    assert_eq!(
        refusal(&keys, &with_key(&second)).await.0,
        AuthErrorKind::Throttled
    );
    app.clock.advance(Duration::from_secs(3));
    assert!(passes(&keys, &second).await);
}

#[test]
fn a_limit_allows_something() {
    assert!(RateLimit::per_minute(0).is_err() && RateLimit::per_second(0).is_err());
    assert!(RateLimit::per_second(1).unwrap().burst(0).is_err());
}

/// Otherwise whoever fills the table keeps everybody out, who have a share left.
#[tokio::test]
async fn a_key_that_is_counted_goes_on_while_there_is_no_room_for_others() {
    let app = App::new();
    let (_, first) = app.key().await;
    let (_, second) = app.key().await;
    let keys = limited(&app, RateLimit::per_minute(60).unwrap().capacity(1));
    assert!(passes(&keys, &first).await);
    assert!(!passes(&keys, &second).await);
    assert!(passes(&keys, &first).await);
}

#[tokio::test]
async fn the_largest_numbers_are_a_limit_too() {
    let app = App::new();
    let (_, key) = app.key().await;
    for limit in [
        RateLimit::per_second(u32::MAX),
        RateLimit::per_minute(u32::MAX),
        RateLimit::per_minute(1).unwrap().burst(u32::MAX),
    ] {
        // Refused, or as it says.
        let Ok(limit) = limit else { continue };
        let keys = limited(&app, limit);
        for _ in 0..10 {
            assert!(passes(&keys, &key).await, "{limit:?}");
        }
    }
}
