//! Every method of the server, called with any credentials.

use futures_util::stream;
use grpc_example::proto::account_client::AccountClient;
use grpc_example::proto::documents_client::DocumentsClient;
use grpc_example::proto::{DeleteRequest, Document, GetRequest, Note, SignOutRequest, WatchRequest};
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};

/// One method.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Get,
    /// The same, about bob's document.
    GetOther,
    Delete,
    Watch,
    Discuss,
    SignOut,
}

impl Call {
    pub(crate) const ALL: [Self; 5] = [Self::Get, Self::Delete, Self::Watch, Self::Discuss, Self::SignOut];

    /// The scope it needs.
    pub(crate) const fn scope(self) -> &'static str {
        match self {
            Self::Get | Self::GetOther | Self::Watch => "documents:read",
            Self::Delete => "documents:delete",
            Self::Discuss => "documents:comment",
            Self::SignOut => "account",
        }
    }

    /// Calls it about document 1, up to the first message that comes back. `credentials` are the
    /// `authorization` entries, as they are.
    pub(crate) async fn send(self, channel: &Channel, credentials: &[&str]) -> Result<(), Status> {
        let mut documents = DocumentsClient::new(channel.clone());
        match self {
            Self::Get => documents
                .get(with(GetRequest { id: 1 }, credentials))
                .await
                .map(drop),
            Self::GetOther => documents
                .get(with(GetRequest { id: 2 }, credentials))
                .await
                .map(drop),
            Self::Delete => documents
                .delete(with(DeleteRequest { id: 1 }, credentials))
                .await
                .map(drop),
            Self::Watch => first(watch(channel, credentials).await?).await,
            Self::Discuss => first(discuss(channel, credentials).await?).await,
            Self::SignOut => sign_out(channel, credentials).await,
        }
    }

    /// The code of what comes back.
    pub(crate) async fn code(self, channel: &Channel, credentials: &[&str]) -> Code {
        match self.send(channel, credentials).await {
            Ok(()) => Code::Ok,
            Err(status) => status.code(),
        }
    }
}

/// A request with these `authorization` entries.
pub(crate) fn with<T>(message: T, credentials: &[&str]) -> Request<T> {
    let mut request = Request::new(message);
    for value in credentials {
        let value = MetadataValue::try_from(*value).expect("ascii");
        request.metadata_mut().append("authorization", value);
    }
    request
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

pub(crate) async fn watch(channel: &Channel, credentials: &[&str]) -> Result<Streaming<Document>, Status> {
    let mut documents = DocumentsClient::new(channel.clone());
    let answer = documents.watch(with(WatchRequest {}, credentials)).await?;
    Ok(answer.into_inner())
}

/// Says one word and goes on listening.
pub(crate) async fn discuss(channel: &Channel, credentials: &[&str]) -> Result<Streaming<Note>, Status> {
    let note = Note {
        text: "hello".to_owned(),
        author: "mallory".to_owned(),
    };
    let notes = futures_util::StreamExt::chain(stream::iter([note]), stream::pending());
    let mut documents = DocumentsClient::new(channel.clone());
    let answer = documents.discuss(with(notes, credentials)).await?;
    Ok(answer.into_inner())
}

pub(crate) async fn sign_out(channel: &Channel, credentials: &[&str]) -> Result<(), Status> {
    let mut account = AccountClient::new(channel.clone());
    let answer = account.sign_out(with(SignOutRequest {}, credentials)).await;
    answer.map(drop)
}

async fn first<T>(mut messages: Streaming<T>) -> Result<(), Status> {
    let message = messages.message().await?;
    assert!(message.is_some(), "the stream ended without a message");
    Ok(())
}
