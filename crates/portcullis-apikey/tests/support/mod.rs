//! What the tests share: a store that counts, fails and lets others in between, and an application's keys.

#![allow(dead_code)] // Each test file uses its part.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::Request;
use http::request::Parts;
use portcullis_apikey::{
    ApiKeyFormat, ApiKeyService, ApiKeyServiceBuilder, ApiKeys, Expiry, IssuedKey, KeyId, NewKey,
};
use portcullis_core::{
    AuthError, AuthErrorKind, AuthenticateRequest, Authentication, Examination, Principal, Scopes, Timestamp,
    examine,
};
use portcullis_store::{
    Kind, MemoryStore, NewRecord, Owner, Record, RecordKey, RecordStore, Replacement, StoreError,
    StoreErrorKind, Version,
};
use portcullis_test::{ManualClock, caller};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);
pub(crate) const NANO: Duration = Duration::from_nanos(1);

/// When others are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    AfterLoad,
    BeforeReplace,
}

type Interlude = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A store in memory that counts calls, fails on demand, and runs what others do in the middle of a call.
#[derive(Clone)]
pub(crate) struct Spy(Arc<Inner>);

struct Inner {
    store: MemoryStore,
    calls: AtomicUsize,
    replaced: AtomicUsize,
    down: AtomicBool,
    interludes: Mutex<VecDeque<(When, Interlude)>>,
}

impl Spy {
    pub(crate) fn new(clock: &ManualClock) -> Self {
        Self(Arc::new(Inner {
            store: MemoryStore::builder().clock(clock.clone()).build(),
            calls: AtomicUsize::new(0),
            replaced: AtomicUsize::new(0),
            down: AtomicBool::new(false),
            interludes: Mutex::default(),
        }))
    }

    pub(crate) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn replaced(&self) -> usize {
        self.0.replaced.load(Ordering::SeqCst)
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }

    /// Runs `interlude` in the next call of that kind.
    pub(crate) fn interrupt(&self, when: When, interlude: impl Future<Output = ()> + Send + 'static) {
        self.0
            .interludes
            .lock()
            .unwrap()
            .push_back((when, Box::pin(interlude)));
    }

    pub(crate) fn has_pending_interludes(&self) -> bool {
        !self.0.interludes.lock().unwrap().is_empty()
    }

    async fn interlude(&self, now: When) {
        let next = {
            let mut interludes = self.0.interludes.lock().unwrap();
            let due = interludes.front().is_some_and(|(when, _)| *when == now);
            due.then(|| interludes.pop_front()).flatten()
        };
        if let Some((_, interlude)) = next {
            interlude.await;
        }
    }

    fn call(&self) -> Result<&MemoryStore, StoreError> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        if self.0.down.load(Ordering::SeqCst) {
            return Err(StoreErrorKind::Unavailable.into());
        }
        Ok(&self.0.store)
    }
}

impl fmt::Debug for Spy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spy")
    }
}

#[async_trait]
impl RecordStore for Spy {
    async fn create(&self, record: NewRecord) -> Result<Version, StoreError> {
        self.call()?.create(record).await
    }

    async fn load(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let found = self.call()?.load(key).await;
        self.interlude(When::AfterLoad).await;
        found
    }

    async fn replace(
        &self,
        key: &RecordKey,
        expected: Version,
        with: Replacement,
    ) -> Result<Version, StoreError> {
        self.interlude(When::BeforeReplace).await;
        let replaced = self.call()?.replace(key, expected, with).await;
        self.0
            .replaced
            .fetch_add(usize::from(replaced.is_ok()), Ordering::SeqCst);
        replaced
    }

    async fn touch(&self, key: &RecordKey, expires_at: Timestamp) -> Result<Timestamp, StoreError> {
        self.call()?.touch(key, expires_at).await
    }

    async fn take(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        self.call()?.take(key).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<bool, StoreError> {
        self.call()?.delete(key).await
    }

    async fn list_owned_by(&self, kind: Kind, owner: &Owner) -> Result<Vec<Record>, StoreError> {
        self.call()?.list_owned_by(kind, owner).await
    }

    async fn delete_owned_by(&self, kind: Kind, owner: &Owner) -> Result<u64, StoreError> {
        self.call()?.delete_owned_by(kind, owner).await
    }

    async fn revoke_before(&self, kind: Kind, owner: &Owner, instant: Timestamp) -> Result<u64, StoreError> {
        self.call()?.revoke_before(kind, owner, instant).await
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        self.call()?.sweep().await
    }
}

/// An application: a clock, a store, a service.
pub(crate) struct App {
    pub(crate) clock: ManualClock,
    pub(crate) store: Spy,
    pub(crate) service: ApiKeyService,
}

impl App {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(configure: impl FnOnce(ApiKeyServiceBuilder) -> ApiKeyServiceBuilder) -> Self {
        let clock = ManualClock::default();
        let store = Spy::new(&clock);
        let builder = ApiKeyService::builder(format(), store.clone()).clock(clock.clone());
        let service = configure(builder).build().unwrap();
        Self {
            clock,
            store,
            service,
        }
    }

    /// A method that asks nobody about owners.
    pub(crate) fn keys(&self) -> ApiKeys {
        self.service.method().dangerous_without_owners().build().unwrap()
    }

    /// A key of alice, in clear, with `a` and `b`.
    pub(crate) async fn key(&self) -> (KeyId, String) {
        self.issue(new_key()).await
    }

    pub(crate) async fn issue(&self, new: NewKey) -> (KeyId, String) {
        in_clear(self.service.issue(&alice(), new).await.unwrap())
    }
}

pub(crate) fn format() -> ApiKeyFormat {
    ApiKeyFormat::environments([("live", "sk_live"), ("test", "sk_test")]).unwrap()
}

pub(crate) fn scopes(list: &str) -> Scopes {
    Scopes::parse(list).unwrap()
}

pub(crate) fn new_key() -> NewKey {
    NewKey::new("deploy", scopes("a b"), Expiry::in_days(90))
}

pub(crate) fn in_clear(issued: IssuedKey) -> (KeyId, String) {
    let (key, secret) = issued.into_parts();
    (key.id(), secret.reveal().expose().clone())
}

/// Alice, signed in.
pub(crate) fn alice() -> Authentication<Principal> {
    person("alice")
}

pub(crate) fn person(name: &str) -> Authentication<Principal> {
    caller(name).scope("a").scope("b").scope("c").authentication()
}

/// The same id and prefix with another secret, and a checksum that fits: what an attacker who knows ids can make.
pub(crate) fn with_another_secret(key: &str) -> String {
    let (head, _) = key.split_at(24);
    let body = format!("{head}{}", "z".repeat(32));
    format!("{body}{}", checksum(&body))
}

/// CRC-32 in six base62 digits, written down once more.
pub(crate) fn checksum(text: &str) -> String {
    let mut state = u32::MAX;
    for byte in text.bytes() {
        state ^= u32::from(byte);
        for _ in 0..8 {
            state = if state & 1 == 1 {
                (state >> 1) ^ 0xedb8_8320
            } else {
                state >> 1
            };
        }
    }
    let mut rest = !state;
    let mut digits = Vec::new();
    for _ in 0..6 {
        digits.push(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[(rest % 62) as usize]);
        rest /= 62;
    }
    digits.reverse();
    String::from_utf8(digits).unwrap()
}

/// A request with these header fields.
pub(crate) fn request(fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::get("/documents");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

/// A request with a key in `x-api-key`.
pub(crate) fn with_key(key: &str) -> Parts {
    request(&[("x-api-key", key)])
}

/// What a layer in mode `required` comes to.
pub(crate) async fn decide<A: AuthenticateRequest>(
    method: &A,
    parts: &Parts,
) -> Result<Authentication<A::Principal>, AuthError> {
    match examine(method, parts) {
        Examination::Anonymous => Err(AuthError::missing_credentials()),
        Examination::Refused(error) => Err(error),
        Examination::Present(_) => {
            let found = method.authenticate_request(parts).await?;
            found.ok_or_else(AuthError::missing_credentials)
        }
    }
}

/// Why a request is refused.
pub(crate) async fn refusal<A: AuthenticateRequest>(
    method: &A,
    parts: &Parts,
) -> (AuthErrorKind, &'static str) {
    match decide(method, parts).await {
        Ok(_) => panic!("the request was let in"),
        Err(error) => (error.kind(), error.reason()),
    }
}

pub(crate) async fn passes<A: AuthenticateRequest>(method: &A, key: &str) -> bool {
    decide(method, &with_key(key)).await.is_ok()
}

pub(crate) const INVALID: AuthErrorKind = AuthErrorKind::InvalidCredentials;

pub(crate) fn new_key_until(expiry: Expiry) -> NewKey {
    NewKey::new("deploy", scopes("a b"), expiry)
}
