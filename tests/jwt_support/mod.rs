//! One issuer, its verifier, and what a token that was changed in one place is answered.

#![allow(dead_code)] // Each of the tests about tokens needs a part of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_jwt::{
    Algorithm, JwksLimits, JwtError, KeySet, Keys, KeysUnavailable, Refresh, RefreshReason, StaticKeySet,
    TrustedIssuer, VerifiedToken, Verifier, VerifierBuilder, VerifyingKey,
};
use portcullis_test::{ManualClock, SigningKey, TestIssuer, TokenBuilder};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const NOW: u64 = 1_800_000_000;

/// Every algorithm that works with published keys.
pub(crate) const ASYMMETRIC: [Algorithm; 11] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::EdDsa,
    Algorithm::Ed25519,
];

pub(crate) const SYMMETRIC: [Algorithm; 3] = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512];

/// An issuer at [`NOW`] whose tokens are signed with `key`.
pub(crate) fn issuer_of(key: &SigningKey) -> TestIssuer {
    TestIssuer::new(ISSUER).clock(ManualClock::at(NOW)).with_key(key)
}

/// An issuer at [`NOW`] with an ES256 key.
pub(crate) fn issuer() -> TestIssuer {
    issuer_of(&SigningKey::es256("key-1"))
}

/// The keys that `issuer` publishes.
pub(crate) fn published(issuer: &TestIssuer) -> StaticKeySet {
    StaticKeySet::from_jwks(issuer.jwks().as_bytes()).expect("the issuer publishes a usable key")
}

/// A key set of these JWKs.
pub(crate) fn set_of(jwks: impl IntoIterator<Item = Value>) -> StaticKeySet {
    let document = json!({"keys": jwks.into_iter().collect::<Vec<_>>()}).to_string();
    StaticKeySet::from_jwks(document.as_bytes()).expect("one of them is usable")
}

/// A verifier at [`NOW`] for the audience of the kit's tokens; nothing else is configured.
pub(crate) fn builder() -> VerifierBuilder {
    Verifier::builder()
        .audience(TokenBuilder::AUDIENCE)
        .clock(ManualClock::at(NOW))
}

/// Trusts `issuer` with its published keys and every asymmetric algorithm.
pub(crate) fn trusted(issuer: &TestIssuer) -> TrustedIssuer {
    TrustedIssuer::new(issuer.url(), published(issuer)).algorithms(ASYMMETRIC)
}

/// A verifier of `issuer` with nothing else changed.
pub(crate) fn verifier(issuer: &TestIssuer) -> Verifier {
    built(builder().issuer(trusted(issuer)))
}

pub(crate) fn built(builder: VerifierBuilder) -> Verifier {
    builder.build().expect("the configuration makes sense")
}

/// Accepts, and hands out what was verified.
#[track_caller]
pub(crate) fn accepted(verifier: &Verifier, token: &str) -> VerifiedToken {
    match verifier.verify_now(token) {
        Ok(verified) => verified,
        Err(error) => panic!("refused: {error}"),
    }
}

#[track_caller]
pub(crate) fn assert_refused(verifier: &Verifier, token: &str, expected: JwtError, what: &str) {
    assert_eq!(verifier.verify_now(token).err(), Some(expected), "{what}");
}

/// The pair: `valid` passes, and what `breaks` makes of it is refused with `expected`.
#[track_caller]
pub(crate) fn assert_pair(
    verifier: &Verifier,
    valid: &TokenBuilder,
    what: &str,
    breaks: impl FnOnce(TokenBuilder) -> TokenBuilder,
    expected: JwtError,
) {
    let _ = accepted(verifier, &valid.build());
    assert_refused(verifier, &breaks(valid.clone()).build(), expected, what);
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

pub(crate) fn segments(token: &str) -> [&str; 3] {
    let mut segments = token.split('.');
    std::array::from_fn(|_| segments.next().expect("three segments"))
}

pub(crate) fn signature_of(token: &str) -> Vec<u8> {
    decode(segments(token)[2])
}

/// The same token with another signature.
pub(crate) fn with_signature(token: &str, signature: &[u8]) -> String {
    let [header, payload, _] = segments(token);
    format!("{header}.{payload}.{}", encode(signature))
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter(char::is_ascii_hexdigit).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// `a - b` of big-endian numbers of one length.
pub(crate) fn minus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut difference = a.to_vec();
    let mut borrow = 0;
    for (digit, subtrahend) in difference.iter_mut().zip(b).rev() {
        let value = i16::from(*digit) - i16::from(*subtrahend) - borrow;
        borrow = i16::from(value < 0);
        *digit = u8::try_from(value.rem_euclid(256)).unwrap();
    }
    difference
}

/// A key set that counts how it is asked and hands out what it was told to.
#[derive(Clone, Debug)]
pub(crate) struct Spy(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    keys: Mutex<Result<Arc<Keys>, KeysUnavailable>>,
    newer: Mutex<Option<Result<Arc<Keys>, KeysUnavailable>>>,
    swapped_in: Mutex<Option<Arc<Keys>>>,
    current: AtomicUsize,
    reasons: Mutex<Vec<RefreshReason>>,
}

impl Spy {
    pub(crate) fn new(keys: &str) -> Self {
        Self::holding(Ok(read(keys)))
    }

    /// Has no keys at all.
    pub(crate) fn down() -> Self {
        Self::holding(Err(KeysUnavailable::new(Some(Duration::from_secs(7)))))
    }

    fn holding(keys: Result<Arc<Keys>, KeysUnavailable>) -> Self {
        Self(Arc::new(Inner {
            keys: Mutex::new(keys),
            newer: Mutex::new(None),
            swapped_in: Mutex::new(None),
            current: AtomicUsize::new(0),
            reasons: Mutex::new(Vec::new()),
        }))
    }

    /// When it is asked for newer keys it has these already, and there is nothing to wait for.
    pub(crate) fn with_swapped_in(self, keys: &str) -> Self {
        *self.0.swapped_in.lock().expect("lock") = Some(read(keys));
        self
    }

    /// Hands out these keys when it is asked for newer ones.
    pub(crate) fn with_newer(self, keys: &str) -> Self {
        *self.0.newer.lock().expect("lock") = Some(Ok(read(keys)));
        self
    }

    /// Fails when it is asked for newer keys.
    pub(crate) fn with_failing_refresh(self) -> Self {
        *self.0.newer.lock().expect("lock") = Some(Err(KeysUnavailable::new(None)));
        self
    }

    /// How often the keys at hand were asked for.
    pub(crate) fn looked_at(&self) -> usize {
        self.0.current.load(Ordering::SeqCst)
    }

    /// Why newer keys were asked for, each time.
    pub(crate) fn refreshed(&self) -> Vec<RefreshReason> {
        self.0.reasons.lock().expect("lock").clone()
    }
}

fn read(keys: &str) -> Arc<Keys> {
    Arc::new(Keys::from_jwks(keys.as_bytes(), &JwksLimits::new()).expect("a key set"))
}

impl KeySet for Spy {
    fn current(&self) -> Result<Arc<Keys>, KeysUnavailable> {
        self.0.current.fetch_add(1, Ordering::SeqCst);
        self.0.keys.lock().expect("lock").clone()
    }

    fn refresh(&self, reason: RefreshReason) -> Option<Refresh> {
        self.0.reasons.lock().expect("lock").push(reason);
        if let Some(keys) = self.0.swapped_in.lock().expect("lock").take() {
            *self.0.keys.lock().expect("lock") = Ok(keys);
        }
        let newer = self.0.newer.lock().expect("lock").clone()?;
        Some(Box::pin(std::future::ready(newer)))
    }
}

/// Drives a future that waits for nothing outside.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits for something"),
    }
}

/// A verifier with one local key.
pub(crate) fn of(key: VerifyingKey) -> Verifier {
    let algorithms = if key.algorithms().all(Algorithm::is_symmetric) {
        &SYMMETRIC[..]
    } else {
        &ASYMMETRIC
    };
    let keys = StaticKeySet::new([key]).unwrap();
    let trusted = TrustedIssuer::new(ISSUER, keys).algorithms(algorithms.iter().copied());
    built(builder().issuer(trusted))
}
