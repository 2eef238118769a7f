//! Real threads, with answers that come whenever they like.

#![allow(clippy::expect_used)] // Helpers of tests panic as tests do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use portcullis_fetch::{Fetch, FetchError, FetchErrorKind, Limits};
use portcullis_jwks::RemoteKeySet;
use portcullis_jwt::{
    Algorithm, KeySet, Keys, KeysUnavailable, Refresh, RefreshReason, TrustedIssuer, Verifier,
};
use portcullis_test::{Hold, ManualClock, ScriptedFetch, TestIssuer, TokenBuilder};

use crate::support::{ISSUER, JWKS, Verdict, World, ask, s};

mod support;

/// Counts the exchanges that are under way at once, and fails or panics now and then.
#[derive(Clone, Debug)]
struct Counting {
    inner: ScriptedFetch,
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait::async_trait]
impl Fetch for Counting {
    async fn fetch(&self, request: Request<Bytes>, limits: &Limits) -> Result<Response<Bytes>, FetchError> {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        let _under_way = UnderWay(&self.under_way);
        self.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        match self.inner.arrived() % 4 {
            1 => {
                let _ = self.inner.fetch(request, limits).await;
                Err(FetchError::new(FetchErrorKind::Connect, "the script says so"))
            }
            _ => self.inner.fetch(request, limits).await,
        }
    }
}

/// One request that panics ends the test, instead of leaving the others to run for ever.
struct EndsAll(Arc<AtomicBool>);

impl Drop for EndsAll {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_and_a_clock_that_runs_never_lose_a_known_key() {
    let (clock, issuer) = (ManualClock::default(), TestIssuer::new(ISSUER));
    let fetch = Counting {
        inner: ScriptedFetch::serving(&issuer),
        under_way: Arc::default(),
        most: Arc::default(),
    };
    let keys = RemoteKeySet::at(JWKS)
        .fetch(fetch.clone())
        .clock(clock.clone())
        .total_timeout(s(3_600)) // The clock may jump under an attempt: it is not late for that.
        .build()
        .expect("a sound configuration");
    keys.warm().await.expect("the issuer answers");
    let over = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicUsize::new(0));
    let time = {
        let (keys, over, asked, arrived) = (keys.clone(), over.clone(), asked.clone(), fetch.inner.clone());
        tokio::spawn(async move {
            let mut seen = 0;
            while arrived.arrived() < 100 && !over.load(Ordering::SeqCst) {
                // Slower than the death of a set.
                let now = asked.load(Ordering::SeqCst);
                if now > seen + 8 && !keys.status().fetching {
                    seen = now;
                    clock.advance(s(17));
                }
                tokio::task::yield_now().await;
            }
            over.store(true, Ordering::SeqCst);
        })
    };
    let requests: Vec<_> = (0..8)
        .map(|number| {
            let (keys, over, asked) = (keys.clone(), over.clone(), asked.clone());
            tokio::spawn(async move {
                let _ends_all = EndsAll(Arc::clone(&over));
                while !over.load(Ordering::SeqCst) {
                    let kid = if number % 2 == 0 { "key-1" } else { "evil" };
                    let verdict = ask(&keys, kid).await;
                    assert!(kid == "evil" || verdict == Verdict::Known, "{verdict:?}");
                    assert_ne!((kid, &verdict), ("evil", &Verdict::Known));
                    asked.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    time.await.expect("it does not panic");
    for request in requests {
        request.await.expect("it does not panic");
    }
    assert_eq!(fetch.most.load(Ordering::SeqCst), 1, "one at a time");
}

/// Asks the set only after the fetch that was under way has ended: on another thread, in another runtime.
struct AnswerInBetween {
    keys: RemoteKeySet,
    hold: std::sync::Mutex<Option<Hold>>,
}

impl std::fmt::Debug for AnswerInBetween {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AnswerInBetween")
    }
}

impl KeySet for AnswerInBetween {
    fn current(&self) -> Result<Arc<Keys>, KeysUnavailable> {
        self.keys.current()
    }

    fn refresh(&self, reason: RefreshReason) -> Option<Refresh> {
        drop(self.hold.lock().expect("not poisoned").take());
        while self.keys.status().fetching {
            std::thread::yield_now();
        }
        self.keys.refresh(reason)
    }
}

/// T-JWKS-3: the fetch ends between a verifier's two questions
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_arrives_between_two_questions_is_seen_by_the_verifier() {
    for _ in 0..50 {
        let world = World::warm().await;
        world.clock.advance(s(500));
        world.issuer.rotate_and_retire();
        let hold = world.fetch.hold();
        assert!(world.keys.current().is_ok(), "starts the fetch");
        world.fetch.until_arrived(2).await;
        let keys = AnswerInBetween {
            keys: world.keys.clone(),
            hold: Some(hold).into(),
        };
        let issuer = TrustedIssuer::new(ISSUER, keys)
            .algorithms([Algorithm::Es256])
            .audience(TokenBuilder::AUDIENCE);
        let verifier = Verifier::builder()
            .issuer(issuer)
            .clock(world.clock.clone())
            .build()
            .expect("a sound configuration");
        let token = world.issuer.token().build();
        let runtime = tokio::runtime::Handle::current();
        let request = move || runtime.block_on(verifier.verify(&token));
        let verified = tokio::task::spawn_blocking(request)
            .await
            .expect("it does not panic");
        assert!(verified.is_ok(), "{verified:?}");
        assert_eq!(world.fetch.arrived(), 2);
    }
}

/// Handles come and go on every thread while a fetch is under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_of_many_handles_may_go_on_any_thread() {
    for _ in 0..50 {
        let world = World::cold();
        let hold = world.fetch.hold();
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let keys = world.keys.clone();
                tokio::spawn(async move {
                    let refresh = keys.refresh(RefreshReason::NoKeys);
                    drop(keys);
                    match refresh {
                        Some(refresh) => refresh.await.is_ok(),
                        None => false,
                    }
                })
            })
            .collect();
        let World { keys, fetch, .. } = world;
        fetch.until_arrived(1).await;
        drop(keys);
        for task in tasks {
            assert!(!task.await.expect("it does not panic"), "nobody is left waiting");
        }
        hold.release();
        assert_eq!(fetch.answered(), 0);
    }
}
