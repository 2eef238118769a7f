//! axum-login on tower-sessions: `login_required!`, and the user for the handler. As in its example,
//! what ends sessions is another password, so the session holds its hash.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, UserId, login_required};
use http::header::SET_COOKIE;
use http::{Request, StatusCode};
use tower::ServiceExt;
use tower_sessions014::{MemoryStore, SessionManagerLayer};

use super::start;
use crate::bare::PATH;
use crate::{USER_ID, USER_NAME};

const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$VE0e3g7DalWHgDwou3nuRA$uC6TER156UQpk0lNQ5+jHM0l5poVjPA1he/Tyn9J4Zw";

#[derive(Clone, Debug)]
struct User {
    id: String,
    name: String,
    password_hash: String,
}

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.password_hash.as_bytes()
    }
}

/// The users in memory, shared by all clones.
#[derive(Clone)]
struct Users(Arc<HashMap<String, User>>);

impl AuthnBackend for Users {
    type User = User;
    type Credentials = String;
    type Error = Infallible;

    async fn authenticate(&self, id: String) -> Result<Option<User>, Infallible> {
        Ok(self.0.get(&id).cloned())
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, Infallible> {
        Ok(self.0.get(id).cloned())
    }
}

async fn documents(session: AuthSession<Users>) -> Result<&'static str, StatusCode> {
    let user = session.user.ok_or(StatusCode::UNAUTHORIZED)?;
    black_box(&user.name);
    Ok("documents")
}

async fn sign_in(mut session: AuthSession<Users>) -> StatusCode {
    match session.authenticate(USER_ID.to_owned()).await {
        Ok(Some(user)) if session.login(&user).await.is_ok() => StatusCode::NO_CONTENT,
        _ => StatusCode::UNAUTHORIZED,
    }
}

/// The router, and the cookie of a session that it knows.
pub(super) fn app() -> (Router, String) {
    let user = User {
        id: USER_ID.to_owned(),
        name: USER_NAME.to_owned(),
        password_hash: PASSWORD_HASH.to_owned(),
    };
    let users = Users(Arc::new(HashMap::from([(user.id.clone(), user)])));
    let sessions = SessionManagerLayer::new(MemoryStore::default());
    let router = Router::new()
        .route(PATH, get(documents))
        .route_layer(login_required!(Users))
        .route("/login", post(sign_in))
        .layer(AuthManagerLayerBuilder::new(users, sessions).build());
    let request = Request::post("/login").body(Body::empty()).expect("a request");
    let answer = start(router.clone().oneshot(request)).unwrap_or_else(|never| match never {});
    let cookie = answer.headers().get(SET_COOKIE).expect("a cookie");
    let (cookie, _) = cookie
        .to_str()
        .expect("text")
        .split_once(';')
        .expect("attributes");
    (router, cookie.to_owned())
}
