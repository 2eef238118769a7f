//! tower-sessions: a layer, its own store in memory, settings as shipped.

use std::hint::black_box;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use super::start;
use crate::bare::{PATH, answer};

const NAME: &str = "name";

async fn read(session: Session) -> Result<&'static str, StatusCode> {
    let name = session.get::<String>(NAME).await;
    let name = name.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    black_box(name).ok_or(StatusCode::UNAUTHORIZED)?;
    Ok("documents")
}

/// The router, and the cookie of a session that it knows.
pub(super) fn app(what: &str) -> (Router, String) {
    let store = MemoryStore::default();
    let session = Session::new(None, Arc::new(store.clone()), None);
    let saved = start(async {
        session.insert(NAME, crate::USER_NAME).await?;
        session.save().await
    });
    saved.expect("a session");
    let id = session.id().expect("an id");
    let handler = if what == "read" { get(read) } else { get(answer) };
    let router = Router::new()
        .route(PATH, handler)
        .layer(SessionManagerLayer::new(store));
    (router, format!("id={id}"))
}
