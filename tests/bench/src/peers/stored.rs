//! Crates and code for sessions and API keys that ours are compared with.

use axum::Router;
use axum::body::Body;
use http::header::COOKIE;
use http::{HeaderName, StatusCode};

use super::{axum_login, key_by_hand, tower_sessions};
use crate::bare::request_with;
use crate::stored::{API_KEY, KEY_FIELD, SAMPLE_KEY, SESSION};
use crate::{Case, InProcess, Subject};

const CASES: [(&str, &str, &str); 7] = [
    (SESSION, "tower-sessions", "read"),
    (SESSION, "tower-sessions", "unread"),
    (SESSION, "tower-sessions", "absent"),
    (SESSION, "axum-login", "caller"),
    (SESSION, "axum-login", "refused"),
    (API_KEY, "by-hand", "cached"),
    (API_KEY, "by-hand", "refused"),
];

pub(crate) fn cases() -> impl Iterator<Item = Case> {
    CASES
        .into_iter()
        .map(|(group, who, what)| Case { group, who, what })
}

/// Each peer as its documentation sets it up: within the router, where it cannot stand around it.
pub(crate) fn subject(case: Case) -> Box<dyn Subject> {
    let (router, field) = app(case);
    let status = match case.what {
        "refused" => StatusCode::UNAUTHORIZED,
        _ => StatusCode::OK,
    };
    let sent = (!["absent", "refused"].contains(&case.what)).then_some(field);
    Box::new(InProcess::new(router, status, move || {
        request_with::<Body>(sent.as_ref().map(|(name, value)| (name.clone(), value.as_str())))
    }))
}

/// The router, and the field with credentials that are good there.
fn app(case: Case) -> (Router, (HeaderName, String)) {
    match (case.group, case.who) {
        (SESSION, "tower-sessions") => {
            let (router, cookie) = tower_sessions::app(case.what);
            (router, (COOKIE, cookie))
        }
        (SESSION, "axum-login") => {
            let (router, cookie) = axum_login::app();
            (router, (COOKIE, cookie))
        }
        (API_KEY, "by-hand") => (key_by_hand::app(), (KEY_FIELD, SAMPLE_KEY.to_owned())),
        _ => panic!("nothing is called {}", case.name()),
    }
}
