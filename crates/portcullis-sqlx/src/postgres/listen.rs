//! One connection that listens for `NOTIFY`. It only wakes: what it misses is in the log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use tokio::task::JoinHandle;

use crate::shared::Wake;

/// As in the statements that write to the log.
const CHANNEL: &str = "portcullis_changes";
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(500);
/// After so long a silence the server is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(15);

pub(super) struct Listening {
    pub(super) wake: Arc<Wake>,
    /// Of one connection, apart from the store's own.
    pool: PgPool,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Listening {
    pub(super) fn new(pool: &PgPool) -> Self {
        let options = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
        let options = options.idle_timeout(None).max_lifetime(None);
        Self {
            wake: Arc::default(),
            pool: options.connect_lazy_with((*pool.connect_options()).clone()),
            task: Mutex::new(None),
        }
    }

    /// Begins to listen, if nobody does. Where the runtime ended under it, this begins anew.
    pub(super) fn start(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) && !self.pool.is_closed() {
            *task = Some(tokio::spawn(listen(self.pool.clone(), Arc::clone(&self.wake))));
        }
    }

    /// Ends listening, for good.
    pub(super) async fn close(&self) {
        self.stop();
        self.pool.close().await;
    }

    fn stop(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.take() {
            task.abort();
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn listen(pool: PgPool, wake: Arc<Wake>) {
    loop {
        // Whatever ended it, waiters are woken once more: something may have been missed.
        let _ = hear(&pool, &wake).await;
        wake.up();
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns when the connection is lost.
async fn hear(pool: &PgPool, wake: &Wake) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    let listens = tokio::time::timeout(PATIENCE, listener.listen(CHANNEL)).await;
    listens.map_err(|_| sqlx::Error::PoolTimedOut)??;
    wake.up();
    loop {
        match tokio::time::timeout(SILENCE, listener.try_recv()).await {
            Ok(heard) => {
                if heard?.is_none() {
                    return Ok(());
                }
                wake.up();
            }
            Err(_) => {
                let alive = sqlx::query("SELECT 1").execute(&mut listener);
                let answer = tokio::time::timeout(PATIENCE, alive).await;
                answer.map_err(|_| sqlx::Error::PoolTimedOut)??;
            }
        }
    }
}
