//! The contract tells a store that compares and swaps from one that does not.

// Helpers of tests panic as tests do.
#![allow(clippy::expect_used)]

use std::sync::{Arc, Mutex};

use portcullis_core::Secret;
use portcullis_jwks::{Replaced, RingStore, RingStoreError, RingVersion, StoredRing, contract};

/// A store as one writes it in an afternoon: it looks, waits, and writes.
#[derive(Clone, Debug)]
struct Afternoon {
    stored: Arc<Mutex<Option<StoredRing>>>,
    careless: bool,
}

impl Afternoon {
    fn new(careless: bool) -> Self {
        Self {
            stored: Arc::default(),
            careless,
        }
    }

    fn last(&self) -> Option<RingVersion> {
        let stored = self.stored.lock().expect("not poisoned");
        stored.as_ref().map(StoredRing::version)
    }
}

#[async_trait::async_trait]
impl RingStore for Afternoon {
    async fn load(&self) -> Result<Option<StoredRing>, RingStoreError> {
        Ok(self.stored.lock().expect("not poisoned").clone())
    }

    async fn replace(
        &self,
        expected: Option<RingVersion>,
        bytes: Secret<Vec<u8>>,
    ) -> Result<Replaced, RingStoreError> {
        if self.careless {
            if self.last() != expected {
                return Ok(Replaced::Conflict);
            }
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
        let mut stored = self.stored.lock().expect("not poisoned");
        let last = stored.as_ref().map(StoredRing::version);
        if last != expected && !self.careless {
            return Ok(Replaced::Conflict);
        }
        let next = RingVersion::new(last.map_or(1, |last| last.number() + 1));
        *stored = Some(StoredRing::new(next, bytes));
        Ok(Replaced::Done(next))
    }
}

#[tokio::test]
async fn a_store_that_compares_and_swaps_in_one_step_keeps_the_contract() {
    let store = Afternoon::new(false);
    let kept = contract::check(|| store.clone()).await;
    assert!(kept.is_ok(), "{}", kept.expect_err("broken"));
}

/// T-SIGN-2
#[tokio::test]
async fn a_store_that_looks_and_then_writes_breaks_it() {
    let store = Afternoon::new(true);
    let broken = contract::check(|| store.clone())
        .await
        .expect_err("it is careless");
    let rules: Vec<_> = broken.rules().collect();
    assert!(rules.contains(&"of many writers exactly one is done"), "{broken}");
}
