//! The same router behind our sessions.

use std::hint::black_box;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http::header::{COOKIE, SET_COOKIE};
use http::{Request, StatusCode};
use portcullis_axum::{AuthRejection, Authenticated, Session};
use portcullis_core::Principal;
use portcullis_session::{Sessions, SignIn};
use portcullis_store::Kind;
use portcullis_tower::AuthenticateLayer;
use tower::{Layer, ServiceExt};

use super::filled::filled;
use super::{HASHED_ID, USER_ID, USER_NAME, at_once, number};
use crate::bare::{PATH, answer, request_with};
use crate::{ISSUER, InProcess, Subject};

/// Under which the store keeps sessions.
const KIND: Kind = Kind::new("session");
const NAME: &str = "name";

pub(super) const OURS: [&str; 10] = [
    "read",
    "caller",
    "alone",
    "unread",
    "absent",
    "refused",
    "stored-1000",
    "stored-10000",
    "stored-100000",
    "stored-1000000",
];

async fn read(session: Session) -> Result<&'static str, AuthRejection> {
    let name = session.get::<String>(NAME).await?;
    assert!(black_box(name).is_some(), "the session has a name");
    Ok("documents")
}

async fn caller(caller: Authenticated) -> &'static str {
    black_box(caller.principal());
    answer().await
}

async fn sign_in(session: Session) -> Result<StatusCode, AuthRejection> {
    let alice = SignIn::assertion(Principal::new(ISSUER, USER_ID), "pwd");
    session.sign_in(alice).await?;
    session.insert(NAME, USER_NAME).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The cookie of a new session.
fn signed_in(sessions: &Sessions) -> String {
    let router = Router::new().route("/login", post(sign_in));
    let request = Request::post("/login").body(Body::empty()).expect("a request");
    let answer = at_once(sessions.layer().layer(router).oneshot(request));
    let answer = answer.unwrap_or_else(|never| match never {});
    let cookie = answer.headers().get(SET_COOKIE).expect("a cookie");
    let (cookie, _) = cookie
        .to_str()
        .expect("text")
        .split_once(';')
        .expect("attributes");
    cookie.to_owned()
}

/// The layers around the finished router. `what` is what differs from "a value is read".
pub(super) fn subject(what: &'static str) -> Box<dyn Subject> {
    let store = filled(KIND, number(what, "stored-"), HASHED_ID);
    let sessions = Sessions::builder(store).build().expect("sessions");
    let cookie = signed_in(&sessions);
    let sent = (!["absent", "refused"].contains(&what)).then_some(cookie);
    let request = move || request_with::<Body>(sent.as_deref().map(|value| (COOKIE, value)));
    let required = AuthenticateLayer::required(sessions.method());
    let handler = match what {
        "caller" | "alone" | "refused" => get(caller),
        "unread" | "absent" => get(answer),
        _ => get(read),
    };
    let router = Router::new().route(PATH, handler);
    let around = sessions.layer();
    match what {
        "caller" => Box::new(InProcess::new(
            around.layer(required.layer(router)),
            StatusCode::OK,
            request,
        )),
        "alone" => Box::new(InProcess::new(required.layer(router), StatusCode::OK, request)),
        "refused" => Box::new(InProcess::new(
            around.layer(required.layer(router)),
            StatusCode::UNAUTHORIZED,
            request,
        )),
        _ => Box::new(InProcess::new(around.layer(router), StatusCode::OK, request)),
    }
}
