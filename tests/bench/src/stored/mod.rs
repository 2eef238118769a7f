//! Requests with what is kept on the server: the cookie of a session, an API key.

mod api_key;
mod filled;
mod session;
mod uncounted;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use http::header::COOKIE;
use http::{HeaderName, StatusCode};

use crate::bare::{request_with, router};
use crate::sha256::Sha256;
use crate::{Case, InProcess, Subject};

pub(crate) const SESSION: &str = "session";
pub(crate) const API_KEY: &str = "api-key";

pub(crate) const USER_ID: &str = "6f9a3c1e-5b0d-4c57-9d2e-0a1b2c3d4e5f";
pub(crate) const USER_NAME: &str = "Alice Liddell";
pub(crate) const KEY_FIELD: HeaderName = HeaderName::from_static("x-api-key");

/// As long as every session's id, and good nowhere.
const SAMPLE_COOKIE: &str = "__Host-session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// As long as every key of ours.
pub(crate) const SAMPLE_KEY: &str = "sk_live_0123456789abcdefABCDEFGHIJKLMNOPQRSTUVWXYZ012345Sample";

/// The bytes that a request makes us hash: those of an id, and a key's text.
const HASHED_ID: usize = 32;

/// Everything that is measured.
pub(crate) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for group in [SESSION, API_KEY] {
        for who in ["bare", "sha256"] {
            all.push(Case { group, who, what: "" });
        }
        let ours = if group == SESSION {
            &session::OURS[..]
        } else {
            &api_key::OURS
        };
        all.extend(ours.iter().map(|what| Case {
            group,
            who: "ours",
            what,
        }));
    }
    #[cfg(feature = "peers")]
    all.extend(crate::peers::stored::cases());
    all
}

/// Builds and warms up what a case stands for.
pub(crate) fn subject(case: Case) -> Box<dyn Subject> {
    match (case.group, case.who) {
        (SESSION, "bare") => bare(COOKIE, SAMPLE_COOKIE),
        (API_KEY, "bare") => bare(KEY_FIELD, SAMPLE_KEY),
        (SESSION, "sha256") => Box::new(Sha256::new(HASHED_ID)),
        (API_KEY, "sha256") => Box::new(Sha256::new(SAMPLE_KEY.len())),
        (SESSION, "ours") => session::subject(case.what),
        (API_KEY, "ours") => api_key::subject(case.what),
        #[cfg(feature = "peers")]
        _ => crate::peers::stored::subject(case),
        #[cfg(not(feature = "peers"))]
        _ => panic!("nothing is called {}", case.name()),
    }
}

fn bare(name: HeaderName, value: &'static str) -> Box<dyn Subject> {
    Box::new(InProcess::new(router(), StatusCode::OK, move || {
        request_with::<Body>(Some((name.clone(), value)))
    }))
}

/// The number behind a word, or none.
fn number(what: &str, word: &str) -> usize {
    what.strip_prefix(word)
        .map_or(0, |count| count.parse().expect("a number"))
}

/// What a store in memory answers, without waiting.
fn at_once<T>(answer: impl Future<Output = T>) -> T {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("memory never waits"),
    }
}
