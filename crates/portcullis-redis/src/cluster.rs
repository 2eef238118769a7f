//! The way to a cluster. The driver finds the node that has a bucket. It sends nothing twice by itself.

use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{Cmd, RedisError, Value};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::fault::Fault;
use crate::link::Patience;

pub(crate) struct Cluster {
    client: ClusterClient,
    patience: Patience,
    open: Mutex<Option<ClusterConnection>>,
}

impl Cluster {
    /// # Errors
    ///
    /// When a URL is none, or asks for what is not compiled in.
    pub(crate) fn new(urls: &[&str], patience: Patience) -> Result<Self, Fault> {
        let client = ClusterClient::builder(urls.iter().copied())
            .retries(0)
            .connection_timeout(patience.connect)
            .response_timeout(patience.answer)
            .build()?;
        Ok(Self {
            client,
            patience,
            open: Mutex::new(None),
        })
    }

    pub(crate) async fn send(&self, command: &Cmd) -> Result<Value, Fault> {
        let open = timeout(self.patience.connect, self.connected()).await;
        let mut open = open.map_err(|_| Fault::NotConnected)??;
        let answer = timeout(self.patience.answer, command.query_async::<Value>(&mut open)).await;
        Ok(answer.map_err(|_| Fault::Late)??)
    }

    async fn connected(&self) -> Result<ClusterConnection, RedisError> {
        let mut place = self.open.lock().await;
        if let Some(open) = place.as_ref() {
            return Ok(open.clone());
        }
        let open = self.client.get_async_connection().await?;
        *place = Some(open.clone());
        Ok(open)
    }
}
