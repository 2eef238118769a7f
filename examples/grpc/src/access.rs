//! What a handler does with portcullis: know who calls, demand something of them, refuse, and end a stream
//! when the caller's evidence ends.

use futures_util::{Stream, StreamExt, stream};
use portcullis::core::{self, Invalid};
use portcullis::tower::{grpc, until_invalid};
use portcullis::{AuthError, Decision, Principal, Requirement};
use tonic::{Extensions, Status};

/// The caller of a method, known to meet the method's requirement.
#[derive(Debug)]
pub(crate) struct Caller(core::Caller<Principal>);

impl Caller {
    /// The caller, if they meet `R`: the first line of every handler. Reads what the layer left in the
    /// request's extensions, and no metadata.
    pub(crate) async fn with<R: Requirement<Principal>>(extensions: &Extensions) -> Result<Self, Status> {
        let caller = core::Caller::of(extensions).await.map_err(status)?;
        caller.require::<R>().map_err(status)?;
        Ok(Self(caller))
    }

    pub(crate) fn issuer(&self) -> &str {
        self.0.principal().issuer()
    }

    pub(crate) fn subject(&self) -> &str {
        self.0.principal().subject()
    }

    /// Whether something of this owner is the caller's to see and to change.
    pub(crate) fn owns(&self, owner: &str) -> bool {
        owner == self.subject() || self.0.roles().contains("admin")
    }

    /// Enforces a decision that the handler came to after looking at a loaded object.
    pub(crate) fn enforce(&self, decision: Decision) -> Result<(), Status> {
        self.0.enforce(decision).map_err(status)
    }

    /// The items of a stream while the caller's evidence holds; when it ends, a last status and nothing more.
    ///
    /// A call is authenticated once, when it begins. Without this, whoever opened a stream keeps it for as
    /// long as the connection lives, whatever became of their token.
    pub(crate) fn while_valid<T>(
        self,
        items: impl Stream<Item = Result<T, Status>> + Send,
    ) -> impl Stream<Item = Result<T, Status>> + Send {
        let end = async move { until_invalid(self.0.shared()).await };
        let open = (Box::pin(items), Box::pin(end));
        stream::unfold(Some(open), |open| async move {
            let (mut items, mut end) = open?;
            tokio::select! {
                // The end first: what waits behind it is not sent any more.
                biased;
                why = &mut end => Some((Err(ended(why)), None)),
                item = items.next() => Some((item?, Some((items, end)))),
            }
        })
    }
}

/// A refusal as a handler returns it.
///
/// The layers refuse by themselves and need none of this. A [`Status`] that a handler makes passes them as
/// any other answer does: what it does not carry is lost. So everything that the layers' own gRPC answer
/// says goes with it: the code of portcullis's wire table, the challenge with the missing scope, how long to
/// wait, `no-store`, and one line in the log.
pub(crate) fn status(error: AuthError) -> Status {
    let refusal = grpc::refuse(error);
    Status::from_header_map(refusal.headers()).unwrap_or_else(|| Status::internal("internal error"))
}

/// The last status of a stream whose caller's evidence has ended.
fn ended(why: Invalid) -> Status {
    let refusal = status(why.into());
    // The head went out long ago, and authentication has no place in trailers (RFC 9110 §6.5.1).
    Status::new(refusal.code(), refusal.message())
}

#[cfg(test)]
mod tests;
