//! An application with sessions, a browser in front of it, and a store that does as it is told.
#![allow(dead_code)] // Each test file uses its part.

mod script;

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::header::{COOKIE, SET_COOKIE};
use http::{Request, Response};
use portcullis_core::{AuthError, Principal};
use portcullis_session::{Session, SessionLayer, Sessions, SessionsBuilder, SignIn};
use portcullis_store::MemoryStore;
use portcullis_test::ManualClock;
use tower::{ServiceBuilder, ServiceExt, service_fn};

pub(crate) use self::script::Script;

pub(crate) const START: u64 = 1_700_000_000;

/// Sessions on a clock and a store of the test's own.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) clock: ManualClock,
    pub(crate) store: Script,
    pub(crate) sessions: Sessions,
    pub(crate) layer: SessionLayer,
}

pub(crate) fn house() -> House {
    house_with(|builder| builder)
}

pub(crate) fn house_with(settings: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> House {
    let clock = ManualClock::at(START);
    let store = Script::new(MemoryStore::builder().clock(clock.clone()).build());
    let builder = Sessions::builder(store.clone()).clock(clock.clone());
    let sessions = settings(builder).build().expect("settings");
    let layer = sessions.layer();
    House {
        clock,
        store,
        sessions,
        layer,
    }
}

pub(crate) fn who(name: &str) -> Principal {
    Principal::new("https://app.test", name)
}

pub(crate) fn sign_in_of(name: &str) -> SignIn {
    SignIn::assertion(who(name), "pwd")
}

pub(crate) fn get(cookies: &[&str]) -> Request<()> {
    let mut request = Request::new(());
    for line in cookies {
        request
            .headers_mut()
            .append(COOKIE, line.parse().expect("a value"));
    }
    request
}

impl House {
    /// Sends a request to a handler.
    pub(crate) async fn ask<F, T>(&self, request: Request<()>, handler: F) -> Response<Bytes>
    where
        F: Fn(Session) -> T + Clone,
        T: Future<Output = Result<(), AuthError>>,
    {
        let handler = service_fn(move |request: Request<()>| {
            let (session, handler) = (Session::of(request.extensions()), handler.clone());
            async move {
                let answer = match session {
                    Ok(session) => handler(session).await,
                    Err(error) => Err(error),
                };
                Ok::<_, Infallible>(match answer {
                    Ok(()) => Response::new(Bytes::from("done")),
                    Err(error) => portcullis_tower::response::refuse(error),
                })
            }
        });
        let app = ServiceBuilder::new().layer(self.layer.clone()).service(handler);
        app.oneshot(request).await.expect("infallible")
    }

    /// Signs somebody in, and hands out the cookie.
    pub(crate) async fn sign_in(&self, who: SignIn) -> String {
        let answer = self
            .ask(get(&[]), move |session| {
                let who = who.clone();
                async move { Ok(session.sign_in(who).await?) }
            })
            .await;
        assert_eq!(answer.status(), 200);
        set_cookie(&answer).expect("a cookie")
    }

    /// Who the cookie is, to a handler.
    pub(crate) async fn name_of(&self, cookie: &str) -> Option<String> {
        let found = std::sync::Arc::new(std::sync::Mutex::new(None));
        let answer = self
            .ask(get(&[cookie]), |session| {
                let found = std::sync::Arc::clone(&found);
                async move {
                    let name = session.principal().await?.map(|who| who.subject().to_owned());
                    *found.lock().expect("sound") = name;
                    Ok(())
                }
            })
            .await;
        assert_eq!(answer.status(), 200);
        found.lock().expect("sound").take()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// The pair that a browser would send from now on; none when the answer sets nothing that lasts.
pub(crate) fn set_cookie(answer: &Response<Bytes>) -> Option<String> {
    let field = set_cookie_field(answer)?;
    let pair = field.split(';').next().expect("a pair");
    (!pair.ends_with('=')).then(|| pair.to_owned())
}

pub(crate) fn set_cookie_field(answer: &Response<Bytes>) -> Option<String> {
    let mut fields = answer.headers().get_all(SET_COOKIE).iter();
    let field = fields.next()?.to_str().expect("ascii").to_owned();
    assert!(fields.next().is_none(), "CK2: one cookie of a name");
    Some(field)
}

pub(crate) const DELETED: &str = "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0; \
                                  Expires=Thu, 01 Jan 1970 00:00:00 GMT";

pub(crate) fn is_deleted(answer: &Response<Bytes>) -> bool {
    set_cookie_field(answer).as_deref() == Some(DELETED)
}
