//! A service that one layer guards as a whole: its handlers demand nothing themselves.

use std::sync::Arc;

use portcullis::core::MemoryRevocations;
use portcullis::{AuthError, Clock, Scope, SignedIn};
use tonic::{Request, Response, Status};

use crate::access::{Caller, status};
use crate::proto::{SignOutRequest, SignOutResponse, account_server};

pub(crate) struct AccountScope;

impl Scope for AccountScope {
    const NAME: &str = "account";
}

#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) revocations: MemoryRevocations,
    pub(crate) clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl account_server::Account for Account {
    async fn sign_out(&self, request: Request<SignOutRequest>) -> Result<Response<SignOutResponse>, Status> {
        // Who it is; what they need is the layer's business.
        let caller = Caller::with::<SignedIn>(request.extensions()).await?;
        self.revocations
            .revoke_before(caller.issuer(), caller.subject(), self.clock.now())
            // The tokens stay valid, and the caller must know.
            .map_err(|full| status(AuthError::unavailable("revocations_full").with_source(full)))?;
        Ok(Response::new(SignOutResponse {}))
    }
}
