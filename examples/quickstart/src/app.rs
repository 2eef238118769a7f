//! The API, and beside each method who may call it.

use std::sync::Arc;

use axum::extract::{FromRef, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use portcullis::apikey::{ApiKeyFormat, ApiKeyService, ApiKeys, Expiry, KeysError, NewKey};
use portcullis::core::{Method, Scopes};
use portcullis::gate::{delete, get, post};
use portcullis::session::{SessionError, Sessions};
use portcullis::{
    AuthError, AuthRejection, AuthenticateLayer, Authenticated, Authentication, ConfigError, Decision,
    Description, Gate, HasScope, Inventory, JwtBearer, LedgerLayer, Requirement, Scope, SignedIn,
    TracingAudit, Verifier,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::accounts::{ACCOUNTS, Passwords};
use crate::documents::{Document, Documents};
use crate::rules::{CanDelete, CanRead, DocumentsDelete, DocumentsRead};
use crate::stores::Store;
use crate::users::{User, users, users_by_key};
use crate::{keys, sessions};

/// Who is asking. What they may do was decided by the gate, or is decided about a document.
pub(crate) type Caller = Authenticated<User>;

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) sessions: Sessions,
    pub(crate) keys: ApiKeyService,
    /// The same keys, as a method.
    pub(crate) users_by_key: ApiKeys<User>,
    pub(crate) passwords: Arc<Passwords>,
    documents: Documents,
}

impl App {
    pub(crate) fn new(store: &Store, passwords: Arc<Passwords>) -> Result<Self, ConfigError> {
        let records = || Arc::clone(&store.records);
        let audit = TracingAudit::new;
        let keys = ApiKeyService::builder(ApiKeyFormat::new("sk_demo")?, records());
        let keys = keys.audit(audit()).build()?;
        Ok(Self {
            sessions: Sessions::builder(records()).audit(audit()).build()?,
            users_by_key: users_by_key(&keys)?,
            keys,
            passwords,
            documents: Documents::seeded(),
        })
    }

    /// A key of alice's to try, which dies tomorrow. Nobody signs in for it: whoever starts the program says who she is.
    pub(crate) async fn demo_key(&self) -> Result<String, KeysError> {
        let alice = &ACCOUNTS[0];
        let operator = Authentication::assertion(alice.principal(), Method::new("operator"));
        let wanted = Scopes::parse(DocumentsRead::NAME)?;
        let key = NewKey::new("demo", wanted, Expiry::in_days(1));
        let issued = self
            .keys
            .issue(&operator.with_scopes(alice.scopes()), key)
            .await?;
        let (_, secret) = issued.into_parts();
        Ok(secret.reveal().expose().clone())
    }
}

impl FromRef<App> for Documents {
    fn from_ref(app: &App) -> Self {
        app.documents.clone()
    }
}

/// Somebody who signed in here: whoever has a token or a key manages neither sessions nor keys.
pub(crate) struct InSession;

impl Requirement<User> for InSession {
    fn decide(caller: &Authentication<User>) -> Decision {
        Decision::granted_if(caller.method() == Method::SESSION, "not_a_session")
    }

    fn describe() -> Description {
        Description::new("in a session")
    }
}

/// The routes that know who is asking. One whose author forgot to say who may does not compile.
fn guarded() -> Gate<App, User> {
    Gate::new()
        .public("/whoami", get(whoami))
        .public("/login", post(sessions::login))
        .public("/logout", post(sessions::logout))
        .guarded("/me", get(me).needs::<SignedIn>())
        .guarded("/documents", get(list).needs::<HasScope<DocumentsRead>>())
        .guarded(
            "/documents/{id}",
            get(read)
                .needs::<HasScope<DocumentsRead>>()
                .delete(remove)
                .needs::<HasScope<DocumentsDelete>>(),
        )
        .guarded(
            "/sessions",
            get(sessions::list)
                .needs::<InSession>()
                .delete(sessions::revoke_others)
                .needs::<InSession>(),
        )
        .guarded("/sessions/{id}", delete(sessions::revoke).needs::<InSession>())
        .guarded(
            "/keys",
            get(keys::list)
                .needs::<InSession>()
                .post(keys::issue)
                .needs::<InSession>(),
        )
        .guarded("/keys/{id}", delete(keys::revoke).needs::<InSession>())
        .guarded("/keys/{id}/rotate", post(keys::rotate).needs::<InSession>())
}

/// One that does not, and stays up whatever is sent.
fn open<S: Clone + Send + Sync + 'static>() -> Gate<S, User> {
    Gate::new().public("/healthz", get(async || "ok\n"))
}

/// Every route, method and need, as `--print-inventory` shows them.
pub(crate) fn inventory() -> Inventory {
    open().merge(guarded()).inventory()
}

/// The API behind one authentication layer, one public route beside it, and a ledger around both: an answer that
/// nobody decided about stays inside. Who somebody is, is found out when it is first asked: the sign-in page is there
/// when the store is not.
pub(crate) fn router(verifier: Verifier, app: &App) -> Result<Router, ConfigError> {
    let keys = app.users_by_key.clone();
    let users = users(JwtBearer::new(verifier)?, keys, app.sessions.method());
    let guarded = guarded()
        .with_state(app.clone())
        .layer(AuthenticateLayer::on_demand(users))
        .layer(app.sessions.layer());
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

/// Why something is not done.
pub(crate) enum Refusal {
    NotFound,
    Conflict(String),
    Invalid(String),
    Auth(AuthRejection),
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        Self::Auth(error.into())
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        Self::Auth(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let says = |status: StatusCode, detail: String| {
            (
                status,
                Json(json!({ "status": status.as_u16(), "detail": detail })),
            )
                .into_response()
        };
        match self {
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
            Self::Conflict(detail) => says(StatusCode::CONFLICT, detail),
            Self::Invalid(detail) => says(StatusCode::UNPROCESSABLE_ENTITY, detail),
            Self::Auth(rejection) => rejection.into_response(),
        }
    }
}

#[cfg(test)]
mod tests;
