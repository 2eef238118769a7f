//! The same router, with a decision about the caller or about an object.

use std::hint::black_box;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use portcullis_axum::{AuthRejection, Authenticated, Authorized, Gate, gate};
use portcullis_core::policy::{IsOwner, Owned, any};
use portcullis_core::{Authentication, Decision, Guarded, HasRole, Needs, Policy, Principal, Role, SignedIn};
use portcullis_tower::{AuthenticateLayer, LedgerLayer, TracingAudit};
use tower::Layer;

use crate::bare::{PATH, answer, request08};
use crate::ours::method;
use crate::{Fixture, InProcess, Subject};

struct Admin;

impl Role for Admin {
    const NAME: &str = "admin";
}

/// Belongs to whoever asks.
struct Document(Principal);

impl Owned<Principal> for Document {
    fn is_owned_by(&self, principal: &Principal) -> bool {
        *principal == self.0
    }
}

struct CanRead;

impl Policy<Principal, Document> for CanRead {
    fn decide(&self, caller: &Authentication<Principal>, document: &Document) -> Decision {
        any((Needs::<HasRole<Admin>>::new(), IsOwner)).decide(caller, document)
    }
}

async fn requirement(caller: Authorized<SignedIn>) -> &'static str {
    black_box(&caller);
    answer().await
}

async fn unread(caller: Authenticated) -> &'static str {
    black_box(&caller);
    answer().await
}

async fn policy(caller: Authenticated) -> Result<&'static str, AuthRejection> {
    let document = Guarded::new(Document(caller.principal().clone()));
    let document = document.authorize(&caller, CanRead)?;
    black_box(&document);
    Ok(answer().await)
}

/// A request with the fixture's token, about which something is decided.
pub(crate) fn subject(fixture: Fixture, what: &'static str) -> Box<dyn Subject> {
    let authenticate = AuthenticateLayer::required(method(fixture, what));
    let request = move || request08(Some(fixture.token));
    let router = match what {
        "requirement" => Router::new().route(PATH, get(requirement)),
        "gate" => Gate::<(), Principal>::new()
            .guarded(PATH, gate::get(unread).needs::<SignedIn>())
            .into_router(),
        _ => Router::new().route(PATH, get(policy)),
    };
    let inner = authenticate.layer(router);
    let ledger = match what {
        "ledger" => LedgerLayer::new(),
        "audited" => LedgerLayer::new().audit(TracingAudit::new()),
        _ => return Box::new(InProcess::new(inner, StatusCode::OK, request)),
    };
    Box::new(InProcess::new(ledger.layer(inner), StatusCode::OK, request))
}
