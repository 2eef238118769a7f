//! The API: five routes, each saying in its signature who may call it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use portcullis::{
    AuthRejection, AuthenticateLayer, Authenticated, Authentication, Authorized, ConfigError, Decision,
    HasScope, JwtBearer, Principal, Requirement, Scope, SignedIn, Verifier,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::documents::{Document, Documents};

pub(crate) struct DocumentsRead;

impl Scope for DocumentsRead {
    const NAME: &str = "documents:read";
}

pub(crate) struct DocumentsDelete;

impl Scope for DocumentsDelete {
    const NAME: &str = "documents:delete";
}

/// The API behind one authentication layer, and one public route beside it.
pub(crate) fn router(verifier: Verifier) -> Result<Router, ConfigError> {
    let guarded = Router::new()
        .route("/whoami", get(whoami))
        .route("/me", get(me))
        .route("/documents", get(list))
        .route("/documents/{id}", get(read).delete(remove))
        .with_state(Documents::seeded())
        .layer(AuthenticateLayer::optional(JwtBearer::new(verifier)?));
    Ok(Router::new()
        .route("/healthz", get(async || "ok\n"))
        .merge(guarded))
}

#[derive(Serialize)]
struct Me<'c> {
    iss: &'c str,
    sub: &'c str,
    scopes: Vec<&'c str>,
    roles: Vec<&'c str>,
    method: &'c str,
}

fn describe(caller: &Authentication<Principal>) -> Value {
    json!(Me {
        iss: caller.principal().issuer(),
        sub: caller.principal().subject(),
        scopes: caller.scopes().iter().collect(),
        roles: caller.roles().iter().collect(),
        method: caller.method().as_str(),
    })
}

async fn whoami(caller: Option<Authenticated>) -> Json<Value> {
    Json(caller.map_or_else(|| json!({ "authenticated": false }), |caller| describe(&caller)))
}

async fn me(caller: Authorized<SignedIn>) -> Json<Value> {
    Json(describe(&caller))
}

async fn list(
    _caller: Authorized<HasScope<DocumentsRead>>,
    State(documents): State<Documents>,
) -> Json<Vec<Document>> {
    Json(documents.all())
}

async fn read(
    caller: Authorized<HasScope<DocumentsRead>>,
    State(documents): State<Documents>,
    Path(id): Path<u32>,
) -> Result<Json<Document>, Refusal> {
    Ok(Json(find_own(&caller, &documents, id)?))
}

async fn remove(
    caller: Authorized<HasScope<DocumentsDelete>>,
    State(documents): State<Documents>,
    Path(id): Path<u32>,
) -> Result<StatusCode, Refusal> {
    let document = find_own(&caller, &documents, id)?;
    documents.delete(document.id);
    Ok(StatusCode::NO_CONTENT)
}

/// Logged in, but is this *her* document?
fn find_own<R: Requirement<Principal>>(
    caller: &Authorized<R>,
    documents: &Documents,
    id: u32,
) -> Result<Document, Refusal> {
    let document = documents.find(id).ok_or(Refusal::NotFound)?;
    let may = document.owner == caller.principal().subject() || caller.roles().contains("admin");
    caller.enforce(Decision::granted_if(may, "not_the_owner"))?;
    Ok(document)
}

/// Why a document is not handed out.
enum Refusal {
    NotFound,
    Auth(AuthRejection),
}

impl From<portcullis::AuthError> for Refusal {
    fn from(error: portcullis::AuthError) -> Self {
        Self::Auth(error.into())
    }
}

impl axum::response::IntoResponse for Refusal {
    fn into_response(self) -> axum::response::Response {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
            Self::Auth(rejection) => rejection.into_response(),
        }
    }
}
