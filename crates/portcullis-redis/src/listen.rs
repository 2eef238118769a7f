//! One connection that listens for published wake-ups. It only wakes: what it misses is in the log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use redis::{Client, ErrorKind, RedisError};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::wake::Wake;

const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(500);
/// After so long a silence the server is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(15);

pub(crate) struct Listening {
    pub(crate) wake: Arc<Wake>,
    /// One for each node that is known; they are tried in turn.
    clients: Vec<Client>,
    channel: String,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Listening {
    pub(crate) fn new(clients: Vec<Client>, channel: String) -> Self {
        Self {
            wake: Arc::default(),
            clients,
            channel,
            task: Mutex::new(None),
        }
    }

    /// Begins to listen, if nobody does. Where the runtime ended under it, this begins anew.
    pub(crate) fn start(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            let (clients, channel) = (self.clients.clone(), self.channel.clone());
            *task = Some(tokio::spawn(listen(clients, channel, Arc::clone(&self.wake))));
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.take() {
            task.abort();
        }
    }
}

async fn listen(clients: Vec<Client>, channel: String, wake: Arc<Wake>) {
    for client in clients.iter().cycle() {
        // Whatever ended it, waiters are woken once more: something may have been missed.
        let _ = hear(client, &channel, &wake).await;
        wake.up();
        sleep(PAUSE).await;
    }
}

/// Returns when the connection is lost.
async fn hear(client: &Client, channel: &str, wake: &Wake) -> Result<(), RedisError> {
    let mut connection = timeout(PATIENCE, client.get_async_pubsub())
        .await
        .map_err(late)??;
    timeout(PATIENCE, connection.subscribe(channel))
        .await
        .map_err(late)??;
    wake.up();
    loop {
        let heard = timeout(SILENCE, connection.on_message().next()).await;
        match heard {
            Ok(Some(_)) => wake.up(),
            Ok(None) => return Ok(()),
            Err(_) => {
                let alive = connection.ping::<redis::Value>();
                timeout(PATIENCE, alive).await.map_err(late)??;
            }
        }
    }
}

fn late(_: tokio::time::error::Elapsed) -> RedisError {
    (ErrorKind::Io, "no answer in time").into()
}
