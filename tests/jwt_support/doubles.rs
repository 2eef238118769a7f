//! Keys, clocks and lists that do something in the middle of a decision: interleavings that are forced.

#![allow(dead_code)] // Each of the tests needs a part of it.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use portcullis_core::{Clock, MemoryRevocations, RevocationList, Timestamp, TokenId, Unavailable};
use portcullis_jwt::{
    JwksLimits, KeySet, Keys, KeysUnavailable, Refresh, RefreshReason, TrustedIssuer, VerifiedToken,
    Verifier, VerifierBuilder,
};
use portcullis_test::{ManualClock, SigningKey, TestIssuer};
use serde_json::json;

use super::support::{ASYMMETRIC, ISSUER, NOW, accepted, builder, built};

type Step = Box<dyn FnOnce() + Send>;

/// What happens each time something is asked, in turn; then nothing any more.
#[derive(Clone, Default)]
pub(crate) struct Steps(Arc<Mutex<VecDeque<Step>>>);

impl Steps {
    /// Happens with the next question that nothing was planned for.
    pub(crate) fn then(&self, step: impl FnOnce() + Send + 'static) {
        self.0.lock().unwrap().push_back(Box::new(step));
    }

    pub(crate) fn is_done(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }

    fn take(&self) {
        let step = self.0.lock().unwrap().pop_front();
        if let Some(step) = step {
            step();
        }
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Steps")
    }
}

type Had = Result<Arc<Keys>, KeysUnavailable>;

/// Keys that are set by hand. Steps are taken *after* the keys were read and before they are handed out.
#[derive(Clone, Debug)]
pub(crate) struct HandKeys {
    keys: Arc<Mutex<Had>>,
    delivery: Arc<Mutex<Option<Delivery>>>,
    pub(crate) steps: Steps,
}

#[derive(Debug, Default)]
struct Delivery {
    keys: Option<Had>,
    wakers: Vec<Waker>,
}

impl HandKeys {
    pub(crate) fn new(keys: Had) -> Self {
        Self {
            keys: Arc::new(Mutex::new(keys)),
            delivery: Arc::default(),
            steps: Steps::default(),
        }
    }

    pub(crate) fn set(&self, keys: Had) {
        *self.keys.lock().unwrap() = keys;
    }

    pub(crate) fn unavailable(&self) {
        self.set(Err(KeysUnavailable::new(Some(Duration::from_secs(7)))));
    }

    /// From now on, who asks for newer keys waits until they are delivered.
    pub(crate) fn let_wait(&self) {
        *self.delivery.lock().unwrap() = Some(Delivery::default());
    }

    /// Hands keys to those who wait, without making them the current ones.
    pub(crate) fn deliver(&self, keys: Had) {
        let mut delivery = self.delivery.lock().unwrap();
        let delivery = delivery.as_mut().expect("somebody may wait");
        delivery.keys = Some(keys);
        delivery.wakers.drain(..).for_each(Waker::wake);
    }
}

impl KeySet for HandKeys {
    fn current(&self) -> Had {
        let keys = self.keys.lock().unwrap().clone();
        self.steps.take();
        keys
    }

    fn refresh(&self, _: RefreshReason) -> Option<Refresh> {
        self.delivery.lock().unwrap().as_ref()?;
        let delivery = Arc::clone(&self.delivery);
        Some(Box::pin(std::future::poll_fn(move |cx| {
            let mut delivery = delivery.lock().unwrap();
            let delivery = delivery.as_mut().expect("never taken back");
            match &delivery.keys {
                Some(keys) => Poll::Ready(keys.clone()),
                None => {
                    delivery.wakers.push(cx.waker().clone());
                    Poll::Pending
                }
            }
        })))
    }
}

/// The time, and what happens right after it was read.
#[derive(Clone, Debug)]
pub(crate) struct SteppedClock {
    clock: ManualClock,
    pub(crate) steps: Steps,
}

impl SteppedClock {
    pub(crate) fn new(clock: &ManualClock) -> Self {
        Self {
            clock: clock.clone(),
            steps: Steps::default(),
        }
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        self.steps.take();
        now
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}

/// A list, and what happens right after it was asked. Unavailable when it is told so.
#[derive(Clone, Debug)]
pub(crate) struct SteppedList {
    pub(crate) list: MemoryRevocations,
    pub(crate) steps: Steps,
    down: Arc<Mutex<bool>>,
}

impl SteppedList {
    pub(crate) fn new(clock: &ManualClock) -> Self {
        Self {
            list: MemoryRevocations::builder().clock(clock.clone()).build(),
            steps: Steps::default(),
            down: Arc::default(),
        }
    }

    pub(crate) fn set_down(&self, down: bool) {
        *self.down.lock().unwrap() = down;
    }
}

impl RevocationList for SteppedList {
    fn is_revoked(&self, token: &TokenId<'_>) -> Result<bool, Unavailable> {
        let down = *self.down.lock().unwrap();
        let answer = if down {
            Err(Unavailable::new(Some(Duration::from_secs(9))))
        } else {
            self.list.is_revoked(token)
        };
        self.steps.take();
        answer
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.list.changed()
    }
}

/// An issuer and everything that a verifier of its tokens asks.
pub(crate) struct House {
    pub(crate) issuer: TestIssuer,
    pub(crate) clock: ManualClock,
    pub(crate) keys: HandKeys,
    pub(crate) list: SteppedList,
}

impl House {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::at(NOW);
        let issuer = TestIssuer::new(ISSUER)
            .clock(clock.clone())
            .with_key(&SigningKey::es256("key-1"));
        Self {
            keys: HandKeys::new(Ok(keys_of([&issuer.signing_key()]))),
            list: SteppedList::new(&clock),
            issuer,
            clock,
        }
    }

    pub(crate) fn trusted(&self) -> TrustedIssuer {
        TrustedIssuer::new(self.issuer.url(), self.keys.clone()).algorithms(ASYMMETRIC)
    }

    /// A verifier without a cache.
    pub(crate) fn builder(&self) -> VerifierBuilder {
        builder()
            .issuer(self.trusted())
            .clock(self.clock.clone())
            .revocations(self.list.clone())
    }

    /// The same with a cache.
    pub(crate) fn verifier(&self) -> Verifier {
        built(self.builder().cache_tokens(100))
    }

    /// Keys of its own once more: the same ones, loaded anew.
    pub(crate) fn reload(&self) {
        self.keys.set(Ok(keys_of([&self.issuer.signing_key()])));
    }

    /// Publishes only keys it has never signed with.
    pub(crate) fn withdraw(&self) {
        self.keys.set(Ok(keys_of([&SigningKey::es256("key-2")])));
    }

    pub(crate) fn revoke(&self, verified: &VerifiedToken) {
        let claims = verified.claims();
        let id = claims.token_id().expect("jti");
        self.list
            .list
            .revoke(claims.issuer(), id, claims.expires_at())
            .expect("room");
    }
}

/// The public halves of these keys.
pub(crate) fn keys_of<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> Arc<Keys> {
    let jwks: Vec<_> = keys.into_iter().map(SigningKey::public_jwk).collect();
    let document = json!({ "keys": jwks }).to_string();
    Arc::new(Keys::from_jwks(document.as_bytes(), &JwksLimits::new()).expect("usable"))
}

/// Whether the claims are those of an earlier verification: only a cached token has them.
pub(crate) fn same(one: &VerifiedToken, other: &VerifiedToken) -> bool {
    Arc::ptr_eq(one.claims(), other.claims())
}

/// Accepts a token twice, the second time from the cache.
#[track_caller]
pub(crate) fn cached(verifier: &Verifier, token: &str) -> VerifiedToken {
    let first = accepted(verifier, token);
    assert!(
        same(&first, &accepted(verifier, token)),
        "the token is not cached"
    );
    first
}

/// How many tokens a verifier remembers, as its `Debug` says.
pub(crate) fn entries(verifier: &Verifier) -> usize {
    let text = format!("{verifier:?}");
    let (_, rest) = text.split_once("tokens: ").expect("the verifier has a cache");
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}

/// Polls a future once.
pub(crate) fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}
