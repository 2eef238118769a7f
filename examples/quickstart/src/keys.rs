//! One's own API keys.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use portcullis::apikey::{ApiKey, Expiry, IssuedKey, KeyId, KeysError, NewKey, Rotation};
use portcullis::core::Scopes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, Caller, Refusal};

#[derive(Deserialize)]
pub(crate) struct Wanted {
    name: String,
    scopes: WantedScopes,
    expires_in_days: u32,
}

/// A list, or a text with spaces as OAuth has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum WantedScopes {
    List(Vec<String>),
    Text(String),
}

pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Vec<Value>>, Refusal> {
    let keys = app.keys.list(&caller).await?;
    Ok(Json(keys.iter().map(describe).collect()))
}

pub(crate) async fn issue(
    State(app): State<App>,
    caller: Caller,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Refusal> {
    let scopes = match wanted.scopes {
        WantedScopes::List(scopes) => scopes.join(" "),
        WantedScopes::Text(scopes) => scopes,
    };
    let scopes = Scopes::parse(&scopes).map_err(|error| Refusal::Invalid(error.to_string()))?;
    let key = NewKey::new(&wanted.name, scopes, Expiry::in_days(wanted.expires_in_days));
    let issued = app.keys.issue(&caller, key).await?;
    Ok(shown_once(StatusCode::CREATED, issued))
}

/// The old key goes on for a day.
pub(crate) async fn rotate(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let issued = app
        .keys
        .rotate(&caller, &parse(&id)?, Rotation::default())
        .await?;
    Ok(shown_once(StatusCode::OK, issued))
}

pub(crate) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    app.keys.revoke(&caller, &parse(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse(id: &str) -> Result<KeyId, Refusal> {
    id.parse().map_err(|_| Refusal::NotFound)
}

/// The only answer that has the key itself.
fn shown_once(status: StatusCode, issued: IssuedKey) -> Response {
    let (key, secret) = issued.into_parts();
    let mut told = describe(&key);
    if let Some(members) = told.as_object_mut() {
        members.insert("key".to_owned(), secret.reveal().expose().as_str().into());
    }
    let never_kept = [(header::CACHE_CONTROL, "no-store")];
    (status, never_kept, Json(told)).into_response()
}

fn describe(key: &ApiKey) -> Value {
    json!({
        "id": key.id().to_string(),
        "prefix": key.prefix(),
        "last_four": key.last_four(),
        "name": key.name(),
        "scopes": key.scopes().iter().collect::<Vec<_>>(),
        "created_at": key.created_at().as_unix_seconds(),
        "expires_at": key.expires_at().map(|end| end.as_unix_seconds()),
        "last_used_at": key.last_used_at().map(|last| last.as_unix_seconds()),
        "old_key_ends_at": key.rotation_ends_at().map(|end| end.as_unix_seconds()),
    })
}

impl From<KeysError> for Refusal {
    fn from(error: KeysError) -> Self {
        match (error.auth_error(), error) {
            (Some(refused), _) => refused.into(),
            (None, KeysError::NotFound) => Self::NotFound,
            (None, KeysError::Invalid(invalid)) => Self::Invalid(invalid.to_string()),
            (None, conflict) => Self::Conflict(conflict.to_string()),
        }
    }
}
