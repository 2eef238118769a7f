//! An issuer for development, so that the example needs nothing else. Whoever can reach it can mint
//! tokens: it listens where the API does and must never run in production.

use axum::extract::{Form, Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use portcullis_test::{TestIssuer, TokenBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Clone)]
pub(crate) struct EmbeddedIssuer {
    issuer: TestIssuer,
    origin: String,
    audience: String,
}

/// The form of `POST /issuer/token`.
#[derive(Debug, Deserialize)]
struct Wanted {
    sub: String,
    #[serde(default)]
    scope: String,
    /// Separated by spaces or commas.
    #[serde(default)]
    roles: String,
    /// Seconds; negative for a token that has expired.
    lifetime: Option<i64>,
    aud: Option<String>,
    /// The customer; `home` unless stated.
    tenant: Option<String>,
}

/// What the token endpoint refuses to mint: more than a day.
const LONGEST: i64 = 24 * 60 * 60;
const DEFAULT_LIFETIME: i64 = 60 * 60;

impl EmbeddedIssuer {
    pub(crate) fn new(origin: &str, audience: &str) -> Self {
        Self {
            issuer: TestIssuer::new(&format!("{origin}/issuer")),
            origin: origin.to_owned(),
            audience: audience.to_owned(),
        }
    }

    pub(crate) fn url(&self) -> String {
        self.issuer.url()
    }

    pub(crate) fn routes(&self) -> Router {
        Router::new()
            .route("/issuer/token", post(token))
            .route("/issuer/{*document}", get(document))
            .with_state(self.clone())
    }

    fn mint(&self, sub: &str, scope: &str, roles: &str, lifetime: i64) -> String {
        self.token(sub, scope, roles, lifetime).build()
    }

    fn token(&self, sub: &str, scope: &str, roles: &str, lifetime: i64) -> TokenBuilder {
        self.issuer
            .token()
            .subject(sub)
            .audience(self.audience.as_str())
            .scope(scope)
            .roles(roles.split([' ', ',']).filter(|role| !role.is_empty()))
            .lifetime(lifetime)
    }

    /// The curl lines to paste.
    pub(crate) fn invitation(&self) -> String {
        let origin = &self.origin;
        let curl = |title: &str, token: Option<String>, path: &str| {
            let header = token
                .map(|token| format!(" -H 'Authorization: Bearer {token}'"))
                .unwrap_or_default();
            format!("\n# {title}\ncurl -i{header} {origin}{path}\n")
        };
        let hour = DEFAULT_LIFETIME;
        [
            curl("anonymous: 401", None, "/documents"),
            curl(
                "reader, her own document: 200",
                Some(self.mint("alice", "documents:read", "", hour)),
                "/documents/1",
            ),
            curl(
                "reader, somebody else's document: 403",
                Some(self.mint("alice", "documents:read", "", hour)),
                "/documents/2",
            ),
            curl(
                "admin: 200",
                Some(self.mint("carol", "documents:read documents:delete", "admin", hour)),
                "/documents/2",
            ),
            curl(
                "wrong scope: 403",
                Some(self.mint("alice", "profile", "", hour)),
                "/documents",
            ),
            curl(
                "expired: 401",
                Some(self.mint("alice", "documents:read", "", -60)),
                "/documents",
            ),
        ]
        .concat()
    }
}

/// Discovery document and JWK set.
async fn document(State(embedded): State<EmbeddedIssuer>, request: Request) -> axum::response::Response {
    embedded.issuer.respond(&request).map(axum::body::Body::from)
}

async fn token(State(embedded): State<EmbeddedIssuer>, Form(wanted): Form<Wanted>) -> impl IntoResponse {
    let lifetime = wanted.lifetime.unwrap_or(DEFAULT_LIFETIME);
    if wanted.sub.is_empty() || lifetime > LONGEST {
        return (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "invalid_request" })),
        );
    }
    let audience = wanted.aud.unwrap_or_else(|| embedded.audience.clone());
    let mut token =
        EmbeddedIssuer { audience, ..embedded }.token(&wanted.sub, &wanted.scope, &wanted.roles, lifetime);
    if let Some(tenant) = wanted.tenant {
        token = token.claim("tenant", tenant);
    }
    let token = token.build();
    let answer: Value = json!({ "access_token": token, "token_type": "Bearer", "expires_in": lifetime });
    (StatusCode::OK, Json(answer))
}
