//! What many applications write themselves: a middleware function that finds the key, in clear, in a map.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;

use crate::bare::PATH;
use crate::{KEY_FIELD, SAMPLE_KEY, USER_ID, USER_NAME};

/// Who calls, as the map has it.
struct Owner {
    id: String,
    name: String,
    scopes: Vec<String>,
}

type Keys = Arc<HashMap<String, Arc<Owner>>>;

async fn authenticate(
    State(keys): State<Keys>,
    mut request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let sent = request
        .headers()
        .get(KEY_FIELD)
        .and_then(|value| value.to_str().ok());
    let owner = sent.and_then(|key| keys.get(key)).map(Arc::clone);
    request
        .extensions_mut()
        .insert(owner.ok_or(StatusCode::UNAUTHORIZED)?);
    Ok(next.run(request).await)
}

async fn documents(Extension(owner): Extension<Arc<Owner>>) -> &'static str {
    black_box((&owner.id, &owner.name, &owner.scopes));
    "documents"
}

pub(super) fn app() -> Router {
    let owner = Owner {
        id: USER_ID.to_owned(),
        name: USER_NAME.to_owned(),
        scopes: vec!["documents:read".to_owned()],
    };
    let keys: Keys = Arc::new(HashMap::from([(SAMPLE_KEY.to_owned(), Arc::new(owner))]));
    Router::new()
        .route(PATH, get(documents))
        .layer(from_fn_with_state(keys, authenticate))
}
