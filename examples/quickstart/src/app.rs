//! The API: six routes, and beside each method who may call it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use portcullis::gate::get;
use portcullis::{
    AuthError, AuthRejection, AuthenticateLayer, Authenticated, Authentication, ConfigError, Gate, HasScope,
    Inventory, JwtBearer, LedgerLayer, SignedIn, TracingAudit, Verifier,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::documents::{Document, Documents};
use crate::rules::{CanDelete, CanRead, DocumentsDelete, DocumentsRead};
use crate::users::{User, users};

/// Who is asking. What they may do was decided by the gate, or is decided about a document.
type Caller = Authenticated<User>;

/// The routes that know who is asking. One whose author forgot to say who may does not compile.
fn guarded() -> Gate<Documents, User> {
    Gate::new()
        .public("/whoami", get(whoami))
        .guarded("/me", get(me).needs::<SignedIn>())
        .guarded("/documents", get(list).needs::<HasScope<DocumentsRead>>())
        .guarded(
            "/documents/{id}",
            get(read)
                .needs::<HasScope<DocumentsRead>>()
                .delete(remove)
                .needs::<HasScope<DocumentsDelete>>(),
        )
}

/// One that does not, and stays up whatever is sent.
fn open() -> Gate<(), User> {
    Gate::new().public("/healthz", get(async || "ok\n"))
}

/// Every route, method and need, as `--print-inventory` shows them.
pub(crate) fn inventory() -> Inventory {
    open()
        .merge(guarded().with_state(Documents::seeded()))
        .inventory()
}

/// The API behind one authentication layer, one public route beside it, and a ledger around both: an answer that
/// nobody decided about stays inside.
pub(crate) fn router(verifier: Verifier) -> Result<Router, ConfigError> {
    let guarded = guarded()
        .with_state(Documents::seeded())
        .layer(AuthenticateLayer::optional(users(JwtBearer::new(verifier)?)));
    let ledger = LedgerLayer::new().audit(TracingAudit::new());
    Ok(open().merge(guarded).into_router().layer(ledger))
}

#[derive(Serialize)]
struct Me<'c> {
    iss: &'c str,
    sub: &'c str,
    scopes: Vec<&'c str>,
    roles: Vec<&'c str>,
    method: &'c str,
}

fn describe(caller: &Authentication<User>) -> Value {
    let account = &caller.principal().principal;
    json!(Me {
        iss: account.issuer(),
        sub: account.subject(),
        scopes: caller.scopes().iter().collect(),
        roles: caller.roles().iter().collect(),
        method: caller.method().as_str(),
    })
}

async fn whoami(caller: Option<Caller>) -> Json<Value> {
    Json(caller.map_or_else(|| json!({ "authenticated": false }), |caller| describe(&caller)))
}

async fn me(caller: Caller) -> Json<Value> {
    Json(describe(&caller))
}

async fn list(
    caller: Caller,
    State(documents): State<Documents>,
) -> Result<Json<Vec<Document>>, AuthRejection> {
    let hers: Vec<_> = documents.all().authorize_each(&caller, &CanRead)?;
    Ok(Json(
        hers.into_iter().map(|document| document.into_inner()).collect(),
    ))
}

async fn read(
    caller: Caller,
    State(documents): State<Documents>,
    Path(id): Path<u32>,
) -> Result<Json<Document>, Refusal> {
    let document = documents.find(id).ok_or(Refusal::NotFound)?;
    Ok(Json(document.authorize(&caller, CanRead)?.into_inner()))
}

async fn remove(
    caller: Caller,
    State(documents): State<Documents>,
    Path(id): Path<u32>,
) -> Result<StatusCode, Refusal> {
    let document = documents.find(id).ok_or(Refusal::NotFound)?;
    documents.delete(document.authorize(&caller, CanDelete)?);
    Ok(StatusCode::NO_CONTENT)
}

/// Why a document is not handed out.
enum Refusal {
    NotFound,
    Auth(AuthRejection),
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        Self::Auth(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
            Self::Auth(rejection) => rejection.into_response(),
        }
    }
}

#[cfg(test)]
mod tests;
