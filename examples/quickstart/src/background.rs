//! What goes on beside the requests.

use std::sync::Arc;
use std::time::Duration;

use portcullis::store::changes::Follower;
use tokio::time::sleep;

use crate::app::App;
use crate::stores::Store;

const SWEEP: Duration = Duration::from_secs(60);

/// Drops what has expired, notes when keys were last used, and listens to what other instances change.
pub(crate) fn start(store: Store, app: &App) {
    let last_used = app.keys.last_used();
    tokio::spawn(async move { last_used.run(sleep).await });
    if let Some(log) = store.log {
        let keys = Arc::new(app.users_by_key.clone());
        tokio::spawn(Follower::new(log).tell(keys).run());
    }
    tokio::spawn(async move {
        loop {
            sleep(SWEEP).await;
            if let Err(error) = store.records.sweep().await {
                tracing::warn!(%error, "the store was not swept");
            }
        }
    });
}
