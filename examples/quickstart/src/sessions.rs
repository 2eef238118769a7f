//! Signing in and out, and the list of one's own sessions.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, Extension, Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use portcullis::session::{SessionHandle, SignIn};
use portcullis::{AuthError, AuthRejection, AuthenticateRequest, Principal, Secret, Session};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, Caller, Refusal};

#[derive(Deserialize)]
pub(crate) struct SignInForm {
    username: String,
    password: String,
}

/// Where the request came from, when the server knows: for the list of sessions.
type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// Unknown names cost what known ones do. Taking the session is what refuses a form that another site sends.
pub(crate) async fn login(
    State(app): State<App>,
    session: Session,
    peer: Peer,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Result<StatusCode, AuthRejection> {
    let password = Secret::new(form.password);
    let Some(account) = app.passwords.verify(&form.username, password).await? else {
        let refused = AuthError::invalid_credentials("wrong_password");
        return Err(refused.or_challenges(app.sessions.method().challenges()).into());
    };
    let mut evidence = SignIn::assertion(account.principal(), "pwd")
        .scopes(account.scopes())
        .roles(account.roles())
        .device_of(&headers);
    if let Some(Extension(ConnectInfo(peer))) = peer {
        evidence = evidence.address(&peer.ip().to_string());
    }
    session.sign_in(evidence).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who has no session is signed out.
pub(crate) async fn logout(session: Session) -> Result<StatusCode, AuthRejection> {
    session.sign_out().await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    session: Session,
) -> Result<Json<Vec<Value>>, AuthRejection> {
    let current = session.handle().await?;
    let sessions = app.sessions.list(account(&caller)).await?;
    let told = sessions.iter().map(|one| {
        json!({
            "id": one.handle().to_string(),
            "current": Some(one.handle()) == current,
            "device": one.device(),
            "address": one.address(),
            "started_at": one.started_at().as_unix_seconds(),
            "last_seen": one.last_seen().as_unix_seconds(),
        })
    });
    Ok(Json(told.collect()))
}

/// Somebody else's session is not found, as if there were none.
pub(crate) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let handle: SessionHandle = id.parse().map_err(|_| Refusal::NotFound)?;
    match app.sessions.revoke(account(&caller), handle).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Refusal::NotFound),
    }
}

/// All but the one that asks.
pub(crate) async fn revoke_others(
    State(app): State<App>,
    caller: Caller,
    session: Session,
) -> Result<StatusCode, Refusal> {
    let current = session.handle().await?.ok_or(Refusal::NotFound)?;
    app.sessions.revoke_others(account(&caller), current).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn account(caller: &Caller) -> &Principal {
    &caller.principal().principal
}
