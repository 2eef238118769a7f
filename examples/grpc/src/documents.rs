//! The documents, and a requirement for each method. Each handler begins by naming its own.

use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use portcullis::{Decision, HasScope, Scope};
use tokio::sync::broadcast::error::RecvError;
use tonic::{Request, Response, Status, Streaming};

use crate::access::Caller;
use crate::proto::{
    DeleteRequest, DeleteResponse, Document, GetRequest, Note, WatchRequest, documents_server,
};

mod store;

use self::store::Store;

struct DocumentsRead;

impl Scope for DocumentsRead {
    const NAME: &str = "documents:read";
}

struct DocumentsDelete;

impl Scope for DocumentsDelete {
    const NAME: &str = "documents:delete";
}

struct DocumentsComment;

impl Scope for DocumentsComment {
    const NAME: &str = "documents:comment";
}

type BoxStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[derive(Debug)]
pub(crate) struct Documents(Store);

impl Documents {
    /// Document 1 belongs to alice, document 2 to bob.
    pub(crate) fn seeded() -> Self {
        Self(Store::seeded())
    }

    /// Signed in and with the right scope, but is this *her* document?
    fn find_own(&self, caller: &Caller, id: u32) -> Result<Document, Status> {
        let document = self.0.find(id);
        let document = document.ok_or_else(|| Status::not_found("no such document"))?;
        caller.enforce(Decision::granted_if(
            caller.owns(&document.owner),
            "not_the_owner",
        ))?;
        Ok(document)
    }
}

#[tonic::async_trait]
impl documents_server::Documents for Documents {
    async fn get(&self, request: Request<GetRequest>) -> Result<Response<Document>, Status> {
        let caller = Caller::with::<HasScope<DocumentsRead>>(request.extensions()).await?;
        let document = self.find_own(&caller, request.into_inner().id)?;
        Ok(Response::new(document))
    }

    async fn delete(&self, request: Request<DeleteRequest>) -> Result<Response<DeleteResponse>, Status> {
        let caller = Caller::with::<HasScope<DocumentsDelete>>(request.extensions()).await?;
        let document = self.find_own(&caller, request.into_inner().id)?;
        self.0.delete(document.id);
        Ok(Response::new(DeleteResponse {}))
    }

    type WatchStream = BoxStream<Document>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<BoxStream<Document>>, Status> {
        let caller = Caller::with::<HasScope<DocumentsRead>>(request.extensions()).await?;
        let (now, changes) = self.0.watch();
        let later = stream::unfold(changes, |mut changes| async move {
            match changes.recv().await {
                Ok(document) => Some((Ok(document), changes)),
                Err(RecvError::Lagged(_)) => {
                    Some((Err(Status::aborted("too slow to follow: watch again")), changes))
                }
                Err(RecvError::Closed) => None,
            }
        });
        let subject = caller.subject().to_owned();
        let own = stream::iter(now.into_iter().map(Ok))
            .chain(later)
            .filter(move |item| {
                let shown = !matches!(item, Ok(document) if document.owner != subject);
                std::future::ready(shown)
            });
        Ok(Response::new(Box::pin(caller.while_valid(own))))
    }

    type DiscussStream = BoxStream<Note>;

    async fn discuss(&self, request: Request<Streaming<Note>>) -> Result<Response<BoxStream<Note>>, Status> {
        let caller = Caller::with::<HasScope<DocumentsComment>>(request.extensions()).await?;
        let author = caller.subject().to_owned();
        let signed = request.into_inner().map(move |note| {
            let author = author.clone();
            note.map(|note| Note { author, ..note })
        });
        Ok(Response::new(Box::pin(caller.while_valid(signed))))
    }
}
