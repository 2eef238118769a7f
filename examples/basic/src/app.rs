//! The application: three routes, each saying in its signature who may call it.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use portcullis::{AuthenticateLayer, Authorized, SignedIn};

use crate::basic::{Basic, User};

/// Written once: what `Authorized` is in this application.
type Caller<R = SignedIn> = Authorized<R, User>;

/// The users of the example. In PHC form, as every Argon2 library writes it; the passwords are in the README.
#[must_use]
pub const fn users() -> [(&'static str, &'static str); 2] {
    [
        (
            "alice",
            "$argon2id$v=19$m=19456,t=2,p=1$STHXh0ZNzYEn1q+BrPa4jA$NoK4n71WqFNNdcf4SDIljBFSXc0QF28u+W2PES9q9Ak",
        ),
        (
            "bøb",
            "$argon2id$v=19$m=19456,t=2,p=1$nE+raXewPLuNea4bgRCgYg$Knmull3EwC4XsgNEgSF5OTgxTkvDdEJRAj80hpRfBwI",
        ),
    ]
}

/// The routes behind the method. The front page is public.
pub fn router(basic: Basic) -> Router {
    let guarded = Router::new()
        .route("/me", get(me))
        .route("/notes", post(write))
        .layer(AuthenticateLayer::required(basic));
    Router::new().route("/", get(async || "hello\n")).merge(guarded)
}

async fn me(caller: Caller) -> String {
    format!("{}\n", caller.principal().name)
}

async fn write(caller: Caller, text: String) -> (StatusCode, String) {
    let author = &caller.principal().name;
    (StatusCode::CREATED, format!("{author} wrote: {text}\n"))
}
