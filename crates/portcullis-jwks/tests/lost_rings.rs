//! A store that lost its ring, or has another one under the old name.

// Helpers of tests panic as tests do.
#![allow(clippy::expect_used)]

mod support;

use portcullis_jwks::SharedKeysError;
use portcullis_test::ManualClock;
use support::ring_store::{HOUR, MemoryStore, open, published, signing};

/// T-SIGN-2
/// A volume that is not mounted, a store that was emptied: whoever knows of a ring makes no second one.
#[tokio::test]
async fn a_store_that_lost_its_ring_gets_no_new_one_from_whoever_knew_it() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let a = open(&store, &clock, "a").await;
    let kept = store.stored();
    store.set_stored(None);
    assert!(matches!(a.maintain().await, Err(SharedKeysError::Store(_))));
    assert!(matches!(a.rotate().await, Err(SharedKeysError::Store(_))));
    assert!(store.stored().is_none(), "nothing was written");
    assert_eq!(signing(&a).as_deref(), Some("a-1"), "the keys at hand go on");
    clock.advance(HOUR);
    assert!(a.maintain().await.is_err());
    assert!(
        portcullis_jwt::SigningKeys::current(&a).is_err(),
        "for half of the notice"
    );
    store.set_stored(kept);
    a.maintain().await.expect("it is back");
    assert_eq!(published(&a), ["a-1"]);
}

/// T-SIGN-2
/// The store was emptied and filled anew, and counts from one again.
#[tokio::test]
async fn another_ring_of_the_same_version_is_not_taken_for_the_old_one() {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let a = open(&store, &clock, "a").await;
    let old = store.stored().expect("a ring").version();
    store.set_stored(None);
    let b = open(&store, &clock, "b").await;
    assert_eq!(store.stored().expect("a ring").version(), old);
    clock.advance(std::time::Duration::from_secs(1));
    a.maintain().await.expect("the store answers");
    assert_eq!((published(&a), signing(&a)), (published(&b), signing(&b)));
    let ring = portcullis_jwt::SigningKeys::current(&a).expect("confirmed");
    a.maintain().await.expect("the store answers");
    let again = portcullis_jwt::SigningKeys::current(&a).expect("confirmed");
    assert!(std::sync::Arc::ptr_eq(&ring, &again), "nothing changed");
}
