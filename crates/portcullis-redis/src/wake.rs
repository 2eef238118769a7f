//! Waking whoever waits for changes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// How often there was something new, and how often there had been when the log was last read or somebody was woken.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    news: AtomicU64,
    seen: AtomicU64,
    notify: Notify,
}

impl Wake {
    /// There is something new.
    pub(crate) fn up(&self) {
        self.news.fetch_add(1, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    /// To be asked before the log is read, and given to [`Self::read_at`] afterwards.
    pub(crate) fn news(&self) -> u64 {
        self.news.load(Ordering::SeqCst)
    }

    /// The log was read, and everything up to `news` was seen.
    pub(crate) fn read_at(&self, news: u64) {
        self.seen.fetch_max(news, Ordering::SeqCst);
    }

    /// Waits for news since the log was last read or somebody was last woken. News wake once: while the log cannot be
    /// read, whoever waits and tries again does not do so at once.
    pub(crate) async fn wait(&self, at_most: Duration) {
        let mut notified = std::pin::pin!(self.notify.notified());
        notified.as_mut().enable();
        if self.news() == self.seen.load(Ordering::SeqCst) {
            // Either way it is time to look.
            let _ = tokio::time::timeout(at_most, notified).await;
        }
        self.read_at(self.news());
    }
}
