//! Where the layers stand.

use std::sync::Arc;

use portcullis::core::MemoryRevocations;
use portcullis::tower::{AnyBodyLayer, AuthorizeLayer};
use portcullis::{
    Algorithm, AuthenticateLayer, Clock, ConfigError, HasScope, JwtBearer, KeySet, TrustedIssuer, Verifier,
};
use tonic::service::{LayerExt, Routes};

use crate::account::{Account, AccountScope};
use crate::documents::Documents;
use crate::proto::account_server::AccountServer;
use crate::proto::documents_server::DocumentsServer;

/// Accepts tokens of one issuer for one audience, unless they were revoked.
///
/// # Errors
///
/// When the issuer or the audience is empty.
pub fn verifier(
    issuer: &str,
    keys: impl KeySet,
    audience: &str,
    revocations: MemoryRevocations,
    clock: impl Clock,
) -> Result<Verifier, ConfigError> {
    Verifier::builder()
        .issuer(TrustedIssuer::new(issuer, keys).algorithms(Algorithm::RECOMMENDED))
        .audience(audience)
        .revocations(revocations)
        .clock(clock)
        .build()
}

/// Every service, behind the layers it needs.
///
/// # Errors
///
/// As [`JwtBearer::new`].
pub async fn routes(
    verifier: Verifier,
    revocations: MemoryRevocations,
    clock: impl Clock,
) -> Result<Routes, ConfigError> {
    let clock = Arc::new(clock);
    // A need of the whole service. `named_layer` keeps the name by which tonic routes to it, and
    // `AnyBodyLayer` makes room for a refusal, which tonic's own body has none for.
    let account = AccountServer::new(Account { revocations, clock });
    let account = AuthorizeLayer::needs::<HasScope<AccountScope>>()
        .named_layer(AnyBodyLayer::new().named_layer(account));

    let guarded = Routes::new(DocumentsServer::new(Documents::seeded()))
        .add_service(account)
        .into_axum_router()
        .layer(AuthenticateLayer::required(JwtBearer::new(verifier)?));

    // Health is added behind the layer's back: whoever probes has no token, and must get an answer when the
    // issuer is down. So `required` can hold for everything else, and a handler that forgets to demand
    // something is open to whoever is signed in, not to everybody.
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<DocumentsServer<Documents>>().await;
    reporter.set_serving::<AccountServer<Account>>().await;
    Ok(Routes::from(guarded).add_service(health))
}
